#include "CTreeKernels.h"
#include "dispatch.h"

#include <string.h>

/* Rows ahead of which bins and gradients are fetched into the second level of the cache, which can wait for more of
   them at once than the first. */
#define FAR 64
/* Rows ahead of which they are fetched from there, where rows lie so far apart that no line serves two of them. */
#define NEAR 16
/* They do where less than one row in so many is used. */
#define SPARSE 5

typedef int64_t pair __attribute__((vector_size(16)));
typedef int64_t quad __attribute__((vector_size(32)));

/* (Functions that take vectors are part of their callers.) */
#pragma clang diagnostic ignored "-Wpsabi"

#define EACH_WIDTH(X)                                                                                              \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
  X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)

/* (A row may lie across two lines of the cache.) */
#define FETCH(BINS, SIZE, GRADIENT, LEVEL)           \
  __builtin_prefetch((BINS), 0, LEVEL);              \
  __builtin_prefetch((BINS) + (SIZE) - 1, 0, LEVEL); \
  __builtin_prefetch((GRADIENT), 0, LEVEL);

/* Whether few of the rows between the first and the last are used. */
INLINE int is_sparse(const int32_t *rows, size_t count) {
  return count > 0 && (size_t)(rows[count - 1] - rows[0]) / SPARSE > count;
}

/* Adds a row: `width` columns of a byte, then `words` columns of two, whose codes are places in cells of their own. */
#define DEFINE_ADD(NAME, CELL)                                                                                     \
  INLINE void NAME(const uint8_t *row, const size_t width, size_t words, CELL value, CELL *restrict cells) {      \
    _Pragma("clang loop unroll(full)") for (size_t column = 0; column < width; ++column)                          \
        cells[column * MTLK_COLUMN_STRIDE + row[column]] += value;                                                \
    CELL *restrict more = cells + width * MTLK_COLUMN_STRIDE;                                                     \
    row += width;                                                                                                 \
    _Pragma("clang loop unroll(disable)") for (size_t word = 0; word < words; ++word) {                           \
      uint16_t code;                                                                                              \
      memcpy(&code, row + 2 * word, sizeof code);                                                                 \
      more[code] += value;                                                                                        \
    }                                                                                                             \
  }

DEFINE_ADD(add_packed, int64_t)
DEFINE_ADD(add_paired, pair)
DEFINE_ADD(add_apart, quad)
/* (A count at the top of a word may reach its sign.) */
DEFINE_ADD(add_word, uint64_t)

/* One loop for all kinds of rows: STEP words of a gradient a row, of which VALUE makes what is added. The first `count`
   of `known` rows are added; those behind them are fetched ahead, too. */
#define HISTOGRAM(ADD, STEP, VALUE, KNOWN)                                            \
  const size_t size = width + 2 * words;                                              \
  const int fetches_twice = is_sparse(rows, count);                                   \
  const size_t fetching = (KNOWN) > FAR ? (KNOWN) - FAR : 0;                          \
  const size_t end = fetching < count ? fetching : count;                             \
  size_t index = 0;                                                                   \
  for (; index < end; ++index) {                                                      \
    const size_t row = (size_t)rows[index];                                           \
    const size_t later = (size_t)rows[index + FAR];                                   \
    FETCH(bins + later * size, size, gradients + STEP * later, 2)                     \
    if (fetches_twice) {                                                              \
      const size_t next = (size_t)rows[index + NEAR];                                 \
      FETCH(bins + next * size, size, gradients + STEP * next, 3)                     \
    }                                                                                 \
    ADD(bins + row * size, width, words, (VALUE), cells);                             \
  }                                                                                   \
  for (; index < count; ++index) {                                                    \
    const size_t row = (size_t)rows[index];                                           \
    ADD(bins + row * size, width, words, (VALUE), cells);                             \
  }

INLINE void histogram_packed(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows, size_t count,
                             const int32_t *gradients, int64_t one, int64_t *cells) {
  HISTOGRAM(add_packed, 1, (int64_t)gradients[row] + one, count)
}

INLINE void histogram_paired(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows, size_t count,
                             const pair *gradients, pair *cells) {
  HISTOGRAM(add_paired, 1, gradients[row], count)
}

INLINE pair short_value(const int32_t *row, int64_t one, const int is_product) {
  const int64_t first = row[0], second = row[1];
  return (pair){is_product ? first * second : first, second + one};
}

INLINE void histogram_short(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows, size_t count,
                            const int32_t *gradients, int64_t one, pair *cells, const int is_product) {
  HISTOGRAM(add_paired, 2, short_value(gradients + 2 * row, one, is_product), count)
}

INLINE void histogram_single_apart(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows,
                                   size_t count, const int32_t *gradients, pair *cells) {
  HISTOGRAM(add_paired, 1, ((pair){gradients[row], 1}), count)
}

