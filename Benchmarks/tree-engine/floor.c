/* What one core can do at best: the time of an update of a histogram (read, add, write), of cells of one word and of
   two, and the bytes it reads a second. `compare.py --work floor` compiles and runs it.

       cc -O2 floor.c -o floor && ./floor

   Rows of 20 random bins lie one after another, so that nothing is waited for; the histograms of 16 columns of 128 bins
   fit into the first cache, with cells of two words those of 8. Prints the best of several passes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int64_t pair __attribute__((vector_size(16)));

enum { ROWS = 400000, WIDTH = 20, STRIDE = 136, BINS = 128, PASSES = 25 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#define DEFINE_PASS(NAME, CELL, COLUMNS, VALUE)                                                \
  static double NAME(const uint8_t *restrict bins, const int32_t *gradients, CELL *restrict cells) { \
    double best = 1e9;                                                                         \
    for (int pass = 0; pass < PASSES; ++pass) {                                                \
      memset(cells, 0, sizeof(CELL) * COLUMNS * STRIDE);                                       \
      const double start = now();                                                              \
      for (size_t row = 0; row < ROWS; ++row) {                                                \
        const CELL value = VALUE;                                                              \
        _Pragma("GCC unroll 16") for (size_t column = 0; column < COLUMNS; ++column)           \
          cells[column * STRIDE + bins[row * WIDTH + column]] += value;                        \
      }                                                                                        \
      const double took = now() - start;                                                       \
      if (took < best) best = took;                                                            \
    }                                                                                          \
    return 1e9 * best / ((double)ROWS * COLUMNS);                                              \
  }

DEFINE_PASS(packed, int64_t, 16, gradients[row] + ((int64_t)1 << 40))
DEFINE_PASS(paired, pair, 8, ((pair){gradients[row], gradients[row] & 0xFFFF}))

static double bandwidth(void) {
  const size_t count = (size_t)32 << 20;
  uint64_t *words = malloc(count * sizeof *words);
  if (!words) return 0;
  for (size_t index = 0; index < count; ++index) words[index] = index;
  double best = 1e9;
  uint64_t sum = 0;
  for (int pass = 0; pass < 5; ++pass) {
    const double start = now();
    for (size_t index = 0; index < count; ++index) sum += words[index];
    const double took = now() - start;
    if (took < best) best = took;
  }
  free(words);
  /* (That the sum is used keeps the loop.) */
  return (double)(count * sizeof *words) / best * 1e-9 + (sum == 1 ? 1e-9 : 0);
}

int main(void) {
  uint8_t *bins = malloc(ROWS * WIDTH);
  int32_t *gradients = malloc(ROWS * sizeof *gradients);
  void *cells = aligned_alloc(64, sizeof(pair) * 16 * STRIDE);
  if (!bins || !gradients || !cells) return 1;
  for (size_t index = 0; index < (size_t)ROWS * WIDTH; ++index) bins[index] = (uint8_t)(rand() % BINS);
  for (size_t index = 0; index < ROWS; ++index) gradients[index] = rand() % 2000000 - 1000000;
  printf("{\"packed\": %.4f, \"paired\": %.4f, \"bandwidth\": %.2f}\n", packed(bins, gradients, cells),
         paired(bins, gradients, cells), bandwidth());
  return 0;
}
