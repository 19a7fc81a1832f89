/* Kernels on whole histograms: every version gives what loops over single cells give. */
#include "../../Sources/CTreeKernels/cells.c"

#include "versions.h"

enum { MOST = 300, SHIFT = 44 };

static int64_t gradient(void) { return (int64_t)bits() * (bits() % 1000) - ((int64_t)bits() << 9); }

static void check_sums(size_t count) {
  int64_t packed[MOST];
  pair paired[MOST];
  for (size_t index = 0; index < count; ++index) {
    packed[index] = gradient() + ((int64_t)(bits() % 90) << SHIFT);
    paired[index] = (pair){gradient(), bits() + ((int64_t)(bits() % 90) << SHIFT)};
  }
  for (int version = 0; version < version_count(); ++version) {
    double gradients[MOST], hessians[MOST], counts[MOST];
    VERSION(version, packed_sums)(packed, count, SHIFT, gradients, counts);
    int64_t sum = 0, first = 0, second = 0;
    for (size_t index = 0; index < count; ++index) {
      sum += packed[index];
      int64_t lower = sum & (((int64_t)1 << SHIFT) - 1);
      if (lower >> (SHIFT - 1)) lower -= (int64_t)1 << SHIFT;
      CHECK(gradients[index] == (double)lower && counts[index] == (double)((sum - lower) >> SHIFT),
            "packed_sums, version %d, cell %zu", version, index);
    }
    VERSION(version, paired_sums)(paired, count, SHIFT, gradients, hessians, counts);
    for (size_t index = 0; index < count; ++index) {
      first += paired[index].first;
      second += paired[index].second;
      CHECK(gradients[index] == (double)first && counts[index] == (double)(second >> SHIFT) &&
                hessians[index] == (double)(second & (((int64_t)1 << SHIFT) - 1)),
            "paired_sums, version %d, cell %zu", version, index);
    }
  }
}

static void check_words(size_t count) {
  for (int version = 0; version < version_count(); ++version) {
    int64_t words[MOST], more[MOST], sums[MOST], rests[MOST], packed[MOST], leaf[MOST];
    const int64_t step = (int64_t)(bits() % 2001) - 1000;
    for (size_t index = 0; index < count; ++index) {
      words[index] = sums[index] = rests[index] = packed[index] = gradient();
      more[index] = gradient();
      leaf[index] = (int64_t)bits() - 2000000000 + ((int64_t)(bits() % 90) << SHIFT);
    }
    VERSION(version, add)(sums, more, count);
    VERSION(version, subtract)(rests, more, count);
    VERSION(version, advance_packed)(packed, leaf, count, SHIFT, step);
    for (size_t index = 0; index < count; ++index) {
      CHECK(sums[index] == words[index] + more[index] && rests[index] == words[index] - more[index],
            "add and subtract, version %d, word %zu", version, index);
      int64_t rows = leaf[index] >> SHIFT;
      if (leaf[index] & ((int64_t)1 << (SHIFT - 1))) rows += 1;
      CHECK(packed[index] == words[index] - rows * step, "advance_packed, version %d, cell %zu", version, index);
    }
    pair cells[MOST], leaves[MOST];
    for (size_t index = 0; index < count; ++index) {
      cells[index] = (pair){words[index], more[index]};
      leaves[index] = (pair){gradient(), bits() + ((int64_t)(bits() % 90) << SHIFT)};
    }
    VERSION(version, advance_paired)(cells, leaves, count, SHIFT, step);
    for (size_t index = 0; index < count; ++index) {
      const int64_t hessian = leaves[index].second & (((int64_t)1 << SHIFT) - 1);
      CHECK(cells[index].first == words[index] - hessian * step && cells[index].second == more[index],
            "advance_paired, version %d, cell %zu", version, index);
    }
  }
}

/* Words of a block hold what a block can hold at most, and are told apart again. */
static void check_block(size_t count) {
  for (int version = 0; version < version_count(); ++version) {
    uint64_t block[MOST];
    int64_t cells[2 * MOST], wanted[2 * MOST];
    for (size_t index = 0; index < count; ++index) {
      const int64_t rows = index % 3 ? bits() % (MTLK_NARROW_BLOCK + 1) : MTLK_NARROW_BLOCK;
      const int64_t largest = index % 2 ? MTLK_NARROW_GRADIENT : -MTLK_NARROW_GRADIENT;
      const int64_t gradients = rows * (index % 5 ? largest : (int64_t)(bits() % 100) - 50);
      const int64_t hessians = rows * (index % 7 ? MTLK_NARROW_HESSIAN : bits() % 10);
      block[index] = (uint64_t)gradients + ((uint64_t)hessians << MTLK_NARROW_HESSIAN_SHIFT) +
                     ((uint64_t)rows << MTLK_NARROW_COUNT_SHIFT);
      cells[2 * index] = gradient();
      cells[2 * index + 1] = bits();
      wanted[2 * index] = cells[2 * index] + gradients;
      wanted[2 * index + 1] = cells[2 * index + 1] + hessians + (rows << SHIFT);
    }
    VERSION(version, add_block)(block, count, (int64_t)1 << SHIFT, cells);
    for (size_t index = 0; index < count; ++index) {
      CHECK(cells[2 * index] == wanted[2 * index] && cells[2 * index + 1] == wanted[2 * index + 1] && block[index] == 0,
            "add_block, version %d, cell %zu", version, index);
    }
  }
}

int main(void) {
  for (size_t count = 0; count < MOST; ++count) {
    check_sums(count);
    check_words(count);
    check_block(count);
  }
  return finished("cells");
}
