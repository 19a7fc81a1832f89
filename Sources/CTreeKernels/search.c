#include "CTreeKernels.h"

#include <math.h>

/* Fused multiplications would make results depend on the processor. */
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

/* Gains below this share of the scores they are differences of are rounding errors. */
#define RELATIVE_PRECISION 1e-12

/* Sums that are made at once. */
#define CHUNK 256

typedef struct {
  int64_t first, second;
} pair;

INLINE void packed_sums(const int64_t *cells, size_t count, int64_t shift, double *restrict gradients,
                        double *restrict counts) {
  int64_t sum = 0;
  for (size_t first = 0; first < count; first += CHUNK) {
    const size_t size = count - first < CHUNK ? count - first : CHUNK;
    int64_t sums[CHUNK];
    for (size_t index = 0; index < size; ++index) sums[index] = sum += cells[first + index];
    for (size_t index = 0; index < size; ++index) {
      const int64_t gradient = (int64_t)((uint64_t)sums[index] << (64 - shift)) >> (64 - shift);
      gradients[first + index] = (double)gradient;
      counts[first + index] = (double)((sums[index] - gradient) >> shift);
    }
  }
}

INLINE void paired_sums(const pair *cells, size_t count, int64_t shift, double *restrict gradients,
                        double *restrict hessians, double *restrict counts) {
  int64_t gradient = 0, rest = 0;
  for (size_t first = 0; first < count; first += CHUNK) {
    const size_t size = count - first < CHUNK ? count - first : CHUNK;
    int64_t sums[CHUNK], rests[CHUNK];
    for (size_t index = 0; index < size; ++index) {
      sums[index] = gradient += cells[first + index].first;
      rests[index] = rest += cells[first + index].second;
    }
    for (size_t index = 0; index < size; ++index) {
      gradients[first + index] = (double)sums[index];
      hessians[first + index] = (double)(rests[index] & (((int64_t)1 << shift) - 1));
      counts[first + index] = (double)(rests[index] >> shift);
    }
  }
}

#define DEFINE_SUMS(SUFFIX)                                                                                        \
  static void packed_sums_##SUFFIX(const int64_t *cells, size_t count, int64_t shift, double *gradients,          \
                                   double *counts) {                                                              \
    packed_sums(cells, count, shift, gradients, counts);                                                          \
  }

#define DEFINE_PAIRED_SUMS(SUFFIX)                                                                                 \
  static void paired_sums_##SUFFIX(const pair *cells, size_t count, int64_t shift, double *gradients,             \
                                   double *hessians, double *counts) {                                            \
    paired_sums(cells, count, shift, gradients, hessians, counts);                                                \
  }

DEFINE_SUMS(plain)
DEFINE_PAIRED_SUMS(plain)
#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vl,avx512dq"))) DEFINE_SUMS(avx512)
__attribute__((target("avx512f,avx512vl,avx512dq"))) DEFINE_PAIRED_SUMS(avx512)
#endif

void mtlk_packed_sums(const int64_t *cells, size_t count, int64_t shift, double *gradients, double *counts) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    packed_sums_avx512(cells, count, shift, gradients, counts);
    return;
  }
#endif
  packed_sums_plain(cells, count, shift, gradients, counts);
}

void mtlk_paired_sums(const void *cells, size_t count, int64_t shift, double *gradients, double *hessians,
                      double *counts) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    paired_sums_avx512((const pair *)cells, count, shift, gradients, hessians, counts);
    return;
  }
#endif
  paired_sums_plain((const pair *)cells, count, shift, gradients, hessians, counts);
}

INLINE double thresholded(double gradient, double l1) {
  const double size = (gradient < 0 ? -gradient : gradient) - l1;
  return size > 0 ? size : 0;
}

