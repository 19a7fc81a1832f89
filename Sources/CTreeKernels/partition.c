#include "CTreeKernels.h"

#include <string.h>

#define AHEAD 48

#define INLINE static inline __attribute__((always_inline))

/* Both sides are written to always and only one of the two places moves on: no branch that could be mispredicted. */
#define PARTITION(BIN, GOES_RIGHT)                                           \
  size_t left = 0, right = 0, index = 0;                                     \
  for (; index + AHEAD < count; ++index) {                                   \
    const int32_t row = rows[index];                                         \
    __builtin_prefetch(bins + rows[index + AHEAD]);                          \
    const BIN bin = bins[row];                                               \
    const size_t is_right = (GOES_RIGHT);                                    \
    rows[left] = row;                                                        \
    aside[right] = row;                                                      \
    left += 1 - is_right;                                                    \
    right += is_right;                                                       \
  }                                                                          \
  for (; index < count; ++index) {                                           \
    const int32_t row = rows[index];                                         \
    const BIN bin = bins[row];                                               \
    const size_t is_right = (GOES_RIGHT);                                    \
    rows[left] = row;                                                        \
    aside[right] = row;                                                      \
    left += 1 - is_right;                                                    \
    right += is_right;                                                       \
  }                                                                          \
  memcpy(rows + left, aside, right * sizeof(int32_t));                       \
  return left;

size_t mtlk_partition(int32_t *rows, size_t count, const uint8_t *bins, uint8_t offset, uint8_t limit,
                      int32_t *aside) {
  PARTITION(uint8_t, (uint8_t)(bin - offset) > limit)
}

size_t mtlk_partition_set(int32_t *rows, size_t count, const uint8_t *bins, const uint64_t *set, int32_t *aside) {
  uint8_t goes_right[256];
  for (size_t bin = 0; bin < 256; ++bin) goes_right[bin] = set[bin >> 6] >> (bin & 63) & 1;
  PARTITION(uint8_t, goes_right[bin])
}

size_t mtlk_partition_wide(int32_t *rows, size_t count, const uint16_t *bins, uint16_t offset, uint16_t limit,
                           const uint8_t *goes_right, int32_t *aside) {
  if (goes_right) {
    PARTITION(uint16_t, goes_right[bin])
  }
  PARTITION(uint16_t, (uint16_t)(bin - offset) > limit)
}
