#include "CTreeKernels.h"
#include "dispatch.h"

#include <string.h>

/* Moves the rows of a block through a tree: `leaves` gets the leaf of each. `lanes` bytes are held in registers while
   all splits pass over them. */
typedef uint8_t plain_vector __attribute__((vector_size(16), aligned(1)));
typedef uint8_t wide_vector __attribute__((vector_size(32), aligned(1)));
typedef uint8_t widest_vector __attribute__((vector_size(64), aligned(1)));

/* Sets of more pages are looked up bin by bin. */
#define VECTOR_PAGES 8

/* Whether a row goes right at a split of a wide column; `low` is the lower byte of its bin. */
INLINE int wide_goes_right(const mtlk_split *split, const uint8_t *low, const uint64_t *sets) {
  const size_t bin = (size_t)low[0] | (size_t)low[MTLK_BLOCK] << 8;
  if (split->set) return sets[4 * (size_t)(split->set - 1) + (bin >> 6)] >> (bin & 63) & 1;
  return (uint16_t)(bin - split->offset) > split->limit;
}

#define DEFINE_FIND_LEAVES(NAME, BYTES)                                                                        \
  INLINE void NAME##_find_leaves(const uint8_t *bins, const mtlk_split *splits, size_t split_count,            \
                                 const uint64_t *sets, uint8_t *leaves) {                                      \
    for (size_t first = 0; first < MTLK_BLOCK; first += 4 * BYTES) {                                           \
      NAME##_vector leaf[4] = {{0}, {0}, {0}, {0}};                                                            \
      for (size_t index = 0; index < split_count; ++index) {                                                   \
        const mtlk_split *split = splits + index;                                                              \
        const uint8_t *row = bins + (size_t)split->plane * MTLK_BLOCK + first;                                 \
        uint8_t right[4 * BYTES] __attribute__((aligned(64)));                                                 \
        const int has_members = split->set != 0 || split->is_wide;                                             \
        if (split->is_wide) {                                                                                  \
          if (split->set && split->limit <= VECTOR_PAGES) {                                                    \
            memset(right, 0, sizeof right);                                                                    \
            for (size_t page = 0; page < split->limit; ++page) {                                               \
              uint8_t members[4 * BYTES] __attribute__((aligned(64)));                                         \
              NAME##_members(row, sets + 4 * (split->set - 1 + page), members);                                \
              for (size_t k = 0; k < 4 * BYTES; ++k) {                                                         \
                right[k] |= row[MTLK_BLOCK + k] == page ? members[k] : 0;                                      \
              }                                                                                                \
            }                                                                                                  \
          } else {                                                                                             \
            for (size_t k = 0; k < 4 * BYTES; ++k) right[k] = wide_goes_right(split, row + k, sets) ? 255 : 0; \
          }                                                                                                    \
        } else if (split->set) {                                                                               \
          NAME##_members(row, sets + 4 * (size_t)(split->set - 1), right);                                     \
        }                                                                                                      \
        _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 4; ++k) {                                    \
          NAME##_vector goes;                                                                                  \
          if (has_members) {                                                                                   \
            goes = *(const NAME##_vector *)(right + k * BYTES);                                                \
          } else {                                                                                             \
            const NAME##_vector bin = *(const NAME##_vector *)(row + k * BYTES);                               \
            goes = (NAME##_vector)((bin - split->offset) > (uint8_t)split->limit);                                      \
          }                                                                                                    \
          goes &= (NAME##_vector)(leaf[k] == split->leaf);                                                     \
          leaf[k] = (leaf[k] & ~goes) | (goes & (uint8_t)(index + 1));                                         \
        }                                                                                                      \
      }                                                                                                        \
      memcpy(leaves + first, leaf, sizeof leaf);                                                               \
    }                                                                                                          \
  }

INLINE void add_values(const uint8_t *leaves, const float *values, double *scores, size_t width, size_t count) {
  if (width == 1) {
    for (size_t row = 0; row < count; ++row) scores[row] += (double)values[leaves[row]];
  } else {
    for (size_t row = 0; row < count; ++row) scores[row * width] += (double)values[leaves[row]];
  }
}

/* Bytes of all ones for the bins that are in a set. */
INLINE void plain_members(const uint8_t *bins, const uint64_t *set, uint8_t *members) {
  for (size_t k = 0; k < 64; ++k) members[k] = (set[bins[k] >> 6] >> (bins[k] & 63) & 1) ? 255 : 0;
}

DEFINE_FIND_LEAVES(plain, 16)

static void add_tree_plain(const uint8_t *bins, const mtlk_split *splits, size_t split_count, const uint64_t *sets,
                           const float *values, double *scores, size_t width, size_t count) {
  uint8_t leaves[MTLK_BLOCK];
  plain_find_leaves(bins, splits, split_count, sets, leaves);
  add_values(leaves, values, scores, width, count);
}

#if defined(__x86_64__)
#include <immintrin.h>

/* A bin's byte within the set is looked up by its upper five bits, in two tables of 16, and the bit by its lower
   three. */
__attribute__((target("avx2"))) INLINE void wide_members(const uint8_t *bins, const uint64_t *set, uint8_t *members) {
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(set + 2)));
  const __m256i masks = _mm256_set1_epi64x((long long)0x8040201008040201);
  for (size_t k = 0; k < 128; k += 32) {
    const __m256i bin = _mm256_loadu_si256((const __m256i *)(bins + k));
    const __m256i place = _mm256_and_si256(_mm256_srli_epi16(bin, 3), _mm256_set1_epi8(15));
    const __m256i byte =
        _mm256_blendv_epi8(_mm256_shuffle_epi8(low, place), _mm256_shuffle_epi8(high, place), bin);
    const __m256i bit = _mm256_shuffle_epi8(masks, _mm256_and_si256(bin, _mm256_set1_epi8(7)));
    _mm256_storeu_si256((__m256i *)(members + k), _mm256_cmpeq_epi8(_mm256_and_si256(byte, bit), bit));
  }
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) INLINE void widest_members(const uint8_t *bins,
                                                                                const uint64_t *set,
                                                                                uint8_t *members) {
  const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set));
  const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(set + 2)));
  const __m512i masks = _mm512_set1_epi64((long long)0x8040201008040201);
  for (size_t k = 0; k < 256; k += 64) {
    const __m512i bin = _mm512_loadu_si512(bins + k);
    const __m512i place = _mm512_and_si512(_mm512_srli_epi16(bin, 3), _mm512_set1_epi8(15));
    const __m512i byte = _mm512_mask_blend_epi8(_mm512_movepi8_mask(bin), _mm512_shuffle_epi8(low, place),
                                                _mm512_shuffle_epi8(high, place));
    const __m512i bit = _mm512_shuffle_epi8(masks, _mm512_and_si512(bin, _mm512_set1_epi8(7)));
    _mm512_storeu_si512(members + k, _mm512_movm_epi8(_mm512_test_epi8_mask(byte, bit)));
  }
}