INLINE void histogram_paired_apart(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows,
                                   size_t count, const pair *gradients, quad *cells) {
  HISTOGRAM(add_apart, 1, ((quad){gradients[row][0], gradients[row][1], 1, 0}), count)
}

INLINE void histogram_short_apart(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows,
                                  size_t count, const int32_t *gradients, quad *cells) {
  HISTOGRAM(add_apart, 2, ((quad){gradients[2 * row], gradients[2 * row + 1], 1, 0}), count)
}

INLINE int64_t narrow_gradient(uint32_t row) { return (int16_t)(uint16_t)row; }

INLINE uint64_t narrow_value(uint32_t row) {
  const uint64_t one = (uint64_t)1 << MTLK_NARROW_COUNT_SHIFT;
  return (uint64_t)narrow_gradient(row) + ((uint64_t)(row >> 16) << MTLK_NARROW_HESSIAN_SHIFT) + one;
}

INLINE void histogram_narrow(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows, size_t count,
                             size_t known, const uint32_t *gradients, uint64_t *cells) {
  if (count > 0 && (size_t)(rows[count - 1] - rows[0]) + 1 == count) {
    /* One row after another: the processor sees for itself what will be needed. */
    const size_t first = (size_t)rows[0], size = width + 2 * words;
    for (size_t row = first; row < first + count; ++row) {
      add_word(bins + row * size, width, words, narrow_value(gradients[row]), cells);
    }
    return;
  }
  HISTOGRAM(add_word, 1, narrow_value(gradients[row]), known)
}

INLINE void histogram_narrow_paired(const uint8_t *bins, const size_t width, size_t words, const int32_t *rows,
                                    size_t count, const uint32_t *gradients, int64_t one, pair *cells) {
  HISTOGRAM(add_paired, 1, ((pair){narrow_gradient(gradients[row]), (int64_t)(gradients[row] >> 16) + one}), count)
}

void mtlk_histogram_packed(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const int32_t *gradients, int64_t one, int64_t *cells) {
  switch (width) {
#define PACKED(W) \
  case W: histogram_packed(bins, W, words, rows, count, gradients, one, cells); break;
    EACH_WIDTH(PACKED)
  }
}

void mtlk_histogram_paired(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const void *gradients, void *cells) {
  switch (width) {
#define PAIRED(W) \
  case W: histogram_paired(bins, W, words, rows, count, (const pair *)gradients, (pair *)cells); break;
    EACH_WIDTH(PAIRED)
  }
}

void mtlk_histogram_short(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                          const int32_t *gradients, int64_t one, void *cells) {
  switch (width) {
#define SHORT(W) \
  case W: histogram_short(bins, W, words, rows, count, gradients, one, (pair *)cells, 0); break;
    EACH_WIDTH(SHORT)
  }
}

void mtlk_histogram_single_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                 const int32_t *gradients, void *cells) {
  switch (width) {
#define SINGLE_APART(W) \
  case W: histogram_single_apart(bins, W, words, rows, count, gradients, (pair *)cells); break;
    EACH_WIDTH(SINGLE_APART)
  }
}

/* (Where cells are so wide, loops of a width known when they are compiled gain next to nothing.) */
void mtlk_histogram_paired_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                 const void *gradients, void *cells) {
  histogram_paired_apart(bins, width, words, rows, count, (const pair *)gradients, (quad *)cells);
}

void mtlk_histogram_short_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                const int32_t *gradients, void *cells) {
  histogram_short_apart(bins, width, words, rows, count, gradients, (quad *)cells);
}

void mtlk_histogram_product(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                            const int32_t *residuals, int64_t one, void *cells) {
  switch (width) {
#define PRODUCT(W) \
  case W: histogram_short(bins, W, words, rows, count, residuals, one, (pair *)cells, 1); break;
    EACH_WIDTH(PRODUCT)
  }
}

void mtlk_histogram_narrow(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const uint32_t *gradients, int64_t one, size_t cell_count, uint64_t *block,
                           void *cells) {
  /* Adding a block to the cells must cost less than adding its rows there at once. */
  const size_t least = cell_count / (2 * (width + words));
  for (size_t first = 0; first < count; first += MTLK_NARROW_BLOCK) {
    const size_t size = count - first < MTLK_NARROW_BLOCK ? count - first : MTLK_NARROW_BLOCK;
    const int32_t *part = rows + first;
    if (size < least) {
      switch (width) {
#define NARROW_PAIRED(W) \
  case W: histogram_narrow_paired(bins, W, words, part, size, gradients, one, (pair *)cells); break;
        EACH_WIDTH(NARROW_PAIRED)
      }
      continue;
    }
    switch (width) {
#define NARROW(W) \
  case W: histogram_narrow(bins, W, words, part, size, count - first, gradients, block); break;
      EACH_WIDTH(NARROW)
    }
    mtlk_add_block(block, cell_count, one, (int64_t *)cells);
  }
}
