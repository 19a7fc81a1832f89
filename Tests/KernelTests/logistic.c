/* Gradients of the logistic loss: every version writes the same bytes, near what the mathematical library gives. */
#include "../../Sources/CTreeKernels/logistic.c"

#include <math.h>

#include "versions.h"

enum { ROWS = 1003, LEAVES = 31, FIRST = 5, PART = 7, NUMBER = 4321 };

int main(void) {
  static double start[ROWS], scores[ROWS], weights[ROWS], steps[256];
  static uint8_t leaves[ROWS];
  static int32_t pairs[3][2 * ROWS];
  static uint32_t narrow[3][ROWS];
  double bias = 0;
  for (int round = 0; round < 100; ++round) {
    const double range = round % 5 == 0 ? 900 : 8;
    for (int row = 0; row < ROWS; ++row) {
      start[row] = uniform(-range, range);
      weights[row] = (bits() % 2 ? 1 : -1) * uniform(0.01, 4);
      leaves[row] = (uint8_t)(bits() % LEAVES);
    }
    for (int leaf = 0; leaf < LEAVES; ++leaf) steps[leaf] = uniform(-0.5, 0.5);
    const int moves = round % 2;
    const double scale = 0x1p28 / 4;
    const double to_gradient = (MTLK_NARROW_GRADIENT - 1) / 4.0, to_hessian = MTLK_NARROW_HESSIAN - 1.0;
    for (int version = 0; version < version_count(); ++version) {
      memcpy(scores, start, sizeof scores);
      VERSION(version, logistic_gradients)(scores, weights, moves ? leaves : NULL, steps, FIRST, ROWS - FIRST, scale,
                                           scale, pairs[version]);
      memcpy(scores, start, sizeof scores);
      VERSION(version, logistic_narrow)(scores, weights, moves ? leaves : NULL, steps, FIRST, ROWS - FIRST, to_gradient,
                                        to_hessian, NUMBER, narrow[version]);
      /* Rounding goes by the number of a row, wherever the rows begin. */
      static uint32_t parted[ROWS];
      memcpy(scores, start, sizeof scores);
      VERSION(version, logistic_narrow)(scores + PART, weights + PART, moves ? leaves + PART : NULL, steps, FIRST, ROWS - PART - FIRST,
                                        to_gradient, to_hessian, NUMBER + PART, parted);
      CHECK(memcmp(narrow[version] + PART + FIRST, parted + FIRST, 4 * (ROWS - PART - FIRST)) == 0,
            "version %d: a part of the rows differs", version);
      memcpy(scores, start, sizeof scores);
      VERSION(version, logistic_narrow)(scores, weights, moves ? leaves : NULL, steps, FIRST, ROWS - FIRST, to_gradient,
                                        to_hessian, NUMBER, narrow[version]);
      for (int row = FIRST; row < ROWS; ++row) {
        const double score = start[row] + (moves ? steps[leaves[row]] : 0);
        CHECK(scores[row] == score, "version %d, row %d: score", version, row);
        const double share = 1 / (1 + exp(-score)), weight = fabs(weights[row]);
        const double gradient = weight * ((weights[row] > 0) - share), hessian = weight * share * (1 - share);
        CHECK(fabs(pairs[version][2 * row] - gradient * scale) < 0.6 &&
                  fabs(pairs[version][2 * row + 1] - hessian * scale) < 0.6,
              "version %d, row %d: pairs", version, row);
        const int16_t lower = (int16_t)(uint16_t)narrow[version][row];
        CHECK(fabs(lower - gradient * to_gradient) < 1.05, "version %d, row %d: narrow gradient", version, row);
        CHECK(narrow[version][row] >> 16 > 0 &&
                  fabs((narrow[version][row] >> 16) - fmax(hessian * to_hessian, 1)) < 1.05,
              "version %d, row %d: narrow Hessian", version, row);
        bias += lower - gradient * to_gradient;
      }
      CHECK(memcmp(pairs[0] + 2 * FIRST, pairs[version] + 2 * FIRST, 8 * (ROWS - FIRST)) == 0 &&
                memcmp(narrow[0] + FIRST, narrow[version] + FIRST, 4 * (ROWS - FIRST)) == 0,
            "version %d differs", version);
    }
  }
  bias /= 100.0 * (ROWS - FIRST) * version_count();
  CHECK(fabs(bias) < 0.01, "narrow gradients are off by %g of the grid", bias);
  return finished("logistic");
}
