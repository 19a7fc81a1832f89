#include "CTreeKernels.h"
#include "dispatch.h"
#include "exponential.h"

#include <string.h>

/* Fused multiplications would make results depend on the processor. */
#pragma STDC FP_CONTRACT OFF

INLINE int32_t rounded(double value) {
  const double rounder = ROUNDER;
  double sum = value + rounder;
  int64_t bits, zero;
  memcpy(&bits, &sum, sizeof bits);
  memcpy(&zero, &rounder, sizeof zero);
  return (int32_t)(bits - zero);
}

INLINE void pairs_of_rows(double *restrict scores, const double *restrict signed_weights,
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

/* What follows is in single precision: an error of 10^-7 is a three-hundredth of the grid of narrow rows. */

#define NARROW_ROUNDER 0x1.8p23f

/* For numbers below 2^22. */
INLINE int32_t narrow_rounded(float value) {
  const float rounder = NARROW_ROUNDER;
  float sum = value + rounder;
  int32_t bits, zero;
  memcpy(&bits, &sum, sizeof bits);
  memcpy(&zero, &rounder, sizeof zero);
  return bits - zero;
}

/* e^x as above, with a relative error of some 10^-7. */
INLINE float narrow_exponential(float x) {
  x = x < 80 ? x : 80;
  x = x > -80 ? x : -80;
  const float shifted = x * 0x1.715476p0f + NARROW_ROUNDER;
  const float k = shifted - NARROW_ROUNDER;
  const float r = (x - k * 0x1.62ep-1f) - k * 0x1.0bfbe8p-15f;
  float sum = 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1;
  sum = sum * r + 1;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

/* Rows in turn are spread evenly over -1/2 to 1/2. */
INLINE float spread(size_t row) { return (float)(int32_t)((uint32_t)row * UINT32_C(2654435769)) * 0x1p-32f; }

/* (Without a least Hessian leaves would be sought whose Hessians happen to be rounded to nothing.) */
INLINE uint32_t narrow_word(float gradient, float hessian, size_t row) {
  const float shift = spread(row);
  hessian = hessian > 1 ? hessian : 1;
  return ((uint32_t)narrow_rounded(gradient + shift) & 0xffff) | (uint32_t)narrow_rounded(hessian + shift) << 16;
}

INLINE void narrow_rows(double *restrict scores, const double *restrict signed_weights,
                        const uint8_t *restrict leaves, const double *restrict steps, size_t first, size_t count,
                        double gradient_scale, double hessian_scale, size_t number, uint32_t *restrict narrow) {
  const float to_gradient = (float)gradient_scale, to_hessian = (float)hessian_scale;
  _Pragma("clang loop vectorize_width(16)") for (size_t row = first; row < first + count; ++row) {
    double score = scores[row];
    if (leaves) scores[row] = score += steps[leaves[row]];
    const float share = 1 / (1 + narrow_exponential(-(float)score));
    const float signed_weight = (float)signed_weights[row];
    const float weight = signed_weight < 0 ? -signed_weight : signed_weight;
    const float target = signed_weight > 0 ? 1 : 0;
    narrow[row] = narrow_word(weight * (target - share) * to_gradient, weight * share * (1 - share) * to_hessian,
                              row + number);
  }
}

#define PARAMETERS                                                                                              \
  double *scores, const double *signed_weights, const uint8_t *leaves, const double *steps, size_t first,       \
      size_t count, double gradient_scale, double hessian_scale
#define SCORES(LEAVES, STEPS) scores, signed_weights, LEAVES, STEPS, first, count, gradient_scale, hessian_scale

INLINE void logistic_gradients(PARAMETERS, int32_t *pairs) {
  if (leaves) {
    pairs_of_rows(SCORES(leaves, steps), pairs);
  } else {
    pairs_of_rows(SCORES(NULL, NULL), pairs);
  }
}

INLINE void logistic_narrow(PARAMETERS, size_t number, uint32_t *narrow) {
  if (leaves) {
    narrow_rows(SCORES(leaves, steps), number, narrow);
  } else {
    narrow_rows(SCORES(NULL, NULL), number, narrow);
  }
}

DISPATCH(, void, logistic_gradients, (PARAMETERS, int32_t *pairs), (SCORES(leaves, steps), pairs))
DISPATCH(, void, logistic_narrow, (PARAMETERS, size_t number, uint32_t *narrow),
         (SCORES(leaves, steps), number, narrow))

uint32_t mtlk_narrow(double gradient, double hessian, size_t row) {
  return narrow_word((float)gradient, (float)hessian, row);
}
