#include "CTreeKernels.h"
#include "dispatch.h"

/* Rows that are fetched ahead: as many as arrive while one is added. */
#define AHEAD 32

typedef int32_t narrow __attribute__((vector_size(16), aligned(4)));
typedef int64_t wide __attribute__((vector_size(32), aligned(8)));

/* Adds a row to one histogram a bin; where there are few numbers they stay in registers for all bins. */
#define ADD_ROW(BIN)                                                                                               \
  wide values[4];                                                                                                  \
  if (quads <= 4) {                                                                                                \
    for (size_t quad = 0; quad < quads; ++quad)                                                                    \
      values[quad] = __builtin_convertvector(*(const narrow *)(numbers + quad * 4), wide);                         \
  }                                                                                                                \
  for (size_t column = 0; column < width; ++column) {                                                              \
    int64_t *cell = cells + (offsets[column] + (BIN)) * quads * 4;                                                 \
    for (size_t quad = 0; quad < quads; ++quad) {                                                                  \
      *(wide *)(cell + quad * 4) +=                                                                                \
          quads <= 4 ? values[quad] : __builtin_convertvector(*(const narrow *)(numbers + quad * 4), wide);        \
    }                                                                                                              \
  }

INLINE void add_bytes(const uint8_t *bins, size_t width, const int32_t *numbers, const size_t quads,
                      const size_t *offsets, int64_t *cells) {
  ADD_ROW(bins[column])
}

INLINE void add_words(const uint8_t *bins, size_t width, const int32_t *numbers, const size_t quads,
                      const size_t *offsets, int64_t *cells) {
  ADD_ROW(((const uint16_t *)bins)[column])
}

INLINE void add_rows(const uint8_t *bins, size_t row_size, size_t width, const int is_wide, const int32_t *rows,
                     size_t count, const int32_t *numbers, const size_t quads, const size_t *offsets,
                     int64_t *cells) {
  for (size_t index = 0; index < count; ++index) {
    const size_t row = (size_t)rows[index];
    if (index + AHEAD < count) {
      const size_t later = (size_t)rows[index + AHEAD];
      __builtin_prefetch(bins + later * row_size);
      for (size_t quad = 0; quad < quads; quad += 4) __builtin_prefetch(numbers + (later * quads + quad) * 4);
    }
    if (is_wide)
      add_words(bins + row * row_size, width, numbers + row * quads * 4, quads, offsets, cells);
    else
      add_bytes(bins + row * row_size, width, numbers + row * quads * 4, quads, offsets, cells);
  }
}

INLINE void histogram(const uint8_t *bins, size_t row_size, size_t width, const int is_wide, const int32_t *rows,
                      size_t count, const int32_t *numbers, size_t quads, const size_t *offsets, int64_t *cells) {
  switch (quads) {
#define QUADS(Q) \
  case Q: add_rows(bins, row_size, width, is_wide, rows, count, numbers, Q, offsets, cells); break;
    QUADS(1)
    QUADS(2)
    QUADS(3)
    QUADS(4)
    default: add_rows(bins, row_size, width, is_wide, rows, count, numbers, quads, offsets, cells);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void histogram_avx2(const uint8_t *bins, size_t row_size, size_t width,
                                                           int is_wide, const int32_t *rows, size_t count,
                                                           const int32_t *numbers, size_t quads,
                                                           const size_t *offsets, int64_t *cells) {
  if (is_wide)
    histogram(bins, row_size, width, 1, rows, count, numbers, quads, offsets, cells);
  else
    histogram(bins, row_size, width, 0, rows, count, numbers, quads, offsets, cells);
}
#endif

static void histogram_plain(const uint8_t *bins, size_t row_size, size_t width, int is_wide, const int32_t *rows,
                            size_t count, const int32_t *numbers, size_t quads, const size_t *offsets,
                            int64_t *cells) {
  if (is_wide)
    histogram(bins, row_size, width, 1, rows, count, numbers, quads, offsets, cells);
  else
    histogram(bins, row_size, width, 0, rows, count, numbers, quads, offsets, cells);
}

void mtlk_histogram_vector(const void *bins, size_t row_size, size_t width, int is_wide, const int32_t *rows,
                           size_t count, const int32_t *numbers, size_t quads, const size_t *offsets,
                           int64_t *cells) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    histogram_avx2((const uint8_t *)bins, row_size, width, is_wide, rows, count, numbers, quads, offsets, cells);
    return;
  }
#endif
  histogram_plain((const uint8_t *)bins, row_size, width, is_wide, rows, count, numbers, quads, offsets, cells);
}
