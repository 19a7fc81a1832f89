#include "CTreeKernels.h"

#include <string.h>

/* Fused multiplications would make results depend on the processor. */
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

/* Added to a number below 2^51 it leaves the nearest integer in the low bits. */
#define ROUNDER 0x1.8p52

INLINE int32_t rounded(double value) {
  const double rounder = ROUNDER;
  double sum = value + rounder;
  int64_t bits, zero;
  memcpy(&bits, &sum, sizeof bits);
  memcpy(&zero, &rounder, sizeof zero);
  return (int32_t)(bits - zero);
}

/* e^x for |x| up to 700 with a relative error below 10^-11, a fiftieth of the finest grid that gradients are on:
   e^x = 2^k e^r with |r| at most ln 2 / 2, and the series of e^r. Without branches, so that the compiler makes vectors
   of it. */
INLINE double exponential(double x) {
  x = x < 700 ? x : 700;
  x = x > -700 ? x : -700;
  const double shifted = x * 0x1.71547652b82fep0 + ROUNDER;
  const double k = shifted - ROUNDER;
  const double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
  double sum = 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

INLINE void gradients(double *restrict scores, const double *restrict signed_weights,
                      const uint8_t *restrict leaves, const double *restrict steps, size_t first, size_t count,
                      double gradient_scale, double hessian_scale, int32_t *restrict pairs) {
  for (size_t row = first; row < first + count; ++row) {
    double score = scores[row];
    if (leaves) scores[row] = score += steps[leaves[row]];
    const double share = 1 / (1 + exponential(-score));
    const double signed_weight = signed_weights[row];
    const double weight = signed_weight < 0 ? -signed_weight : signed_weight;
    const double target = signed_weight > 0 ? 1 : 0;
    pairs[2 * row] = rounded(weight * (target - share) * gradient_scale);
    pairs[2 * row + 1] = rounded(weight * share * (1 - share) * hessian_scale);
  }
}

#define DEFINE_GRADIENTS(NAME)                                                                                     \
  static void NAME(double *scores, const double *signed_weights, const uint8_t *leaves, const double *steps,       \
                   size_t first, size_t count, double gradient_scale, double hessian_scale, int32_t *pairs) {      \
    if (leaves) {                                                                                                  \
      gradients(scores, signed_weights, leaves, steps, first, count, gradient_scale, hessian_scale, pairs);        \
    } else {                                                                                                       \
      gradients(scores, signed_weights, NULL, NULL, first, count, gradient_scale, hessian_scale, pairs);           \
    }                                                                                                              \
  }

DEFINE_GRADIENTS(gradients_plain)
#if defined(__x86_64__)
__attribute__((target("avx2"))) DEFINE_GRADIENTS(gradients_avx2)
__attribute__((target("avx512f,avx512vl,avx512dq"))) DEFINE_GRADIENTS(gradients_avx512)
#endif

void mtlk_logistic_gradients(double *scores, const double *signed_weights, const uint8_t *leaves,
                             const double *steps, size_t first, size_t count, double gradient_scale,
                             double hessian_scale, int32_t *pairs) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    gradients_avx512(scores, signed_weights, leaves, steps, first, count, gradient_scale, hessian_scale, pairs);
    return;
  }
  if (__builtin_cpu_supports("avx2")) {
    gradients_avx2(scores, signed_weights, leaves, steps, first, count, gradient_scale, hessian_scale, pairs);
    return;
  }
#endif
  gradients_plain(scores, signed_weights, leaves, steps, first, count, gradient_scale, hessian_scale, pairs);
}
