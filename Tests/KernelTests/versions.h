/* What the tests of kernels share: random numbers, checks, and the versions of a kernel by processor. */
#ifndef VERSIONS_H
#define VERSIONS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int failures = 0;

#define CHECK(CONDITION, ...)                            \
  do {                                                   \
    if (!(CONDITION)) {                                  \
      failures += 1;                                     \
      if (failures < 10) {                               \
        printf("%s:%d: %s: ", __FILE__, __LINE__, #CONDITION); \
        printf(__VA_ARGS__);                             \
        printf("\n");                                    \
      }                                                  \
    }                                                    \
  } while (0)

static uint64_t state = 1;

/* 32 random bits. */
static inline uint32_t bits(void) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(state >> 32);
}

static inline double uniform(double low, double high) { return low + (high - low) * bits() * 0x1p-32; }

/* The versions that this processor has, the plain one first. */
static inline int version_count(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) return 3;
  return __builtin_cpu_supports("avx2") ? 2 : 1;
#else
  return 1;
#endif
}

#if defined(__x86_64__)
#define VERSION(NUMBER, NAME) ((NUMBER) == 0 ? NAME##_plain : (NUMBER) == 1 ? NAME##_avx2 : NAME##_avx512)
#else
#define VERSION(NUMBER, NAME) (mtlk_##NAME)
#endif

static inline int finished(const char *name) {
  if (failures) printf("%s: %d checks failed\n", name, failures);
  return failures != 0;
}

#endif
