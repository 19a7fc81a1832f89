/* The best split: every version of the kernel finds what a plain loop over all splits finds, ties and all. */
#include "../../Sources/CTreeKernels/search.c"

#include "versions.h"

enum { MOST = 300 };

typedef struct {
  double gradients[MOST], hessians[MOST], counts[MOST];
  size_t count;
  double more_gradient, more_hessian, more_count;
  mtlk_leaf leaf;
} problem;

static double size_of(double gradient, double l1) {
  const double size = fabs(gradient) - l1;
  return size > 0 ? size : 0;
}

static ptrdiff_t expected(const problem *p, double *gain) {
  ptrdiff_t found = -1;
  double best = p->leaf.least_gain;
  for (size_t index = 0; index < p->count; ++index) {
    const double gradient = p->gradients[index] + p->more_gradient, rest = p->leaf.gradient - gradient;
    const double hessian = p->hessians[index] + p->more_hessian, other = p->leaf.hessian - hessian;
    const double count = p->counts[index] + p->more_count;
    if (count < p->leaf.least_count || p->leaf.count - count < p->leaf.least_count) continue;
    if (hessian < p->leaf.least_hessian || other < p->leaf.least_hessian) continue;
    const double left = size_of(gradient, p->leaf.l1), right = size_of(rest, p->leaf.l1);
    const double sum = (left * left * (other + p->leaf.l2) + right * right * (hessian + p->leaf.l2)) /
                       ((hessian + p->leaf.l2) * (other + p->leaf.l2));
    const double difference = sum - p->leaf.score;
    if (difference > best && difference > sum * 1e-12) {
      best = difference;
      found = (ptrdiff_t)index;
    }
  }
  if (found >= 0) *gain = best;
  return found;
}

static problem made(void) {
  problem p = {.count = bits() % MOST};
  double gradient = 0, hessian = 0, count = 0;
  const double slope = uniform(-5, 5);
  for (size_t index = 0; index < p.count; ++index) {
    /* One bin in four is empty: its split is as good as the one before. */
    if (bits() % 4 > 0) {
      const double rows = 1 + bits() % 40;
      gradient += rows * (uniform(-20, 20) + (index < p.count / 3 ? slope : 0));
      hessian += rows * uniform(0, 2);
      count += rows;
    }
    p.gradients[index] = gradient;
    p.hessians[index] = hessian;
    p.counts[index] = count;
  }
  if (bits() % 2) {
    p.more_gradient = uniform(-100, 100);
    p.more_hessian = uniform(0, 30);
    p.more_count = bits() % 30;
  }
  p.leaf.gradient = gradient + p.more_gradient + uniform(-200, 200);
  p.leaf.hessian = hessian + p.more_hessian + uniform(0, 40);
  p.leaf.count = count + p.more_count + bits() % 40;
  p.leaf.l1 = bits() % 3 ? 0 : uniform(0, 300);
  p.leaf.l2 = bits() % 3 ? uniform(0, 10) : 0;
  p.leaf.least_count = bits() % 50;
  p.leaf.least_hessian = bits() % 2 ? 0 : uniform(0, 20);
  const double size = size_of(p.leaf.gradient, p.leaf.l1), whole = p.leaf.hessian + p.leaf.l2;
  p.leaf.score = whole > 0 ? size * size / whole : 0;
  return p;
}

int main(void) {
  int found = 0;
  for (int round = 0; round < 20000; ++round) {
    problem p = made();
    double gain = 0;
    const ptrdiff_t best = expected(&p, &gain);
    found += best >= 0;
    /* Then with the gain itself to beat, and with a little less. */
    const double bars[] = {0, gain, nextafter(gain, 0), 0.5 * gain};
    for (int bar = 0; bar < 4; ++bar) {
      p.leaf.least_gain = bars[bar];
      double wanted = 0;
      const ptrdiff_t split = expected(&p, &wanted);
      for (int version = 0; version < version_count(); ++version) {
        double reached = 0;
        const ptrdiff_t index = VERSION(version, best_split)(p.gradients, p.hessians, p.counts, p.count,
                                                              p.more_gradient, p.more_hessian, p.more_count, &p.leaf,
                                                              &reached);
        CHECK(index == split && reached == wanted, "version %d, round %d: split %td of gain %g, not %td of %g", version,
              round, index, reached, split, wanted);
      }
    }
  }
  CHECK(found > 10000, "only %d rounds have a split", found);
  return finished("best_split");
}
