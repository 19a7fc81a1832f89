#include "CTreeKernels.h"
#include "dispatch.h"

#include <string.h>

/* Both steps of this are monotone in the number, rounding included: an edge in an earlier cell is a smaller number.
   NaN fails the first comparison and lands in cell 0. */
#define DEFINE_BINNING(NAME, TYPE)                                                                                 \
  INLINE size_t NAME##_cell(TYPE value, TYPE low, TYPE scale) {                                                    \
    TYPE place = (value - low) * scale;                                                                            \
    place = place > 0 ? place : 0;                                                                                 \
    place = place < (TYPE)(MTLK_GRID_CELLS - 1) ? place : (TYPE)(MTLK_GRID_CELLS - 1);                             \
    return (size_t)(int32_t)place;                                                                                 \
  }                                                                                                                \
                                                                                                                   \
  INLINE uint8_t NAME##_bin(const mtlk_##NAME##_bins *table, TYPE value, const int32_t steps) {                    \
    const TYPE *edges = table->edges;                                                                              \
    size_t below = 0;                                                                                              \
    if (steps == 0) {                                                                                              \
      for (size_t step = MTLK_EDGES / 2; step > 0; step >>= 1) below += edges[below + step - 1] < value ? step : 0; \
    } else {                                                                                                       \
      below = table->cells[NAME##_cell(value, table->low, table->scale)];                                          \
      for (int32_t step = 0; step < steps; ++step) below += edges[below] < value;                                  \
    }                                                                                                              \
    return value == value ? (uint8_t)(below + 1) : 0;                                                              \
  }                                                                                                                \
                                                                                                                   \
  INLINE void NAME##_bins(const mtlk_##NAME##_bins *table, const char *first, ptrdiff_t stride,                    \
                          const int32_t *rows, size_t count, uint8_t *bins, const int32_t steps) {                 \
    for (size_t index = 0; index < count; ++index) {                                                               \
      TYPE value;                                                                                                  \
      memcpy(&value, first + (rows ? (ptrdiff_t)rows[index] : (ptrdiff_t)index) * stride, sizeof value);           \
      bins[index] = NAME##_bin(table, value, steps);                                                               \
    }                                                                                                              \
  }                                                                                                                \
                                                                                                                   \
  void mtlk_bin_##NAME##s(const mtlk_##NAME##_bins *table, const void *first, ptrdiff_t stride,                    \
                          const int32_t *rows, size_t count, uint8_t *bins) {                                      \
    switch (table->steps) {                                                                                        \
      case 1: NAME##_bins(table, first, stride, rows, count, bins, 1); break;                                      \
      case 2: NAME##_bins(table, first, stride, rows, count, bins, 2); break;                                      \
      case 3: NAME##_bins(table, first, stride, rows, count, bins, 3); break;                                      \
      default: NAME##_bins(table, first, stride, rows, count, bins, 0);                                            \
    }                                                                                                              \
  }                                                                                                                \
                                                                                                                   \
  size_t mtlk_##NAME##_cell(TYPE value, TYPE low, TYPE scale) { return NAME##_cell(value, low, scale); }

DEFINE_BINNING(float, float)
DEFINE_BINNING(double, double)

void mtlk_bin_words(const double *edges, size_t edge_count, const double *numbers, size_t count, uint16_t *bins) {
  for (size_t index = 0; index < count; ++index) {
    const double value = numbers[index];
    /* Each step halves what is left, without a branch: `below` is the edges known to be below the number. */
    size_t below = 0, left = edge_count;
    while (left > 0) {
      const size_t half = (left + 1) / 2;
      below += edges[below + half - 1] < value ? half : 0;
      left -= half;
    }
    bins[index] = value == value ? (uint16_t)(below + 1) : 0;
  }
}
