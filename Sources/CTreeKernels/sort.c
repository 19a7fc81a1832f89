#include "CTreeKernels.h"

#include <string.h>

/* Lists so short are sorted by insertion. */
#define SHORT_LIST 48

static void sort_short(uint64_t *keys, size_t count) {
  for (size_t index = 1; index < count; ++index) {
    const uint64_t key = keys[index];
    size_t place = index;
    for (; place > 0 && keys[place - 1] > key; --place) keys[place] = keys[place - 1];
    keys[place] = key;
  }
}

void mtlk_sort_by_upper(uint64_t *keys, size_t count, uint64_t *aside) {
  if (count <= SHORT_LIST) {
    sort_short(keys, count);
    return;
  }
  /* Digits of eight bits of the upper halves, the least first; the lower halves are in order already. */
  uint32_t counts[4][256];
  memset(counts, 0, sizeof counts);
  for (size_t index = 0; index < count; ++index) {
    for (int digit = 0; digit < 4; ++digit) counts[digit][keys[index] >> (32 + 8 * digit) & 255]++;
  }
  uint64_t *source = keys, *target = aside;
  for (int digit = 0; digit < 4; ++digit) {
    uint32_t *places = counts[digit], next = 0;
    if (places[source[0] >> (32 + 8 * digit) & 255] == count) continue;
    for (int value = 0; value < 256; ++value) {
      const uint32_t here = places[value];
      places[value] = next;
      next += here;
    }
    for (size_t index = 0; index < count; ++index) {
      const uint64_t key = source[index];
      target[places[key >> (32 + 8 * digit) & 255]++] = key;
    }
    uint64_t *swap = source;
    source = target;
    target = swap;
  }
  if (source != keys) memcpy(keys, source, count * sizeof *keys);
}

/* Digits of eleven bits: their counts fit into the first cache. */
#define DIGIT_BITS 11
#define DIGIT_VALUES (1 << DIGIT_BITS)

/* Bits of floating-point numbers whose order as integers is that of the numbers, and back. */
#define DEFINE_ORDER(NAME, NUMBER, BITS)                                                             \
  static inline BITS NAME##_ordered(NUMBER number) {                                                 \
    const BITS sign = (BITS)1 << (8 * sizeof(BITS) - 1);                                             \
    BITS bits;                                                                                       \
    memcpy(&bits, &number, sizeof bits);                                                             \
    return bits & sign ? ~bits : bits ^ sign;                                                        \
  }                                                                                                  \
                                                                                                     \
  static inline NUMBER NAME##_number(BITS bits) {                                                    \
    const BITS sign = (BITS)1 << (8 * sizeof(BITS) - 1);                                             \
    NUMBER number;                                                                                   \
    bits = bits & sign ? bits ^ sign : ~bits;                                                        \
    memcpy(&number, &bits, sizeof number);                                                           \
    return number;                                                                                   \
  }                                                                                                  \
                                                                                                     \
  /* Sorts keys, the least digit first; those that all keys share are passed over. Returns where they are. */ \
  static BITS *NAME##_sort(BITS *source, BITS *target, size_t count) {                               \
    for (int shift = 0; shift < (int)(8 * sizeof(BITS)); shift += DIGIT_BITS) {                      \
      uint32_t places[DIGIT_VALUES] = {0}, next = 0;                                                 \
      for (size_t index = 0; index < count; ++index) places[source[index] >> shift & (DIGIT_VALUES - 1)]++; \
      if (places[source[0] >> shift & (DIGIT_VALUES - 1)] == count) continue;                        \
      for (size_t value = 0; value < DIGIT_VALUES; ++value) {                                        \
        const uint32_t here = places[value];                                                         \
        places[value] = next;                                                                        \
        next += here;                                                                                \
      }                                                                                              \
      for (size_t index = 0; index < count; ++index) {                                               \
        const BITS key = source[index];                                                              \
        target[places[key >> shift & (DIGIT_VALUES - 1)]++] = key;                                   \
      }                                                                                              \
      BITS *swap = source;                                                                           \
      source = target;                                                                               \
      target = swap;                                                                                 \
    }                                                                                                \
    return source;                                                                                   \
  }

/* Keys take the place of numbers. */
typedef uint32_t __attribute__((may_alias)) short_key;
typedef uint64_t __attribute__((may_alias)) long_key;

DEFINE_ORDER(short, float, short_key)
DEFINE_ORDER(long, double, long_key)

size_t mtlk_sort_numbers(double *numbers, size_t count, double *aside) {
  size_t kept = 0, longs = 0;
  for (size_t index = 0; index < count; ++index) {
    /* -0 + 0 is 0. */
    const double number = numbers[index] + 0.0;
    numbers[kept] = number;
    kept += number == number;
    longs += (double)(float)number != number;
  }
  if (kept == 0) return 0;
  /* (NaN is unequal to itself, whatever its type is.) */
  if (longs == count - kept) {
    short_key *keys = (short_key *)aside;
    for (size_t index = 0; index < kept; ++index) keys[index] = short_ordered((float)numbers[index]);
    const short_key *sorted = short_sort(keys, keys + kept, kept);
    for (size_t index = 0; index < kept; ++index) numbers[index] = (double)short_number(sorted[index]);
    return kept;
  }
  long_key *keys = (long_key *)aside;
  for (size_t index = 0; index < kept; ++index) keys[index] = long_ordered(numbers[index]);
  const long_key *sorted = long_sort(keys, (long_key *)numbers, kept);
  for (size_t index = 0; index < kept; ++index) numbers[index] = long_number(sorted[index]);
  return kept;
}
