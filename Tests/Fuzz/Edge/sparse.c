#include "input.h"
#include "trial.h"
#include "views.h"

enum { WIDTH = 12, STORED = 64 };

/* An array of integers of 4 or 8 bytes. */
static void *integers(fuzz_input *in, const int64_t *numbers, int64_t count, int is_long) {
    uint8_t *block = fuzz_memory(in, (size_t)(count * (is_long ? 8 : 4)));
    for (int64_t index = 0; index < count; index++) {
        int32_t narrow = (int32_t)(numbers[index] & 0xFFFFFFFF);
        if (is_long) memcpy(block + 8 * index, &numbers[index], 8);
        else memcpy(block + 4 * index, &narrow, 4);
    }
    return block;
}

void fuzz_sparse(const uint8_t *bytes, size_t count) {
    static trial t;
    static mtlr_model *model;
    if (!model) {
        trial_make(&t, 2);
        model = trial_fit(&t, TRIAL_SPEC);
    }
    fuzz_input in = fuzz_begin(bytes, count);
    int64_t rows = fuzz_below(&in, TRIAL_ROWS + 1), columns = fuzz_below(&in, WIDTH + 1);
    int is_long = fuzz_below(&in, 2), is_float = fuzz_below(&in, 2), kind = fuzz_byte(&in);

    int64_t starts[TRIAL_ROWS + 1], places[STORED], stored = 0;
    for (int64_t row = 0; row < rows; row++) {
        starts[row] = stored;
        int here = columns ? fuzz_below(&in, 4) : 0;
        for (int index = 0; index < here && stored < STORED; index++) {
            places[stored++] = index * 3 < columns ? index * 3 : 0;
        }
    }
    starts[rows] = stored;
    for (int times = fuzz_below(&in, 4); times > 0; times--) {
        int where = fuzz_byte(&in);
        if (where % 2 && stored) places[where / 2 % stored] = fuzz_awkward(&in);
        else starts[where / 2 % (rows + 1)] = fuzz_awkward(&in);
    }
    size_t size = is_float ? 4 : 8;
    uint8_t *values = fuzz_memory(&in, (size_t)stored * size);
    for (int64_t index = 0; index < stored; index++) {
        double number = (int8_t)fuzz_byte(&in);
        if (number == -128) {
            uint64_t bits = fuzz_word(&in, 8);
            memcpy(&number, &bits, 8);
        }
        float small = (float)(number > 1e30 || number < -1e30 ? 1e30 : number);
        memcpy(values + size * (size_t)index, is_float ? (void *)&small : (void *)&number, size);
    }

    mtlr_sparse_matrix matrix = {NULL, NULL, values, rows, columns, stored, is_long ? MTLR_INT64 : MTLR_INT32,
                                 is_float ? MTLR_FLOAT32 : MTLR_FLOAT64};
    matrix.row_starts = integers(&in, starts, rows + 1, is_long);
    matrix.column_indices = integers(&in, places, stored, is_long);
    switch (kind) {
    case 255: matrix.rows = fuzz_awkward(&in); break;
    case 254:
        matrix.columns = fuzz_awkward(&in);
        /* A million columns are allowed, and take their time. */
        if (matrix.columns > 4096 && matrix.columns <= INT64_C(1) << 20) matrix.columns = 4096;
        break;
    case 253: matrix.value_count = fuzz_awkward(&in); break;
    case 252: matrix.index_dtype = (mtlr_dtype)fuzz_awkward(&in); break;
    case 251: matrix.dtype = (mtlr_dtype)fuzz_awkward(&in); break;
    case 250: matrix.row_starts = NULL; break;
    case 249: matrix.column_indices = NULL; break;
    case 248: matrix.values = NULL; break;
    default: break;
    }
    /* The last start and the number of values say together how much memory there is: both wrong is a lie that nobody sees. */
    int64_t end = starts[rows];
    if (!is_long) end = (int32_t)(end & 0xFFFFFFFF);
    if (matrix.value_count != stored && matrix.value_count == end) matrix.value_count = stored;
    /* The same of one type for the other. */
    if (matrix.index_dtype != (is_long ? MTLR_INT64 : MTLR_INT32) && matrix.index_dtype == MTLR_INT64) {
        matrix.index_dtype = MTLR_INT32;
    }
    if (is_float && matrix.dtype == MTLR_FLOAT64) matrix.dtype = MTLR_FLOAT32;

    mtlr_table table = t.table;
    table.rows = rows;
    table.sparse = &matrix;
    if (fuzz_below(&in, 2)) {
        static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"};
        const char **own = fuzz_memory(&in, (size_t)columns * sizeof *own);
        for (int64_t index = 0; index < columns; index++) {
            own[index] = fuzz_byte(&in) < 250 ? names[index] : fuzz_name(&in, trial_names, 5);
        }
        table.sparse_names = own;
        if (matrix.columns > columns && matrix.columns <= INT64_C(1) << 20) matrix.columns = columns;
    }
    fuzz_use_table(&in, &table, TRIAL_SPEC, model);
    fuzz_end(&in);
}
