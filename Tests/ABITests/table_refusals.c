/* Tables, columns and matrices that cannot be: every size, stride, code and text is refused, to learn from and to predict. */
#include <math.h>

#include "fixture.h"

#define BAD MTLR_INVALID_ARGUMENT

static mtlr_model *model = NULL;
static double effects[TRIAL_ROWS];

/* A handle comes back NULL from a call that failed; it starts as something else. */
static mtlr_dataset *dataset_out;
#define NO_DATASET(call) (dataset_out = (mtlr_dataset *)&t, (call))

/* The table is refused, to learn from (copied and borrowed) and to predict. */
static void refuse_table(const mtlr_table *table, const char *saying) {
    for (uint32_t flags = 0; flags < 2; flags++) {
        FAILS_SAYING(BAD, saying, NO_DATASET(mtlr_dataset_create(&dataset_out, table, TRIAL_SPEC, flags, &error)));
        CHECK(dataset_out == NULL);
    }
    FAILS_SAYING(BAD, saying, mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, table, NULL, NULL, &error));
}

static void tables(void) {
    const int64_t sizes[] = {-1, INT64_MIN, INT64_MAX, INT64_C(1) << 31, INT64_C(1) << 40, INT64_C(1) << 61};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        mtlr_table table = t.table;
        table.rows = sizes[index];
        refuse_table(&table, "rows");
        table = t.table;
        table.column_count = sizes[index];
        refuse_table(&table, "column_count");
    }
    const size_t struct_sizes[] = {0, 1, 8, sizeof(mtlr_table) - 1, 4097, SIZE_MAX, SIZE_MAX / 2};
    for (size_t index = 0; index < sizeof struct_sizes / sizeof *struct_sizes; index++) {
        mtlr_table table = t.table;
        table.struct_size = struct_sizes[index];
        refuse_table(&table, "struct_size");
    }
    mtlr_table table = t.table;
    table.columns = NULL;
    refuse_table(&table, "NULL");
    const uint32_t flags[] = {2, 3, 0x80000000u, UINT32_MAX};
    for (size_t index = 0; index < 4; index++) {
        FAILS(BAD, mtlr_dataset_create(&dataset_out, &t.table, TRIAL_SPEC, flags[index], &error));
    }
    /* Too few rows and columns for a dataset. */
    table = t.table;
    table.rows = 0;
    FAILS(MTLR_INVALID_DATA, mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    table.rows = 1;
    FAILS(MTLR_INVALID_DATA, mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    table = t.table;
    table.column_count = 0;
    table.columns = NULL;
    FAILS(MTLR_INVALID_DATA, mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    FAILS_SAYING(MTLR_INVALID_DATA, "x0",
                 mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));
}

static void columns(void) {
    mtlr_column changed[TRIAL_COLUMNS];
    mtlr_table table = t.table;
    table.columns = changed;
#define CHANGED(saying, change)                                                                                      \
    do {                                                                                                             \
        memcpy(changed, t.columns, sizeof changed);                                                                  \
        mtlr_column *c = changed;                                                                                    \
        change;                                                                                                      \
        refuse_table(&table, saying);                                                                                \
    } while (0)
    CHANGED("NULL", c[0].name = NULL);
    CHANGED("UTF-8", c[0].name = "\xff\xfe");
    CHANGED("NULL", c[0].data = NULL);
    CHANGED("reserved", c[1].reserved = 1);
    const mtlr_dtype dtypes[] = {0, -1, 11, 255, INT32_MIN, INT32_MAX};
    for (size_t index = 0; index < 6; index++) CHANGED("dtype", c[0].dtype = dtypes[index]);
    const int64_t strides[] = {INT64_MAX, INT64_MIN, INT64_MAX / (TRIAL_ROWS - 1), INT64_MIN / (TRIAL_ROWS - 1),
                               INT64_C(1) << 60, -(INT64_C(1) << 50), INT64_MAX - 7};
    for (size_t index = 0; index < 7; index++) CHANGED("memory", c[0].stride = strides[index]);
    const void *const top = (const void *)(UINTPTR_MAX - 15);
    CHANGED("memory", c[0].data = top);
    CHANGED("level_count", c[0].level_count = 3);
    CHANGED("level_count", c[2].level_count = -1);
    CHANGED("level_count", c[2].level_count = INT64_MAX);
    CHANGED("floating-point", c[2].dtype = MTLR_FLOAT32);
    static const char *const holes[] = {"a", NULL, "c"};
    CHANGED("levels[1]", c[2].levels = holes);
    static const char *const bytes[] = {"a", "b", "\xc3"};
    CHANGED("UTF-8", c[2].levels = bytes);
#undef CHANGED
    static const char *const twice[] = {"a", "b", "a"};
    memcpy(changed, t.columns, sizeof changed);
    changed[2].levels = twice;
    FAILS_SAYING(BAD, "twice", mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    memcpy(changed, t.columns, sizeof changed);
    changed[1].name = "x0";
    FAILS_SAYING(MTLR_INVALID_DATA, "twice", mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    memcpy(changed, t.columns, sizeof changed);
    changed[0].name = "x_0";
    FAILS_SAYING(MTLR_INVALID_DATA, "x_0",
                 mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));
    /* Negative codes are missing; codes beyond the levels are refused with their row, counted from 0. */
    static int32_t wild[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) wild[row] = row % 3 == 0 ? -1 : row % 3 == 1 ? INT32_MIN : 1;
    memcpy(changed, t.columns, sizeof changed);
    changed[2].data = wild;
    SUCCEEDS(mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    mtlr_dataset_free(dataset_out);
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));
    const int32_t beyond[] = {3, 7, INT32_MAX};
    for (int index = 0; index < 3; index++) {
        wild[5] = beyond[index];
        FAILS_SAYING(MTLR_INVALID_DATA, "row index 5 has code",
                     mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
        FAILS_SAYING(MTLR_INVALID_DATA, "column 'group'",
                     mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));
    }
    wild[5] = 1;
    changed[2].level_count = 0;
    FAILS_SAYING(MTLR_INVALID_DATA, "no levels",
                 mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));
    /* Values that are no outcomes, arms or covariates. */
    static double values[TRIAL_ROWS];
    const double odd[] = {NAN, INFINITY, -INFINITY};
    for (int column = 0; column < TRIAL_COLUMNS; column++) {
        for (int index = 0; index < 3; index++) {
            memcpy(values, t.y, sizeof values);
            values[3] = odd[index];
            memcpy(changed, t.columns, sizeof changed);
            changed[column] = (mtlr_column){t.columns[column].name, values, 0, NULL, 0, MTLR_FLOAT64, 0};
            dataset_out = NULL;
            mtlr_status status = mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error);
            CHECK((status == MTLR_OK) == (dataset_out != NULL) && (status == MTLR_OK) == (error == NULL));
            CHECK(column < 3 ? status == (index == 0 ? MTLR_OK : MTLR_INVALID_DATA) : status == MTLR_INVALID_DATA);
            mtlr_error_free(error);
            error = NULL;
            mtlr_dataset_free(dataset_out);
            status = mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error);
            CHECK((status == MTLR_OK) == (error == NULL));
            mtlr_error_free(error);
            error = NULL;
        }
    }
}

