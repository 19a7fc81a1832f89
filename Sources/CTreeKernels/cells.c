#include "CTreeKernels.h"
#include "dispatch.h"

#include <string.h>

/* Whole histograms' cells at once: running sums, sums of two, and cells moved on as predictions are. */

typedef struct {
  int64_t first, second;
} pair;

/* Cells looked at together. */
#define LANES 8
typedef int64_t words __attribute__((vector_size(8 * LANES)));
typedef double numbers __attribute__((vector_size(8 * LANES)));

/* (Functions that take vectors are part of their callers.) */
#pragma clang diagnostic ignored "-Wpsabi"

/* The sums of the first lanes, of the first two and so on. */
INLINE words running(words lanes) {
  const words zero = {0};
  lanes += __builtin_shufflevector(zero, lanes, 0, 8, 9, 10, 11, 12, 13, 14);
  lanes += __builtin_shufflevector(zero, lanes, 0, 0, 8, 9, 10, 11, 12, 13);
  lanes += __builtin_shufflevector(zero, lanes, 0, 0, 0, 0, 8, 9, 10, 11);
  return lanes;
}

INLINE words last(words lanes) { return __builtin_shufflevector(lanes, lanes, 7, 7, 7, 7, 7, 7, 7, 7); }

INLINE void store(double *first, words lanes) {
  const numbers values = __builtin_convertvector(lanes, numbers);
  memcpy(first, &values, sizeof values);
}

INLINE int64_t signed_part(int64_t word, int64_t shift) {
  return (int64_t)((uint64_t)word << (64 - shift)) >> (64 - shift);
}

INLINE void packed_sums(const int64_t *cells, size_t count, int64_t shift, double *restrict gradients,
                        double *restrict counts) {
  words sums = {0};
  size_t index = 0;
  for (; index + LANES <= count; index += LANES) {
    words lanes;
    memcpy(&lanes, cells + index, sizeof lanes);
    lanes = running(lanes) + sums;
    sums = last(lanes);
    const words gradient = lanes << (64 - shift) >> (64 - shift);
    store(gradients + index, gradient);
    store(counts + index, (lanes - gradient) >> shift);
  }
  int64_t sum = sums[0];
  for (; index < count; ++index) {
    sum += cells[index];
    const int64_t gradient = signed_part(sum, shift);
    gradients[index] = (double)gradient;
    counts[index] = (double)((sum - gradient) >> shift);
  }
}

INLINE void paired_sums(const pair *cells, size_t count, int64_t shift, double *restrict gradients,
                        double *restrict hessians, double *restrict counts) {
  const int64_t below = ((int64_t)1 << shift) - 1;
  words first_sums = {0}, second_sums = {0};
  size_t index = 0;
  for (; index + LANES <= count; index += LANES) {
    words lower, upper;
    memcpy(&lower, cells + index, sizeof lower);
    memcpy(&upper, cells + index + LANES / 2, sizeof upper);
    const words firsts = running(__builtin_shufflevector(lower, upper, 0, 2, 4, 6, 8, 10, 12, 14)) + first_sums;
    const words seconds = running(__builtin_shufflevector(lower, upper, 1, 3, 5, 7, 9, 11, 13, 15)) + second_sums;
    first_sums = last(firsts);
    second_sums = last(seconds);
    store(gradients + index, firsts);
    store(hessians + index, seconds & below);
    store(counts + index, seconds >> shift);
  }
  int64_t first = first_sums[0], second = second_sums[0];
  for (; index < count; ++index) {
    gradients[index] = (double)(first += cells[index].first);
    second += cells[index].second;
    hessians[index] = (double)(second & below);
    counts[index] = (double)(second >> shift);
  }
}

INLINE void subtract(int64_t *restrict rest, const int64_t *restrict words, size_t count) {
  for (size_t index = 0; index < count; ++index) rest[index] -= words[index];
}

INLINE void add(int64_t *restrict words, const int64_t *restrict more, size_t count) {
  for (size_t index = 0; index < count; ++index) words[index] += more[index];
}

INLINE void advance_packed(int64_t *restrict cells, const int64_t *restrict leaf, size_t count, int64_t shift,
                           int64_t step) {
  for (size_t index = 0; index < count; ++index) {
    const int64_t gradient = signed_part(leaf[index], shift);
    cells[index] -= ((leaf[index] - gradient) >> shift) * step;
  }
}

INLINE void advance_paired(pair *restrict cells, const pair *restrict leaf, size_t count, int64_t shift,
                           int64_t step) {
  const int64_t hessians = (int64_t)(((uint64_t)1 << shift) - 1);
  for (size_t index = 0; index < count; ++index) cells[index].first -= (leaf[index].second & hessians) * step;
}

/* Adds the sums of a block to cells of two words. */
INLINE void add_block(uint64_t *restrict block, size_t count, int64_t one, int64_t *restrict cells) {
  const int shift = __builtin_ctzll((uint64_t)one);
  const int hessian_bits = MTLK_NARROW_COUNT_SHIFT - MTLK_NARROW_HESSIAN_SHIFT;
  const uint64_t hessians = ((uint64_t)1 << hessian_bits) - 1;
  for (size_t index = 0; index < count; ++index) {
    const int64_t gradient = signed_part((int64_t)block[index], MTLK_NARROW_HESSIAN_SHIFT);
    const uint64_t rest = (block[index] - (uint64_t)gradient) >> MTLK_NARROW_HESSIAN_SHIFT;
    cells[2 * index] += gradient;
    cells[2 * index + 1] += (int64_t)(rest & hessians) + (int64_t)(rest >> hessian_bits << shift);
    block[index] = 0;
  }
}

DISPATCH(, void, packed_sums, (const int64_t *cells, size_t count, int64_t shift, double *gradients, double *counts),
         (cells, count, shift, gradients, counts))
DISPATCH(, void, paired_sums,
         (const void *cells, size_t count, int64_t shift, double *gradients, double *hessians, double *counts),
         ((const pair *)cells, count, shift, gradients, hessians, counts))
DISPATCH(, void, subtract, (int64_t *rest, const int64_t *words, size_t count), (rest, words, count))
DISPATCH(, void, add, (int64_t *words, const int64_t *more, size_t count), (words, more, count))
DISPATCH(, void, advance_packed, (int64_t *cells, const int64_t *leaf, size_t count, int64_t shift, int64_t step),
         (cells, leaf, count, shift, step))
DISPATCH(, void, advance_paired, (void *cells, const void *leaf, size_t count, int64_t shift, int64_t step),
         ((pair *)cells, (const pair *)leaf, count, shift, step))
DISPATCH(, void, add_block, (uint64_t *block, size_t count, int64_t one, int64_t *cells), (block, count, one, cells))
