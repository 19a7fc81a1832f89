/* Bytes of a fuzzer as numbers, choices and memory. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <metalearners.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_targets.h"

/* Ends the process where something does not hold that must, so that the fuzzer keeps the input. */
#define REQUIRE(condition)                                                                                           \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                \
            abort();                                                                                                 \
        }                                                                                                            \
    } while (0)

enum { FUZZ_BLOCKS = 512 };

/* The bytes that are left, 0 where none are, and the memory that was made for this run. */
typedef struct fuzz_input {
    const uint8_t *next, *end;
    void *blocks[FUZZ_BLOCKS];
    int block_count;
} fuzz_input;

static inline fuzz_input fuzz_begin(const uint8_t *bytes, size_t count) {
    fuzz_input in = {bytes, count ? bytes + count : bytes, {NULL}, 0};
    return in;
}

/* Gives back the memory of the run. */
static inline void fuzz_end(fuzz_input *in) {
    while (in->block_count) free(in->blocks[--in->block_count]);
}

static inline size_t fuzz_left(const fuzz_input *in) { return (size_t)(in->end - in->next); }

static inline uint8_t fuzz_byte(fuzz_input *in) { return in->next < in->end ? *in->next++ : 0; }

/* One of the numbers 0 to bound - 1. */
static inline int fuzz_below(fuzz_input *in, int bound) { return fuzz_byte(in) % bound; }

static inline uint64_t fuzz_word(fuzz_input *in, int bytes) {
    uint64_t word = 0;
    for (int index = 0; index < bytes; index++) word |= (uint64_t)fuzz_byte(in) << (8 * index);
    return word;
}

/* A number that breaks arithmetic, or any. */
static inline int64_t fuzz_awkward(fuzz_input *in) {
    static const int64_t numbers[] = {0, 1, -1, 2, 7, 255, 256, INT32_MAX, INT32_MIN, (int64_t)INT32_MAX + 1,
                                      (int64_t)UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MAX - 7, INT64_MAX / 8,
                                      INT64_C(1) << 20, (INT64_C(1) << 20) + 1, INT64_C(1) << 56, INT64_C(1) << 62,
                                      -(INT64_C(1) << 56), -(INT64_C(1) << 62)};
    int kind = fuzz_below(in, 24);
    if (kind < 21) return numbers[kind];
    return (int64_t)fuzz_word(in, 8);
}

/* Memory of just this size, which lives as long as the run; reading beyond it is seen by the address sanitizer. */
static inline void *fuzz_memory(fuzz_input *in, size_t size) {
    REQUIRE(in->block_count < FUZZ_BLOCKS);
    void *block = malloc(size ? size : 1);
    REQUIRE(block != NULL);
    memset(block, 0, size ? size : 1);
    return in->blocks[in->block_count++] = block;
}

/* The bytes that are left, or `limit` of them, as a text: any bytes but 0. */
static inline char *fuzz_text(fuzz_input *in, size_t limit) {
    size_t count = fuzz_left(in) < limit ? fuzz_left(in) : limit;
    char *text = fuzz_memory(in, count + 1);
    size_t length = 0;
    while (length < count && (text[length] = (char)fuzz_byte(in)) != 0) length++;
    text[length] = 0;
    return text;
}

/* One of these texts, sometimes any other, or NULL. */
static inline const char *fuzz_name(fuzz_input *in, const char *const *names, int count) {
    int kind = fuzz_byte(in);
    if (kind == 255) return NULL;
    if (kind > 248) return fuzz_text(in, 6);
    return names[kind % count];
}

/* The worst status that a run may see: a fault of the library is never one. */
#ifndef FUZZ_WORST
#define FUZZ_WORST MTLR_OUT_OF_MEMORY
#endif

/* A status and the object or error that comes with it agree. Frees the error; returns whether the call succeeded. */
static inline int fuzz_agrees(mtlr_status status, int has_object, mtlr_error *error) {
    REQUIRE((status == MTLR_OK) == (error == NULL) && (status == MTLR_OK) == has_object);
    REQUIRE(status >= MTLR_OK && status <= FUZZ_WORST);
    if (error) {
        REQUIRE(mtlr_error_status(error) == status && mtlr_error_problem(error) && *mtlr_error_problem(error));
    }
    mtlr_error_free(error);
    return status == MTLR_OK;
}

/* On this thread alone, so that the same bytes do the same. */
static inline mtlr_execution fuzz_execution(void) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 1;
    return execution;
}

#endif
