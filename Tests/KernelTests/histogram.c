/* Histograms of narrow rows, and of cells that count apart: rows near each other, far apart, in one stretch, few and many give the sums of
   their words. */
#include <string.h>

#include "CTreeKernels.h"
#include "versions.h"

enum { ROWS = 30000, BYTES = 7, WORDS = 2, CODES = 90, SIZE = BYTES + 2 * WORDS };
enum { CELLS = BYTES * MTLK_COLUMN_STRIDE + CODES };

/* The cell of a row's column. */
static size_t cell_of(const uint8_t *row, int column) {
  if (column < BYTES) return (size_t)column * MTLK_COLUMN_STRIDE + row[column];
  uint16_t code;
  memcpy(&code, row + BYTES + 2 * (column - BYTES), sizeof code);
  return BYTES * MTLK_COLUMN_STRIDE + code;
}

/* Sums of one, two 64-bit and two 32-bit words a row, each beside a count of its own. */
static void check_apart(const uint8_t *bins, const int32_t *rows, size_t count) {
  static int32_t single[ROWS], shorts[2 * ROWS];
  static int64_t wide[2 * ROWS] __attribute__((aligned(16)));
  static int64_t of_single[2 * CELLS] __attribute__((aligned(16)));
  static int64_t of_wide[4 * CELLS] __attribute__((aligned(32))), of_short[4 * CELLS] __attribute__((aligned(32)));
  static int64_t wanted[3][4 * CELLS];
  for (size_t row = 0; row < ROWS; ++row) {
    single[row] = (int32_t)bits();
    for (int word = 0; word < 2; ++word) {
      shorts[2 * row + word] = (int32_t)bits();
      wide[2 * row + word] = ((int64_t)bits() << 8) - ((int64_t)1 << 38);
    }
  }
  memset(of_single, 0, sizeof of_single), memset(of_wide, 0, sizeof of_wide), memset(of_short, 0, sizeof of_short);
  memset(wanted, 0, sizeof wanted);
  mtlk_histogram_single_apart(bins, BYTES, WORDS, rows, count, single, of_single);
  mtlk_histogram_paired_apart(bins, BYTES, WORDS, rows, count, wide, of_wide);
  mtlk_histogram_short_apart(bins, BYTES, WORDS, rows, count, shorts, of_short);
  for (size_t index = 0; index < count; ++index) {
    const size_t row = (size_t)rows[index];
    for (int column = 0; column < BYTES + WORDS; ++column) {
      const size_t cell = cell_of(bins + row * SIZE, column);
      wanted[0][2 * cell] += single[row], wanted[0][2 * cell + 1] += 1;
      for (int word = 0; word < 2; ++word) {
        wanted[1][4 * cell + word] += wide[2 * row + word];
        wanted[2][4 * cell + word] += shorts[2 * row + word];
      }
      wanted[1][4 * cell + 2] += 1, wanted[2][4 * cell + 2] += 1;
    }
  }
  CHECK(memcmp(of_single, wanted[0], sizeof of_single) == 0, "%zu rows of one word", count);
  CHECK(memcmp(of_wide, wanted[1], sizeof of_wide) == 0, "%zu rows of two long words", count);
  CHECK(memcmp(of_short, wanted[2], sizeof of_short) == 0, "%zu rows of two short words", count);
}

int main(void) {
  const int64_t one = (int64_t)1 << 44;
  static uint8_t bins[ROWS * SIZE + 64];
  static uint32_t gradients[ROWS];
  static int32_t rows[ROWS];
  static uint64_t block[CELLS];
  static int64_t cells[2 * CELLS] __attribute__((aligned(16)));
  static int64_t wanted[2 * CELLS];
  for (size_t row = 0; row < ROWS; ++row) {
    /* One column in all rows the same. */
    for (int column = 0; column < BYTES; ++column) bins[row * SIZE + column] = column ? (uint8_t)bits() : 3;
    for (int word = 0; word < WORDS; ++word) {
      const uint16_t code = (uint16_t)(word * CODES / 2 + bits() % (CODES / 2));
      memcpy(bins + row * SIZE + BYTES + 2 * word, &code, sizeof code);
    }
    const uint32_t hessian = bits() % (MTLK_NARROW_HESSIAN + 1);
    const int32_t gradient = row < ROWS / 2 ? MTLK_NARROW_GRADIENT : (int32_t)(bits() % 60000) - 30000;
    gradients[row] = ((uint32_t)gradient & 0xffff) | hessian << 16;
  }
  const size_t steps[] = {1, 2, 7, 60};
  for (int kind = 0; kind < 4; ++kind) {
    for (size_t limit = 0; limit <= ROWS; limit = limit < 40 ? limit + 13 : 2 * limit) {
      size_t count = 0;
      for (size_t row = bits() % steps[kind]; row < ROWS && count < limit; row += 1 + bits() % (2 * steps[kind] - 1)) {
        rows[count++] = (int32_t)row;
      }
      memset(cells, 0, sizeof cells);
      memset(wanted, 0, sizeof wanted);
      mtlk_histogram_narrow(bins, BYTES, WORDS, rows, count, gradients, one, CELLS, block, cells);
      for (size_t index = 0; index < count; ++index) {
        const uint8_t *row = bins + (size_t)rows[index] * SIZE;
        const uint32_t word = gradients[rows[index]];
        for (int column = 0; column < BYTES + WORDS; ++column) {
          const size_t cell = cell_of(row, column);
          wanted[2 * cell] += (int16_t)(uint16_t)word;
          wanted[2 * cell + 1] += (int64_t)(word >> 16) + one;
        }
      }
      CHECK(memcmp(cells, wanted, sizeof cells) == 0, "%zu rows of kind %d", count, kind);
      for (size_t cell = 0; cell < CELLS; ++cell) CHECK(block[cell] == 0, "word %zu of the block", cell);
      check_apart(bins, rows, count);
    }
  }
  return finished("histogram");
}