static void matrices(void) {
    mtlr_matrix matrix;
    mtlr_table table = t.table;
    table.columns = t.columns + 2;
    table.column_count = 3;
    table.matrix = &matrix;
#define CHANGED(saying, change)                                                                                      \
    do {                                                                                                             \
        matrix = (mtlr_matrix){t.x, TRIAL_ROWS, 2, 0, 0, MTLR_FLOAT64, 0};                                           \
        table.matrix_names = NULL;                                                                                   \
        change;                                                                                                      \
        refuse_table(&table, saying);                                                                                \
    } while (0)
    CHANGED("NULL", matrix.data = NULL);
    CHANGED("rows", matrix.rows = TRIAL_ROWS - 1);
    CHANGED("rows", matrix.rows = INT64_MAX);
    CHANGED("columns", matrix.columns = -1);
    CHANGED("columns", matrix.columns = INT64_MAX);
    CHANGED("columns", matrix.columns = (1 << 20) + 1);
    CHANGED("reserved", matrix.reserved = -1);
    CHANGED("dtype", matrix.dtype = 0);
    CHANGED("dtype", matrix.dtype = 99);
    CHANGED("memory", matrix.row_stride = INT64_MAX);
    CHANGED("memory", matrix.row_stride = INT64_MIN);
    CHANGED("memory", matrix.column_stride = INT64_MAX);
    CHANGED("memory", matrix.column_stride = INT64_MIN);
    CHANGED("memory", matrix.column_stride = INT64_C(1) << 62);
    CHANGED("memory", matrix.column_stride = -(INT64_C(1) << 62));
    CHANGED("memory", matrix.column_stride = INT64_C(1) << 57);
    CHANGED("memory", matrix.columns = 1; matrix.column_stride = INT64_C(1) << 62);
    CHANGED("memory", matrix.row_stride = INT64_C(1) << 57);
    static const char *const holes[] = {"x0", NULL};
    CHANGED("matrix_names[1]", table.matrix_names = holes);
    static const char *const bytes[] = {"\xf0\x28\x8c\x28", "x1"};
    CHANGED("UTF-8", table.matrix_names = bytes);
#undef CHANGED
    /* A matrix without columns is no matrix. */
    matrix = (mtlr_matrix){NULL, TRIAL_ROWS, 0, 0, 0, MTLR_FLOAT64, 0};
    table = t.table;
    table.matrix = &matrix;
    SUCCEEDS(mtlr_dataset_create(&dataset_out, &table, TRIAL_SPEC, 0, &error));
    mtlr_dataset_free(dataset_out);
}

int main(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    model = fit(dataset, TRIAL_SPEC, 1);
    tables();
    columns();
    matrices();
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("table_refusals");
}
