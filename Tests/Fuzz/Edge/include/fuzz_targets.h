/* What a fuzzer feeds with bytes, through the C interface. */
#ifndef FUZZ_TARGETS_H
#define FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input. It returns, or something is wrong. */
typedef void (*fuzz_target)(const uint8_t *bytes, size_t count);

/* JSON as a spec: what resolves once resolves to the same again, and datasets take its section "data". */
void fuzz_spec(const uint8_t *bytes, size_t count);

/* A model file, or changes to the bytes of a valid one, with the checksum made right. */
void fuzz_archive(const uint8_t *bytes, size_t count);

/* Tables: element types, strides, counts, names, codes. */
void fuzz_views(const uint8_t *bytes, size_t count);

/* Sparse matrices: types, starts, columns, counts. */
void fuzz_sparse(const uint8_t *bytes, size_t count);

/* Tables of Arrow: formats, lengths, buffers, dictionaries. */
void fuzz_arrow(const uint8_t *bytes, size_t count);

/* A plug-in: its table, its parameters in JSON, and functions that do as the bytes say. */
void fuzz_plugin(const uint8_t *bytes, size_t count);

/* How many models fuzz_archive() changes, and the bytes of one, for seeds. They live as long as the process. */
enum { FUZZ_MODEL_COUNT = 8 };
const uint8_t *fuzz_model(int number, size_t *count);

/* libFuzzer's own main function. */
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*run)(const uint8_t *bytes, size_t count));

#endif