INLINE void fill_gains(const double *gradients, const double *hessians, const double *counts, size_t count,
                       double more_gradient, double more_hessian, double more_count, const mtlk_leaf *leaf,
                       double *restrict gains) {
  const mtlk_leaf all = *leaf;
  for (size_t index = 0; index < count; ++index) {
    const double gradient_left = gradients[index] + more_gradient, gradient_right = all.gradient - gradient_left;
    const double hessian_left = hessians[index] + more_hessian, hessian_right = all.hessian - hessian_left;
    const double count_left = counts[index] + more_count, count_right = all.count - count_left;
    const double size_left = thresholded(gradient_left, all.l1), size_right = thresholded(gradient_right, all.l1);
    const double left = hessian_left + all.l2, right = hessian_right + all.l2;
    /* One division for both scores. */
    const double sum = (size_left * size_left * right + size_right * size_right * left) / (left * right);
    const double gain = sum - all.score;
    const int is_admitted = (count_left >= all.least_count) & (count_right >= all.least_count) &
                            (hessian_left >= all.least_hessian) & (hessian_right >= all.least_hessian) &
                            (gain > all.least_gain) & (gain > sum * RELATIVE_PRECISION);
    gains[index] = is_admitted ? gain : 0;
  }
}

#define DEFINE_FILL_GAINS(NAME)                                                                                   \
  static void NAME(const double *gradients, const double *hessians, const double *counts, size_t count,           \
                   double more_gradient, double more_hessian, double more_count, const mtlk_leaf *leaf,           \
                   double *gains) {                                                                               \
    fill_gains(gradients, hessians, counts, count, more_gradient, more_hessian, more_count, leaf, gains);         \
  }

DEFINE_FILL_GAINS(fill_gains_plain)
#if defined(__x86_64__)
__attribute__((target("avx2"))) DEFINE_FILL_GAINS(fill_gains_avx2)
__attribute__((target("avx512f,avx512vl,avx512dq"))) DEFINE_FILL_GAINS(fill_gains_avx512)
#endif

INLINE void chunk_gains(const double *gradients, const double *hessians, const double *counts, size_t count,
                        double more_gradient, double more_hessian, double more_count, const mtlk_leaf *leaf,
                        double *gains) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    fill_gains_avx512(gradients, hessians, counts, count, more_gradient, more_hessian, more_count, leaf, gains);
    return;
  }
  if (__builtin_cpu_supports("avx2")) {
    fill_gains_avx2(gradients, hessians, counts, count, more_gradient, more_hessian, more_count, leaf, gains);
    return;
  }
#endif
  fill_gains_plain(gradients, hessians, counts, count, more_gradient, more_hessian, more_count, leaf, gains);
}

INLINE double largest(const double *gains, size_t count) {
  double best[8] = {0};
  size_t index = 0;
  for (; index + 8 <= count; index += 8) {
    for (size_t lane = 0; lane < 8; ++lane) {
      best[lane] = gains[index + lane] > best[lane] ? gains[index + lane] : best[lane];
    }
  }
  for (; index < count; ++index) best[0] = gains[index] > best[0] ? gains[index] : best[0];
  for (size_t lane = 1; lane < 8; ++lane) best[0] = best[lane] > best[0] ? best[lane] : best[0];
  return best[0];
}

ptrdiff_t mtlk_best_split(const double *gradients, const double *hessians, const double *counts, size_t count,
                          double more_gradient, double more_hessian, double more_count, const mtlk_leaf *leaf,
                          double *gain) {
  /* Gains of as many splits at once. */
  double gains[CHUNK];
  double best = 0;
  ptrdiff_t found = -1;
  for (size_t first = 0; first < count; first += CHUNK) {
    const size_t size = count - first < CHUNK ? count - first : CHUNK;
    chunk_gains(gradients + first, hessians + first, counts + first, size, more_gradient, more_hessian, more_count,
                leaf, gains);
    const double most = largest(gains, size);
    if (!(most > best)) continue;
    best = most;
    size_t index = 0;
    while (index < size && gains[index] != most) ++index;
    found = (ptrdiff_t)(first + index);
  }
  if (found >= 0) *gain = best;
  return found;
}
