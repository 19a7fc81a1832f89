#ifndef MTLK_DISPATCH_H
#define MTLK_DISPATCH_H

/* Functions in versions for several kinds of processors, of which the fastest that there is runs. */

#define INLINE static inline __attribute__((always_inline))

/* DISPATCH(RETURN, RESULT, name, (parameters), (arguments)) defines mtlk_name by an INLINE function `name`. RETURN is
   `return`, or nothing where the result is void. */
#if defined(__x86_64__)
#define DISPATCH(RETURN, RESULT, NAME, PARAMETERS, ARGUMENTS)                                                     \
  static RESULT NAME##_plain PARAMETERS { RETURN NAME ARGUMENTS; }                                                \
  __attribute__((target("avx2"))) static RESULT NAME##_avx2 PARAMETERS { RETURN NAME ARGUMENTS; }                 \
  __attribute__((target("avx512f,avx512vl,avx512dq"))) static RESULT NAME##_avx512 PARAMETERS {                   \
    RETURN NAME ARGUMENTS;                                                                                        \
  }                                                                                                               \
  RESULT mtlk_##NAME PARAMETERS {                                                                                 \
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {                               \
      RETURN NAME##_avx512 ARGUMENTS;                                                                             \
    } else if (__builtin_cpu_supports("avx2")) {                                                                  \
      RETURN NAME##_avx2 ARGUMENTS;                                                                               \
    } else {                                                                                                      \
      RETURN NAME##_plain ARGUMENTS;                                                                              \
    }                                                                                                             \
  }
#else
#define DISPATCH(RETURN, RESULT, NAME, PARAMETERS, ARGUMENTS) \
  RESULT mtlk_##NAME PARAMETERS { RETURN NAME ARGUMENTS; }
#endif

#endif
