/* Inner loops of the tree engine that the Swift compiler leaves slower than C does: loops of a width known when
   they are compiled, prefetching, and vector instructions chosen at run time.

   None of them checks anything: their callers own the memory and know its sizes. */
#ifndef CTREEKERNELS_H
#define CTREEKERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#pragma clang assume_nonnull begin

/* Cells from one column of a histogram to the next. */
#define MTLK_COLUMN_STRIDE 264

/* Most columns of a byte in a tile. */
#define MTLK_MAXIMUM_WIDTH 32

/* Adds rows to the histograms of a tile's columns.
   bins: the tile; a row is `width` bytes (0 to MTLK_MAXIMUM_WIDTH), then `words` words of 16 bits.
   rows: their numbers. gradients: by row number. one: what a row adds to a cell besides its gradient.
   cells: MTLK_COLUMN_STRIDE of them for each of the bytes, then those that the words are places of. */
void mtlk_histogram_packed(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const int32_t *gradients, int64_t one, int64_t *cells);

/* The same with two words a row, added to two words a cell; both aligned to 16 bytes. */
void mtlk_histogram_paired(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const void *gradients, void *cells);

/* The same with rows of two 32-bit words, gradient and Hessian, and `one` added to the second word of a cell. */
void mtlk_histogram_short(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                          const int32_t *gradients, int64_t one, void *cells);

/* The same with one 32-bit word a row, the gradient, and cells of two words: gradient and count. */
void mtlk_histogram_single_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                 const int32_t *gradients, void *cells);

/* The same with two words a row, of 64 or 32 bits, and cells of four: gradient, Hessian, count and nothing; aligned to 32 bytes. */
void mtlk_histogram_paired_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                 const void *gradients, void *cells);
void mtlk_histogram_short_apart(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                                const int32_t *gradients, void *cells);

/* The same with rows of a residual and a weight, whose product is the gradient. */
void mtlk_histogram_product(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                            const int32_t *residuals, int64_t one, void *cells);

/* The same with rows of one word: the gradient in its lower 16 bits, of magnitude below 2^15, and in the upper ones the
   Hessian, below 2^12. So many rows' sums fit into one word that cells of two take up less of the cache.
   cell_count: cells of the tile. block: as many words, all 0 before and after. */
#define MTLK_NARROW_GRADIENT 32767
#define MTLK_NARROW_HESSIAN 4095
#define MTLK_NARROW_BLOCK 4095
/* In a word of a block the sum of Hessians begins at this bit, and the count at that one. */
#define MTLK_NARROW_HESSIAN_SHIFT 28
#define MTLK_NARROW_COUNT_SHIFT 52
void mtlk_histogram_narrow(const uint8_t *bins, size_t width, size_t words, const int32_t *rows, size_t count,
                           const uint32_t *gradients, int64_t one, size_t cell_count, uint64_t *block,
                           void *cells);

/* Adds rows of 4 · `quads` words, by row number, each word to one of its own of a cell.
   bins: of each row, `row_size` bytes apart, the bins of `width` columns, of 16 bits where `is_wide`. The histogram of
   column c has its cells from number offsets[c] on. */
void mtlk_histogram_vector(const void *bins, size_t row_size, size_t width, int is_wide, const int32_t *rows,
                           size_t count, const int32_t *numbers, size_t quads, const size_t *offsets,
                           int64_t *cells);

/* How numbers become bins: 0 for NaN, else 1 + the edges below the number.
   A grid over the edges' range says how many edges lie in cells before a number's; those of its own cell are
   compared with, one after another. */
#define MTLK_EDGES 256
#define MTLK_GRID_CELLS 1024

typedef struct {
  /* MTLK_EDGES edges, ascending, the unused ones infinite. */
  const float *edges;
  /* Edges before each cell of the grid. */
  const uint8_t *cells;
  float low;
  float scale;
  /* The most edges in a cell; 0 where there is no grid, and the edges are searched. */
  int32_t steps;
} mtlk_float_bins;

