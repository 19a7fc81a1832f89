#include "CTreeKernels.h"

/* Rows ahead of which bins and gradients are fetched: enough to hide the memory's latency. */
#define AHEAD 64

#define INLINE static inline __attribute__((always_inline))

typedef int64_t pair __attribute__((vector_size(16)));

#define EACH_WIDTH(X)                                                                                              \
  X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
  X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)

INLINE void fetch(const uint8_t *bins, size_t width, const void *gradient) {
  /* A row may lie across two lines of the cache. */
  __builtin_prefetch(bins);
  __builtin_prefetch(bins + width - 1);
  __builtin_prefetch(gradient);
}

INLINE void add_packed(const uint8_t *row, const size_t width, int64_t value, int64_t *restrict cells) {
#pragma clang loop unroll(full)
  for (size_t column = 0; column < width; ++column) cells[column * MTLK_COLUMN_STRIDE + row[column]] += value;
}

INLINE void add_paired(const uint8_t *row, const size_t width, pair value, pair *restrict cells) {
#pragma clang loop unroll(full)
  for (size_t column = 0; column < width; ++column) cells[column * MTLK_COLUMN_STRIDE + row[column]] += value;
}

INLINE void histogram_packed(const uint8_t *bins, const size_t width, const int32_t *rows, size_t count,
                             const int32_t *gradients, int64_t one, int64_t *cells) {
  size_t index = 0;
  for (; index + AHEAD < count; ++index) {
    const size_t row = (size_t)rows[index];
    const size_t later = (size_t)rows[index + AHEAD];
    fetch(bins + later * width, width, gradients + later);
    add_packed(bins + row * width, width, (int64_t)gradients[row] + one, cells);
  }
  for (; index < count; ++index) {
    const size_t row = (size_t)rows[index];
    add_packed(bins + row * width, width, (int64_t)gradients[row] + one, cells);
  }
}

INLINE void histogram_paired(const uint8_t *bins, const size_t width, const int32_t *rows, size_t count,
                             const pair *gradients, pair *cells) {
  size_t index = 0;
  for (; index + AHEAD < count; ++index) {
    const size_t row = (size_t)rows[index];
    const size_t later = (size_t)rows[index + AHEAD];
    fetch(bins + later * width, width, gradients + later);
    add_paired(bins + row * width, width, gradients[row], cells);
  }
  for (; index < count; ++index) {
    const size_t row = (size_t)rows[index];
    add_paired(bins + row * width, width, gradients[row], cells);
  }
}

INLINE pair short_value(const int32_t *row, int64_t one, const int is_product) {
  const int64_t first = row[0], second = row[1];
  return (pair){is_product ? first * second : first, second + one};
}

INLINE void histogram_short(const uint8_t *bins, const size_t width, const int32_t *rows, size_t count,
                            const int32_t *gradients, int64_t one, pair *cells, const int is_product) {
  size_t index = 0;
  for (; index + AHEAD < count; ++index) {
    const size_t row = (size_t)rows[index];
    const size_t later = (size_t)rows[index + AHEAD];
    fetch(bins + later * width, width, gradients + 2 * later);
    add_paired(bins + row * width, width, short_value(gradients + 2 * row, one, is_product), cells);
  }
  for (; index < count; ++index) {
    const size_t row = (size_t)rows[index];
    add_paired(bins + row * width, width, short_value(gradients + 2 * row, one, is_product), cells);
  }
}

void mtlk_histogram_packed(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                           const int32_t *gradients, int64_t one, int64_t *cells) {
  switch (width) {
#define PACKED(W) \
  case W: histogram_packed(bins, W, rows, count, gradients, one, cells); break;
    EACH_WIDTH(PACKED)
  }
}

void mtlk_histogram_paired(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                           const void *gradients, void *cells) {
  switch (width) {
#define PAIRED(W) \
  case W: histogram_paired(bins, W, rows, count, (const pair *)gradients, (pair *)cells); break;
    EACH_WIDTH(PAIRED)
  }
}

void mtlk_histogram_short(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                          const int32_t *gradients, int64_t one, void *cells) {
  switch (width) {
#define SHORT(W) \
  case W: histogram_short(bins, W, rows, count, gradients, one, (pair *)cells, 0); break;
    EACH_WIDTH(SHORT)
  }
}

void mtlk_histogram_product(const uint8_t *bins, size_t width, const int32_t *rows, size_t count,
                            const int32_t *residuals, int64_t one, void *cells) {
  switch (width) {
#define PRODUCT(W) \
  case W: histogram_short(bins, W, rows, count, residuals, one, (pair *)cells, 1); break;
    EACH_WIDTH(PRODUCT)
  }
}
