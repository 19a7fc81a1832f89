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
