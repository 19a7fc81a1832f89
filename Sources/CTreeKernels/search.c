#include "CTreeKernels.h"
#include "dispatch.h"

#include <math.h>
#include <string.h>

/* Fused multiplications would make results depend on the processor. */
#pragma STDC FP_CONTRACT OFF

/* Gains below this share of the scores they are differences of are rounding errors. */
#define RELATIVE_PRECISION 1e-12

/* Splits looked at together. (Of short loops over so many compilers make no vectors, as they unroll them before.) */
#define LANES 8
typedef double numbers __attribute__((vector_size(8 * LANES)));
typedef int64_t masks __attribute__((vector_size(8 * LANES)));

/* Splits whose scores add up to less than this share of what they must exceed are passed over before any division;
   rounding errors are far smaller. */
#define NEARLY (1 - 1e-12)

/* (Functions that take vectors are part of their callers.) */
#pragma clang diagnostic ignored "-Wpsabi"

INLINE numbers loaded(const double *first) {
  numbers value;
  memcpy(&value, first, sizeof value);
  return value;
}

/* The first `count` of LANES numbers, and behind them the last argument. */
INLINE numbers loaded_few(const double *first, size_t count, double rest) {
  double value[LANES];
  for (size_t lane = 0; lane < LANES; ++lane) value[lane] = lane < count ? first[lane] : rest;
  return loaded(value);
}

INLINE numbers chosen(masks mask, numbers value) { return (numbers)(mask & (masks)value); }

INLINE numbers thresholded(numbers gradients, double l1) {
  const numbers sizes = (numbers)((masks)gradients & INT64_MAX) - l1;
  return chosen(sizes > 0, sizes);
}

INLINE int any(masks mask) { return __builtin_reduce_or(mask) != 0; }

#define PARAMETERS                                                                                               \
  const double *gradients, const double *hessians, const double *counts, size_t count, double more_gradient,    \
      double more_hessian, double more_count, const mtlk_leaf *leaf, double *gain

INLINE ptrdiff_t best_split(PARAMETERS) {
  const mtlk_leaf all = *leaf;
  double best = all.least_gain;
  ptrdiff_t found = -1;
  for (size_t first = 0; first < count; first += LANES) {
    const int is_whole = count - first >= LANES;
    const size_t size = count - first;
    const numbers gradient_left =
        (is_whole ? loaded(gradients + first) : loaded_few(gradients + first, size, 0)) + more_gradient;
    const numbers hessian_left =
        (is_whole ? loaded(hessians + first) : loaded_few(hessians + first, size, 0)) + more_hessian;
    const numbers count_left =
        (is_whole ? loaded(counts + first) : loaded_few(counts + first, size, -INFINITY)) + more_count;
    const numbers gradient_right = all.gradient - gradient_left, hessian_right = all.hessian - hessian_left;
    const masks admitted = (count_left >= all.least_count) & (all.count - count_left >= all.least_count) &
                           (hessian_left >= all.least_hessian) & (hessian_right >= all.least_hessian);
    const numbers size_left = thresholded(gradient_left, all.l1), size_right = thresholded(gradient_right, all.l1);
    const numbers left = hessian_left + all.l2, right = hessian_right + all.l2;
    /* The sum of both scores by one division. */
    const numbers numerator = size_left * size_left * right + size_right * size_right * left;
    const numbers denominator = left * right;
    if (!any(admitted & ~(numerator < (all.score + best) * NEARLY * denominator))) continue;
    const numbers sum = numerator / denominator;
    const numbers difference = sum - all.score;
    const masks is_better = admitted & (difference > best) & (difference > sum * RELATIVE_PRECISION);
    if (!any(is_better)) continue;
    const numbers gains = chosen(is_better, difference);
    for (size_t lane = 0; lane < LANES; ++lane) {
      if (gains[lane] > best) {
        best = gains[lane];
        found = (ptrdiff_t)(first + lane);
      }
    }
  }
  if (found >= 0) *gain = best;
  return found;
}

DISPATCH(return, ptrdiff_t, best_split, (PARAMETERS),
         (gradients, hessians, counts, count, more_gradient, more_hessian, more_count, leaf, gain))