typedef struct {
  const double *edges;
  const uint8_t *cells;
  double low;
  double scale;
  int32_t steps;
} mtlk_double_bins;

/* The bins of `count` numbers that are `stride` bytes apart, of the named rows where `rows` is not NULL. */
void mtlk_bin_floats(const mtlk_float_bins *table, const void *first, ptrdiff_t stride,
                     const int32_t *_Nullable rows, size_t count, uint8_t *bins);
void mtlk_bin_doubles(const mtlk_double_bins *table, const void *first, ptrdiff_t stride,
                      const int32_t *_Nullable rows, size_t count, uint8_t *bins);

/* The bins of numbers where there are more edges than bytes tell apart: `edge_count` of them, ascending. */
void mtlk_bin_words(const double *edges, size_t edge_count, const double *numbers, size_t count, uint16_t *bins);

/* The cell of an edge, as the functions above find it for a number. */
size_t mtlk_float_cell(float value, float low, float scale);
size_t mtlk_double_cell(double value, double low, double scale);

/* A split of a tree, in the order of growth: rows of `leaf` whose bin less `offset` is above `limit` become the leaf
   numbered by the split's position + 1. */
typedef struct {
  /* The bins of the column: a plane of bytes in each block, or two where it is wide, the lower bytes first. */
  uint16_t plane;
  /* Of a split by a set of a wide column: how many pages of 256 bits the set has. */
  uint16_t limit;
  uint8_t leaf;
  uint8_t offset;
  uint8_t is_wide;
  /* Where a row goes on from here: to a split of the same tree, or, negative, to the leaf -1 - next. */
  int16_t next_left;
  int16_t next_right;
  /* 0, or 1 + the first page of the set of bins that go right instead. */
  uint32_t set;
} mtlk_split;

/* Rows of a block, and bytes from one plane of bins to the next in it. */
#define MTLK_BLOCK 256

/* Adds a tree's values to the scores of a block.
   bins: MTLK_BLOCK of them a plane. sets: pages of 256 bits. scores: `width` numbers from row to row; those of rows
   from `count` on are not touched. */
void mtlk_add_tree(const uint8_t *bins, const mtlk_split *splits, size_t split_count, const uint64_t *_Nullable sets,
                   const float *values, double *scores, size_t width, size_t count);

/* Parts a list of rows in two, each in the order it had: rows whose bin less `offset` is at most `limit` stay in
   `rows`, the others follow them. Returns how many stay. aside: room for 16 rows more than that. */
size_t mtlk_partition(int32_t *rows, size_t count, const uint8_t *bins, uint8_t offset, uint8_t limit,
                      int32_t *aside);

/* The same for rows whose bin is in a set of 256 bits: they go right. */
size_t mtlk_partition_set(int32_t *rows, size_t count, const uint8_t *bins, const uint64_t *set, int32_t *aside);

/* The same for bins of 16 bits; where there is a set, `goes_right` has a byte, 0 or 1, for each bin. */
size_t mtlk_partition_wide(int32_t *rows, size_t count, const uint16_t *bins, uint16_t offset, uint16_t limit,
                           const uint8_t *_Nullable goes_right, int32_t *aside);

/* Gradients and Hessians of the logistic loss, as pairs of words for mtlk_histogram_short:
   w (y - p) · gradient_scale and w p (1 - p) · hessian_scale, rounded, p being 1 / (1 + exp(-score)).
   signed_weights: w where y is 1, else -w. leaves: where there are any, scores first rise by the step of the row's
   byte. Of rows first to first + count - 1; the scaled magnitudes must be below 2^31. */
void mtlk_logistic_gradients(double *scores, const double *signed_weights, const uint8_t *_Nullable leaves,
                             const double *_Nullable steps, size_t first, size_t count, double gradient_scale,
                             double hessian_scale, int32_t *pairs);

