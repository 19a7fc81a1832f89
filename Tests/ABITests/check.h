/* What the programs of this folder check with: no framework, so that nothing but the library is under test. */
#ifndef CHECK_H
#define CHECK_H

#include <metalearners.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks = 0;
static int failures = 0;

#define CHECK(condition)                                                                                             \
    do {                                                                                                             \
        checks++;                                                                                                    \
        if (!(condition)) {                                                                                          \
            failures++;                                                                                              \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                \
        }                                                                                                            \
    } while (0)

/* The call succeeds and leaves no error. `error` must be a variable in scope. */
#define SUCCEEDS(call)                                                                                               \
    do {                                                                                                             \
        checks++;                                                                                                    \
        mtlr_status status_ = (call);                                                                                \
        if (status_ != MTLR_OK || error != NULL) {                                                                   \
            failures++;                                                                                              \
            fprintf(stderr, "%s:%d: status %d: %s\n", __FILE__, __LINE__, (int)status_,                              \
                    error ? mtlr_error_message(error) : "no message");                                               \
        }                                                                                                            \
        mtlr_error_free(error);                                                                                      \
        error = NULL;                                                                                                \
    } while (0)

/* The call fails with this status and an error that says the same. */
#define FAILS(expected, call)                                                                                        \
    do {                                                                                                             \
        checks++;                                                                                                    \
        mtlr_status status_ = (call);                                                                                \
        if (status_ != (expected) || mtlr_error_status(error) != (expected) || !mtlr_error_message(error) ||         \
            !*mtlr_error_message(error) || !mtlr_error_problem(error)) {                                             \
            failures++;                                                                                              \
            fprintf(stderr, "%s:%d: status %d where %d was expected: %s\n", __FILE__, __LINE__, (int)status_,        \
                    (int)(expected), error ? mtlr_error_message(error) : "no error");                                \
        }                                                                                                            \
        mtlr_error_free(error);                                                                                      \
        error = NULL;                                                                                                \
    } while (0)

/* As FAILS, and the message contains `text`. */
#define FAILS_SAYING(expected, text, call)                                                                           \
    do {                                                                                                             \
        checks++;                                                                                                    \
        mtlr_status status_ = (call);                                                                                \
        if (status_ != (expected) || !error || !strstr(mtlr_error_message(error), (text))) {                         \
            failures++;                                                                                              \
            fprintf(stderr, "%s:%d: status %d: %s\n", __FILE__, __LINE__, (int)status_,                              \
                    error ? mtlr_error_message(error) : "no error");                                                 \
        }                                                                                                            \
        mtlr_error_free(error);                                                                                      \
        error = NULL;                                                                                                \
    } while (0)

static inline int finish(const char *name) {
    printf("%s: %d checks, %d failures\n", name, checks, failures);
    return failures ? 1 : 0;
}

#endif