__attribute__((target("avx2"))) DEFINE_FIND_LEAVES(wide, 32)
__attribute__((target("avx512f,avx512bw,avx512vl"))) DEFINE_FIND_LEAVES(widest, 64)

__attribute__((target("avx2"))) static void add_tree_avx2(const uint8_t *bins, const mtlk_split *splits,
                                                          size_t split_count, const uint64_t *sets,
                                                          const float *values, double *scores, size_t width,
                                                          size_t count) {
  uint8_t leaves[MTLK_BLOCK];
  wide_find_leaves(bins, splits, split_count, sets, leaves);
  add_values(leaves, values, scores, width, count);
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) static void add_tree_avx512(
    const uint8_t *bins, const mtlk_split *splits, size_t split_count, const uint64_t *sets, const float *values,
    double *scores, size_t width, size_t count) {
  uint8_t leaves[MTLK_BLOCK];
  widest_find_leaves(bins, splits, split_count, sets, leaves);
  if (width != 1 || split_count > 31 || count < MTLK_BLOCK) {
    add_values(leaves, values, scores, width, count);
    return;
  }
  float table[32] = {0};
  memcpy(table, values, (split_count + 1) * sizeof(float));
  const __m512 low = _mm512_loadu_ps(table), high = _mm512_loadu_ps(table + 16);
  for (size_t row = 0; row < MTLK_BLOCK; row += 16) {
    const __m512i leaf = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(leaves + row)));
    const __m512 value = _mm512_permutex2var_ps(low, leaf, high);
    const __m512d first = _mm512_cvtps_pd(_mm512_castps512_ps256(value));
    const __m512d second = _mm512_cvtps_pd(_mm512_castps512_ps256(_mm512_shuffle_f32x4(value, value, 0x4E)));
    _mm512_storeu_pd(scores + row, _mm512_add_pd(_mm512_loadu_pd(scores + row), first));
    _mm512_storeu_pd(scores + row + 8, _mm512_add_pd(_mm512_loadu_pd(scores + row + 8), second));
  }
}
#endif

void mtlk_add_tree(const uint8_t *bins, const mtlk_split *splits, size_t split_count, const uint64_t *sets,
                   const float *values, double *scores, size_t width, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    add_tree_avx512(bins, splits, split_count, sets, values, scores, width, count);
    return;
  }
  if (__builtin_cpu_supports("avx2")) {
    add_tree_avx2(bins, splits, split_count, sets, values, scores, width, count);
    return;
  }
#endif
  add_tree_plain(bins, splits, split_count, sets, values, scores, width, count);
}

void mtlk_walk_tree(const uint8_t *bins, const mtlk_split *splits, size_t split_count, const uint64_t *sets,
                    const float *values, double *scores, size_t width, size_t count) {
  for (size_t row = 0; row < count; ++row) {
    int32_t next = split_count ? 0 : -1;
    while (next >= 0) {
      const mtlk_split *split = splits + next;
      const uint8_t *bin = bins + (size_t)split->plane * MTLK_BLOCK + row;
      int is_right = (uint8_t)(*bin - split->offset) > split->limit;
      if (split->is_wide) {
        is_right = wide_goes_right(split, bin, sets);
      } else if (split->set) {
        is_right = sets[4 * (size_t)(split->set - 1) + (*bin >> 6)] >> (*bin & 63) & 1;
      }
      next = is_right ? split->next_right : split->next_left;
    }
    scores[row * width] += (double)values[-1 - next];
  }
}
