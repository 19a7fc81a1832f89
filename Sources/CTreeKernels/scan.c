#include "CTreeKernels.h"
#include "dispatch.h"

int mtlk_scan_is_fast(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
#else
  return 0;
#endif
}

INLINE mtlk_counts scan_rows(uint8_t *leaves, const uint8_t *bins, size_t first, size_t count, uint8_t leaf,
                             uint8_t new_leaf, uint8_t offset, uint8_t limit, int32_t first_row, int32_t *left,
                             int32_t *right, mtlk_counts done) {
  for (size_t index = first; index < count; ++index) {
    if (leaves[index] != leaf) continue;
    if ((uint8_t)(bins[index] - offset) > limit) {
      leaves[index] = new_leaf;
      if (right) right[done.right] = first_row + (int32_t)index;
      done.right++;
    } else {
      if (left) left[done.left] = first_row + (int32_t)index;
      done.left++;
    }
  }
  return done;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Rows of the set bits. */
__attribute__((target("avx512f,avx512bw"))) INLINE size_t emit_avx512(int32_t *rows, size_t count, uint64_t bits,
                                                                      int32_t first) {
  const __m512i steps = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (int part = 0; part < 4; ++part) {
    const __mmask16 mask = (__mmask16)(bits >> (16 * part));
    const __m512i numbers = _mm512_add_epi32(steps, _mm512_set1_epi32(first + 16 * part));
    /* Compressing in a register and storing it all is far faster here than compressing into memory. */
    _mm512_storeu_si512(rows + count, _mm512_maskz_compress_epi32(mask, numbers));
    count += (size_t)__builtin_popcount(mask);
  }
  return count;
}

__attribute__((target("avx512f,avx512bw,popcnt"))) static mtlk_counts scan_avx512(
    uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf, uint8_t offset,
    uint8_t limit, int32_t first_row, int32_t *left, int32_t *right) {
  const __m512i leaf_bytes = _mm512_set1_epi8((char)leaf), new_bytes = _mm512_set1_epi8((char)new_leaf);
  const __m512i offsets = _mm512_set1_epi8((char)offset), limits = _mm512_set1_epi8((char)limit);
  mtlk_counts done = {0, 0};
  size_t index = 0;
  for (; index + 64 <= count; index += 64) {
    const uint64_t here = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(leaves + index), leaf_bytes);
    if (!here) continue;
    const __m512i bin = _mm512_sub_epi8(_mm512_loadu_si512(bins + index), offsets);
    const uint64_t goes_right = _mm512_mask_cmpgt_epu8_mask(here, bin, limits);
    const uint64_t stays = here & ~goes_right;
    _mm512_mask_storeu_epi8(leaves + index, goes_right, new_bytes);
    const int32_t row = first_row + (int32_t)index;
    if (right) emit_avx512(right, done.right, goes_right, row);
    if (left) emit_avx512(left, done.left, stays, row);
    done.right += (size_t)__builtin_popcountll(goes_right);
    done.left += (size_t)__builtin_popcountll(stays);
  }
  return scan_rows(leaves, bins, index, count, leaf, new_leaf, offset, limit, first_row, left, right, done);
}

__attribute__((target("avx2,popcnt,bmi"))) INLINE size_t emit_avx2(int32_t *rows, size_t count, uint32_t bits,
                                                                   int32_t first) {
  for (; bits; bits &= bits - 1) rows[count++] = first + __builtin_ctz(bits);
  return count;
}

__attribute__((target("avx2,popcnt,bmi"))) static mtlk_counts scan_avx2(
    uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf, uint8_t offset,
    uint8_t limit, int32_t first_row, int32_t *left, int32_t *right) {
  const __m256i leaf_bytes = _mm256_set1_epi8((char)leaf), new_bytes = _mm256_set1_epi8((char)new_leaf);
  const __m256i offsets = _mm256_set1_epi8((char)offset), limits = _mm256_set1_epi8((char)limit);
  mtlk_counts done = {0, 0};
  size_t index = 0;
  for (; index + 32 <= count; index += 32) {
    const __m256i old = _mm256_loadu_si256((const __m256i *)(leaves + index));
    const __m256i here = _mm256_cmpeq_epi8(old, leaf_bytes);
    const uint32_t all = (uint32_t)_mm256_movemask_epi8(here);
    if (!all) continue;
    const __m256i bin = _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)(bins + index)), offsets);
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bin, limits), bin);
    const __m256i moves = _mm256_andnot_si256(low, here);
    const uint32_t goes_right = (uint32_t)_mm256_movemask_epi8(moves);
    _mm256_storeu_si256((__m256i *)(leaves + index), _mm256_blendv_epi8(old, new_bytes, moves));
    const int32_t row = first_row + (int32_t)index;
    if (right) emit_avx2(right, done.right, goes_right, row);
    if (left) emit_avx2(left, done.left, all & ~goes_right, row);
    done.right += (size_t)__builtin_popcount(goes_right);
    done.left += (size_t)__builtin_popcount(all & ~goes_right);
  }
  return scan_rows(leaves, bins, index, count, leaf, new_leaf, offset, limit, first_row, left, right, done);
}
#endif

mtlk_counts mtlk_scan(uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                      uint8_t offset, uint8_t limit, int32_t first_row, int32_t *left, int32_t *right) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) {
    return scan_avx512(leaves, bins, count, leaf, new_leaf, offset, limit, first_row, left, right);
  }
  if (mtlk_scan_is_fast()) {
    return scan_avx2(leaves, bins, count, leaf, new_leaf, offset, limit, first_row, left, right);
  }
#endif
  return scan_rows(leaves, bins, 0, count, leaf, new_leaf, offset, limit, first_row, left, right,
                   (mtlk_counts){0, 0});
}

mtlk_counts mtlk_scan_set(uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                          const uint64_t *set, int32_t first_row, int32_t *left, int32_t *right) {
  mtlk_counts done = {0, 0};
  for (size_t index = 0; index < count; ++index) {
    const size_t here = leaves[index] == leaf;
    const size_t is_right = here & (set[bins[index] >> 6] >> (bins[index] & 63) & 1);
    right[done.right] = first_row + (int32_t)index;
    left[done.left] = first_row + (int32_t)index;
    done.right += is_right;
    done.left += here & ~is_right & 1;
    leaves[index] = is_right ? new_leaf : leaves[index];
  }
  return done;
}

mtlk_counts mtlk_scan_wide(uint8_t *leaves, const uint16_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                           uint16_t offset, uint16_t limit, const uint8_t *goes_right, int32_t first_row,
                           int32_t *left, int32_t *right) {
  mtlk_counts done = {0, 0};
  for (size_t index = 0; index < count; ++index) {
    const uint16_t bin = bins[index];
    const size_t here = leaves[index] == leaf;
    const size_t is_right = here & (goes_right ? goes_right[bin] : (uint16_t)(bin - offset) > limit);
    right[done.right] = first_row + (int32_t)index;
    left[done.left] = first_row + (int32_t)index;
    done.right += is_right;
    done.left += here & ~is_right & 1;
    leaves[index] = is_right ? new_leaf : leaves[index];
  }
  return done;
}
