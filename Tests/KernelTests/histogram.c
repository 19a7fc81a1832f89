/* Histograms of narrow rows: rows near each other, far apart, in one stretch, few and many give the sums of their words. */
#include <string.h>

#include "CTreeKernels.h"
#include "versions.h"

enum { ROWS = 30000, BYTES = 7, WORDS = 2, CODES = 90, SIZE = BYTES + 2 * WORDS };
enum { CELLS = BYTES * MTLK_COLUMN_STRIDE + CODES };

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
          size_t cell = (size_t)column * MTLK_COLUMN_STRIDE + row[column];
          if (column >= BYTES) {
            uint16_t code;
            memcpy(&code, row + BYTES + 2 * (column - BYTES), sizeof code);
            cell = BYTES * MTLK_COLUMN_STRIDE + code;
          }
          wanted[2 * cell] += (int16_t)(uint16_t)word;
          wanted[2 * cell + 1] += (int64_t)(word >> 16) + one;
        }
      }
      CHECK(memcmp(cells, wanted, sizeof cells) == 0, "%zu rows of kind %d", count, kind);
      for (size_t cell = 0; cell < CELLS; ++cell) CHECK(block[cell] == 0, "word %zu of the block", cell);
    }
  }
  return finished("histogram");
}
