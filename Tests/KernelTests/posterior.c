/* The weights of splits of Bayesian trees: every version of the kernels gives the numbers of a plain loop, and those are what the
   library's exponential says. */
#include "../../Sources/CTreeKernels/posterior.c"

#include <math.h>

#include "versions.h"

#pragma STDC FP_CONTRACT OFF

enum { MOST = 300, BLOCKS = (MOST + MTLK_WEIGHT_BLOCK - 1) / MTLK_WEIGHT_BLOCK };

static int64_t sum(int shift) { return ((int64_t)bits() << 20 | bits() % 1000000) >> shift; }

int main(void) {
  for (int round = 0; round < 5000; ++round) {
    const size_t count = bits() % MOST;
    int64_t gradients[MOST], hessians[MOST];
    const int shift = (int)(bits() % 30);
    const mtlk_posterior node = {
        .gradient = sum(shift) - sum(shift), .hessian = sum(0), .gradient_unit = exp(uniform(-30, -15)),
        .hessian_unit = exp(uniform(-30, -10))};
    for (size_t place = 0; place < count; ++place) {
      gradients[place] = sum(shift) - sum(shift);
      hessians[place] = (int64_t)(uniform(0, 1) * (double)node.hessian);
    }
    const double factor = 1 + bits() % 10000;
    for (int version = 0; version < version_count(); ++version) {
      double exponents[MOST], weights[MOST], divisors[MOST], sums[BLOCKS];
      const double largest =
          VERSION(version, split_exponents)(gradients, hessians, count, &node, factor, exponents, weights);
      double wanted = 0;
      for (size_t place = 0; place < count; ++place) {
        const double low = 1 + node.hessian_unit * (double)hessians[place];
        const double high = 1 + node.hessian_unit * (double)(node.hessian - hessians[place]);
        const double below = node.gradient_unit * (double)gradients[place];
        const double above = node.gradient_unit * (double)(node.gradient - gradients[place]);
        const double exponent = (below * below * high + above * above * low) / (low * high);
        CHECK(exponents[place] == exponent && weights[place] == low * high * factor,
              "split_exponents, version %d, place %zu: %g", version, place, exponents[place] - exponent);
        divisors[place] = weights[place];
        wanted = fmax(wanted, exponent);
      }
      CHECK(largest == wanted, "largest, version %d: %g, not %g", version, largest, wanted);
      VERSION(version, split_weights)(exponents, weights, count, largest, sums);
      double first[MOST], first_sums[BLOCKS];
      for (size_t place = 0; place < count; ++place) first[place] = divisors[place];
      VERSION(0, split_weights)(exponents, first, count, largest, first_sums);
      for (size_t block = 0; block * MTLK_WEIGHT_BLOCK < count; ++block) {
        double total = 0;
        for (size_t place = block * MTLK_WEIGHT_BLOCK; place < count && place < (block + 1) * MTLK_WEIGHT_BLOCK; ++place) {
          const double apart = exponents[place] - largest;
          const double weight = apart < -40 ? 0 : exp(apart) / sqrt(divisors[place]);
          CHECK(fabs(weights[place] - weight) <= 1e-10 * weight, "split_weights, version %d, place %zu: %g, not %g",
                version, place, weights[place], weight);
          CHECK(weights[place] == first[place], "split_weights, version %d, place %zu differs", version, place);
          total += weights[place];
        }
        CHECK(fabs(sums[block] - total) <= 1e-12 * total, "sum of block %zu, version %d: %g, not %g", block, version,
              sums[block], total);
        CHECK(sums[block] == first_sums[block], "sum of block %zu, version %d differs", block, version);
      }
    }
  }
  return finished("posterior");
}
