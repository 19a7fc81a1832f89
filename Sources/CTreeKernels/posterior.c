#include "CTreeKernels.h"
#include "dispatch.h"
#include "exponential.h"

/* Fused multiplications would make results depend on the processor. */
#pragma STDC FP_CONTRACT OFF

enum { LANES = 8 };

INLINE double split_exponents(const int64_t *restrict gradients, const int64_t *restrict hessians, size_t count,
                              const mtlk_posterior *node, double factor, double *restrict exponents,
                              double *restrict divisors) {
  const int64_t gradient = node->gradient, hessian = node->hessian;
  const double gradient_unit = node->gradient_unit, hessian_unit = node->hessian_unit;
  for (size_t place = 0; place < count; ++place) {
    const double low = 1 + hessian_unit * (double)hessians[place];
    const double high = 1 + hessian_unit * (double)(hessian - hessians[place]);
    const double below = gradient_unit * (double)gradients[place];
    const double above = gradient_unit * (double)(gradient - gradients[place]);
    const double product = low * high;
    exponents[place] = (below * below * high + above * above * low) / product;
    divisors[place] = product * factor;
  }
  double largest[LANES] = {0};
  size_t place = 0;
  for (; place + LANES <= count; place += LANES) {
    for (size_t lane = 0; lane < LANES; ++lane) {
      const double exponent = exponents[place + lane];
      largest[lane] = exponent > largest[lane] ? exponent : largest[lane];
    }
  }
  for (; place < count; ++place) largest[0] = exponents[place] > largest[0] ? exponents[place] : largest[0];
  for (size_t lane = 1; lane < LANES; ++lane) largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
  return largest[0];
}

DISPATCH(return, double, split_exponents,
         (const int64_t *restrict gradients, const int64_t *restrict hessians, size_t count,
          const mtlk_posterior *node, double factor, double *restrict exponents, double *restrict divisors),
         (gradients, hessians, count, node, factor, exponents, divisors))

/* Whatever is smaller than the largest by e^40 counts as 0. */
#define LEAST -40.0

INLINE double block_weights(const double *restrict exponents, double *restrict weights, size_t count, double largest) {
  for (size_t place = 0; place < count; ++place) {
    const double exponent = exponents[place] - largest;
    const double weight = exponential(exponent) / __builtin_elementwise_sqrt(weights[place]);
    weights[place] = exponent < LEAST ? 0 : weight;
  }
  double sums[LANES] = {0};
  size_t place = 0;
  for (; place + LANES <= count; place += LANES) {
    for (size_t lane = 0; lane < LANES; ++lane) sums[lane] += weights[place + lane];
  }
  for (size_t lane = 0; place < count; ++place, ++lane) sums[lane] += weights[place];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

INLINE void split_weights(const double *restrict exponents, double *restrict weights, size_t count, double largest,
                          double *restrict sums) {
  for (size_t first = 0; first < count; first += MTLK_WEIGHT_BLOCK) {
    const size_t rest = count - first;
    sums[first / MTLK_WEIGHT_BLOCK] =
        rest < MTLK_WEIGHT_BLOCK ? block_weights(exponents + first, weights + first, rest, largest)
                                 : block_weights(exponents + first, weights + first, MTLK_WEIGHT_BLOCK, largest);
  }
}

DISPATCH(, void, split_weights,
         (const double *restrict exponents, double *restrict weights, size_t count, double largest,
          double *restrict sums),
         (exponents, weights, count, largest, sums))
