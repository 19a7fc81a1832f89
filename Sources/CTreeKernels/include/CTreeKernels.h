/* Inner loops of the tree engine that the Swift compiler leaves slower than C does: loops of a width known when
   they are compiled, prefetching, and vector instructions chosen at run time.

   None of them checks anything: their callers own the memory and know its sizes. */
#ifndef CTREEKERNELS_H
#define CTREEKERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#pragma clang assume_nonnull begin

/* Cells from one column of a histogram to the next. */
#define MTLK_COLUMN_STRIDE 264

/* Widest tile of columns. */
#define MTLK_MAXIMUM_WIDTH 32

/* Adds rows to the histograms of a tile's columns.
   bins: the tile, `width` bytes a row (1 to MTLK_MAXIMUM_WIDTH). rows: their numbers.
   gradients: by row number. one: what a row adds to a cell besides its gradient.
   cells: MTLK_COLUMN_STRIDE of them a column. */
void mtlk_histogram_packed(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                           const int32_t *gradients, int64_t one, int64_t *cells);

/* The same with two words a row, added to two words a cell; both aligned to 16 bytes. */
void mtlk_histogram_paired(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                           const void *gradients, void *cells);

#pragma clang assume_nonnull end

#if defined(__cplusplus)
}
#endif

#endif
