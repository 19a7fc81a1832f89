#include "CTreeKernels.h"
#include "dispatch.h"

/* Trees that a row goes down at once: their cache misses overlap. */
#define LANES MTLK_ROW_LANES

/* Whether a level goes right; `otherwise` for those that are missing or beyond the set. */
INLINE uint32_t is_member(const uint64_t *set, double level, uint32_t otherwise) {
  if (!(level >= 0 && level < (double)set[0])) return otherwise;
  const size_t place = (size_t)level;
  return set[1 + (place >> 6)] >> (place & 63) & 1;
}

/* Takes the row down LANES trees. */
INLINE void find_leaves(const double *row, const mtlk_node *nodes, const uint64_t *sets, const uint32_t *roots,
                        const int has_sets, uint32_t *at) {
  for (size_t lane = 0; lane < LANES; ++lane) at[lane] = roots[lane];
  uint32_t moved;
  do {
    moved = 0;
    for (size_t lane = 0; lane < LANES; ++lane) {
      const mtlk_node *node = nodes + at[lane];
      const double value = row[node->feature];
      /* NaN goes right. A leaf stays where it is: nothing is above its infinite threshold. */
      uint32_t right = !(value <= node->threshold);
      if (has_sets && node->has_set) right = is_member(sets + (size_t)node->threshold, value, node->others_right);
      const uint32_t next = node->left + right;
      moved |= next ^ at[lane];
      at[lane] = next;
    }
  } while (moved);
}

void mtlk_leaf_values(const double *row, const mtlk_node *nodes, const double *values, const uint64_t *sets,
                      const uint32_t *roots, const uint32_t *places, size_t plain_count, size_t tree_count,
                      double *found) {
  uint32_t at[LANES];
  for (size_t tree = 0; tree < tree_count; tree += LANES) {
    if (tree < plain_count) {
      find_leaves(row, nodes, sets, roots + tree, 0, at);
    } else {
      find_leaves(row, nodes, sets, roots + tree, 1, at);
    }
    for (size_t lane = 0; lane < LANES; ++lane) found[places[tree + lane]] = values[at[lane]];
  }
}