/* The same as words for mtlk_histogram_narrow, rounded by mtlk_narrow, where row 0 has the number `number`. */
void mtlk_logistic_narrow(double *scores, const double *signed_weights, const uint8_t *_Nullable leaves,
                          const double *_Nullable steps, size_t first, size_t count, double gradient_scale,
                          double hessian_scale, size_t number, uint32_t *narrow);

/* A word for mtlk_histogram_narrow. Numbers are rounded up with the chance of their fraction, drawn by the number of
   the row: so coarse a grid would otherwise shift sums over many rows whose numbers are the same. Hessians are at least
   1. */
uint32_t mtlk_narrow(double gradient, double hessian, size_t row);

/* Adds a tree's values to the scores of a few rows, one after another: faster than a block for fewer rows than
   MTLK_FEW_ROWS. */
#define MTLK_FEW_ROWS 24
void mtlk_walk_tree(const uint8_t *bins, const mtlk_split *splits, size_t split_count,
                    const uint64_t *_Nullable sets, const float *values, double *scores, size_t width,
                    size_t count);

/* Whether the processor has the vector instructions that make mtlk_scan worth it for leaves of many rows. */
int mtlk_scan_is_fast(void);

/* Splits a leaf whose rows are known by one byte per row only: of `count` rows from `first_row` on, those of `leaf` whose
   bin less `offset` is above `limit` become `new_leaf`. Their numbers go to `right`, those of the others of `leaf` to
   `left`, either NULL where they are not wanted; both need room for 16 more. Counts of both are returned. */
typedef struct {
  size_t left;
  size_t right;
} mtlk_counts;

mtlk_counts mtlk_scan(uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                      uint8_t offset, uint8_t limit, int32_t first_row, int32_t *_Nullable left,
                      int32_t *_Nullable right);

/* The same for rows whose bin is in a set of 256 bits. */
mtlk_counts mtlk_scan_set(uint8_t *leaves, const uint8_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                          const uint64_t *set, int32_t first_row, int32_t *left, int32_t *right);

/* The same for bins of 16 bits, as mtlk_partition_wide has them. */
mtlk_counts mtlk_scan_wide(uint8_t *leaves, const uint16_t *bins, size_t count, uint8_t leaf, uint8_t new_leaf,
                           uint16_t offset, uint16_t limit, const uint8_t *_Nullable goes_right, int32_t first_row,
                           int32_t *left, int32_t *right);

/* The sums of the first cells, of the first two and so on, taken apart as numbers: a cell has the gradient in its
   lower `shift` bits, with a sign, and the count above. */
void mtlk_packed_sums(const int64_t *cells, size_t count, int64_t shift, double *gradients, double *counts);

/* The same of cells of two words, the gradient in the first, the Hessian below the count in the second. */
void mtlk_paired_sums(const void *cells, size_t count, int64_t shift, double *gradients, double *hessians,
                      double *counts);

/* Takes `count` words from others; adds them. */
void mtlk_subtract(int64_t *rest, const int64_t *words, size_t count);
void mtlk_add(int64_t *words, const int64_t *more, size_t count);

/* Adds the words that mtlk_histogram_narrow makes of a block to cells of two words, and makes them 0. */
void mtlk_add_block(uint64_t *block, size_t count, int64_t one, int64_t *cells);

/* Moves sums of gradients on as a quadratic loss does when `step` is added to the predictions of a leaf's rows: they
   fall by step times the leaf's count, or its Hessian where cells have two words. */
void mtlk_advance_packed(int64_t *cells, const int64_t *leaf, size_t count, int64_t shift, int64_t step);
void mtlk_advance_paired(void *cells, const void *leaf, size_t count, int64_t shift, int64_t step);

/* What a split must keep to, in the units of the sums. */
typedef struct {
  double gradient, hessian, count;
  double l1, l2;
  double least_count, least_hessian;
  /* What a split must gain more than, 0 or more, and the score of the leaf without a split. */
  double least_gain, score;
} mtlk_leaf;

