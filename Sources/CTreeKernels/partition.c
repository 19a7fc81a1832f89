#include "CTreeKernels.h"
#include "dispatch.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Rows ahead of which bins are fetched. */
#define AHEAD 48

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

static size_t partition_plain(int32_t *rows, size_t count, const uint8_t *bins, uint8_t offset, uint8_t limit,
                              int32_t *aside) {
  PARTITION(uint8_t, (uint8_t)(bin - offset) > limit)
}

#if defined(__x86_64__)
/* Sixteen rows at once: their bins come one by one, which is faster than gathering them. */
__attribute__((target("avx512f,avx512bw,avx512vl,popcnt"))) static size_t partition_avx512(
    int32_t *rows, size_t count, const uint8_t *bins, uint8_t offset, uint8_t limit, int32_t *aside) {
  enum { LANES = 16 };
  const __m128i offsets = _mm_set1_epi8((char)offset), limits = _mm_set1_epi8((char)limit);
  size_t left = 0, right = 0, index = 0;
  for (; index + LANES + AHEAD <= count; index += LANES) {
    uint8_t here[LANES];
    for (size_t lane = 0; lane < LANES; ++lane) {
      __builtin_prefetch(bins + rows[index + AHEAD + lane]);
      here[lane] = bins[rows[index + lane]];
    }
    const __m512i numbers = _mm512_loadu_si512(rows + index);
    const __m128i bin = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)here), offsets);
    const __mmask16 goes_right = _mm_cmpgt_epu8_mask(bin, limits);
    const size_t found = (size_t)__builtin_popcount(goes_right);
    /* (Never beyond the rows that have been read.) */
    _mm512_storeu_si512(rows + left, _mm512_maskz_compress_epi32((__mmask16)~goes_right, numbers));
    _mm512_storeu_si512(aside + right, _mm512_maskz_compress_epi32(goes_right, numbers));
    right += found;
    left += LANES - found;
  }
  for (; index < count; ++index) {
    const int32_t row = rows[index];
    const size_t is_right = (uint8_t)(bins[row] - offset) > limit;
    rows[left] = row;
    aside[right] = row;
    left += 1 - is_right;
    right += is_right;
  }
  memcpy(rows + left, aside, right * sizeof(int32_t));
  return left;
}
#endif

size_t mtlk_partition(int32_t *rows, size_t count, const uint8_t *bins, uint8_t offset, uint8_t limit,
                      int32_t *aside) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return partition_avx512(rows, count, bins, offset, limit, aside);
  }
#endif
  return partition_plain(rows, count, bins, offset, limit, aside);
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
