#include "CTreeKernels.h"
#include "dispatch.h"

/* Trees that a row goes down at once: their cache misses overlap. */
#define LANES 8

/* The nodes of a tree's leaves, for `lanes` trees. */
INLINE void find_nodes(const double *row, const mtlk_node *nodes, const uint32_t *roots, const size_t lanes,
                       uint32_t *found) {
  uint32_t at[LANES];
  for (size_t lane = 0; lane < lanes; ++lane) at[lane] = roots[lane];
  uint32_t moved;
  do {
    moved = 0;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const mtlk_node *node = nodes + at[lane];
      const double value = row[node->feature];
      /* Neither holds of NaN but the negation. A leaf stays where it is: nothing is above its infinite threshold. */
      const uint32_t above = value > node->threshold;
      const uint32_t is_not_below = !(value <= node->threshold);
      const uint32_t next = node->left + (above | (is_not_below & node->missing_right));
      moved |= next ^ at[lane];
      at[lane] = next;
    }
  } while (moved);
  for (size_t lane = 0; lane < lanes; ++lane) found[lane] = at[lane];
}

double mtlk_score_row(const double *row, const mtlk_node *nodes, const float *values, const uint32_t *roots,
                      size_t tree_count) {
  double score = 0;
  uint32_t found[LANES];
  size_t tree = 0;
  for (; tree + LANES <= tree_count; tree += LANES) {
    find_nodes(row, nodes, roots + tree, LANES, found);
    for (size_t lane = 0; lane < LANES; ++lane) score += (double)values[found[lane]];
  }
  for (; tree < tree_count; ++tree) {
    find_nodes(row, nodes, roots + tree, 1, found);
    score += (double)values[found[0]];
  }
  return score;
}