/* The first of the splits with the largest gain, -1 where none is admitted or none gains enough. Split i leaves left the
   sums gradients[i], hessians[i] and counts[i], plus those given. Its gain goes to `gain`:
   max(|G_L| - l1, 0)²/(H_L + l2) + max(|G_R| - l1, 0)²/(H_R + l2) - score. */
ptrdiff_t mtlk_best_split(const double *gradients, const double *hessians, const double *counts, size_t count,
                          double more_gradient, double more_hessian, double more_count, const mtlk_leaf *leaf,
                          double *gain);

/* A node whose rows a Bayesian tree may part: the sums of its rows, as whole numbers of the units u of gradients and w of Hessians. A
   leaf with the sums G and H has, with v for the variance of leaf values, the marginal likelihood
   exp(v (u G)² / (2 (1 + v w H))) / √(1 + v w H), but for a constant. So gradient_unit is u √(v / 2), and hessian_unit v w. */
typedef struct {
  int64_t gradient, hessian;
  double gradient_unit, hessian_unit;
} mtlk_posterior;

/* For each way to part a node, which leaves left the sums gradients[i] and hessians[i], what its marginal likelihood is made of:
   with g, h the units and l, r the sides, the exponent (g G_l)²/(1 + h H_l) + (g G_r)²/(1 + h H_r), and the divisor
   (1 + h H_l)(1 + h H_r) times `factor`, of which the likelihood has the root. Returns the largest exponent, 0 at least. */
double mtlk_split_exponents(const int64_t *gradients, const int64_t *hessians, size_t count,
                            const mtlk_posterior *node, double factor, double *exponents, double *divisors);

/* How many weights one sum is of. */
#define MTLK_WEIGHT_BLOCK 64

/* Turns divisors d into weights e^(exponent - largest)/√d, 0 where the exponent is less than the largest by more than 40. The sums of
   blocks of MTLK_WEIGHT_BLOCK weights go to `sums`. The same numbers on every processor. */
void mtlk_split_weights(const double *exponents, double *weights, size_t count, double largest, double *sums);

/* Trees that a single row goes down at once. */
#define MTLK_ROW_LANES 8

/* A node of a tree as a single row goes through it, on its numbers rather than on bins. Numbers above the threshold, and NaN,
   go on to the node after `left`, others to `left`; a leaf's threshold is infinite and its `left` the leaf itself. (Where
   NaN is to go left, `feature` is a place of the row at which -infinity stands for it.) */
typedef struct {
  /* Where there is a set of levels, the place where it begins: the number of levels, then a bit for each that goes right. */
  double threshold;
  uint32_t left;
  uint16_t feature;
  /* 1 where levels that are missing or not below the number go right. */
  uint8_t others_right;
  uint8_t has_set;
} mtlk_node;

/* The value of each tree's leaf at a row, written to the tree's place. The first `plain_count` trees have no sets; both
   counts are multiples of MTLK_ROW_LANES.
   values: by node. roots, places: by tree. */
void mtlk_leaf_values(const double *row, const mtlk_node *nodes, const double *values, const uint64_t *sets,
                      const uint32_t *roots, const uint32_t *places, size_t plain_count, size_t tree_count,
                      double *found);

/* Sorts keys by their upper 32 bits; the lower 32 bits must ascend before, and decide between equal ones.
   aside: room for as many keys. */
void mtlk_sort_by_upper(uint64_t *keys, size_t count, uint64_t *aside);

/* Sorts numbers in ascending order, -0 as 0, and drops NaN. Fewer than 2^32 of them.
   aside: room for as many. Returns how many are left. */
size_t mtlk_sort_numbers(double *numbers, size_t count, double *aside);

#pragma clang assume_nonnull end

#if defined(__cplusplus)
}
#endif

#endif
