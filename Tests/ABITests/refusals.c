/* What the interface does when it is not used as it should be: every NULL, every size and code that cannot be. */
#include <math.h>

#include <stddef.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT

static trial t;
static mtlr_error *error = NULL;
static mtlr_dataset *dataset = NULL;
static mtlr_model *model = NULL;
static double effects[TRIAL_ROWS];
static char *text = NULL;

/* Handles and texts come back NULL from a call that failed; they start as something else. */
static mtlr_dataset *dataset_out;
static mtlr_model *model_out;
#define NO_DATASET(call) (dataset_out = (mtlr_dataset *)&t, (call))
#define NO_MODEL(call) (model_out = (mtlr_model *)&t, (call))
#define NO_TEXT(call) (text = (char *)&t, (call))

static void nulls(void) {
    FAILS(BAD, mtlr_cancel_token_create(NULL, &error));
    FAILS(BAD, mtlr_dataset_create(NULL, &t.table, TRIAL_SPEC, 0, &error));
    FAILS(BAD, NO_DATASET(mtlr_dataset_create(&dataset_out, NULL, TRIAL_SPEC, 0, &error)));
    CHECK(dataset_out == NULL);
    FAILS(BAD, NO_DATASET(mtlr_dataset_create(&dataset_out, &t.table, NULL, 0, &error)));
    CHECK(dataset_out == NULL);
    int64_t rows[TRIAL_ROWS];
    FAILS(BAD, mtlr_dataset_source_rows(NULL, TRIAL_ROWS, dataset, &error));
    FAILS(BAD, mtlr_dataset_source_rows(rows, TRIAL_ROWS, NULL, &error));
    FAILS(BAD, mtlr_dataset_warnings(NULL, dataset, &error));
    FAILS(BAD, NO_TEXT(mtlr_dataset_warnings(&text, NULL, &error)));
    CHECK(text == NULL);
    FAILS(BAD, mtlr_model_fit(NULL, dataset, TRIAL_SPEC, NULL, &error));
    FAILS(BAD, NO_MODEL(mtlr_model_fit(&model_out, NULL, TRIAL_SPEC, NULL, &error)));
    CHECK(model_out == NULL);
    FAILS(BAD, NO_MODEL(mtlr_model_fit(&model_out, dataset, NULL, NULL, &error)));
    CHECK(model_out == NULL);
    FAILS(BAD, mtlr_model_predict(NULL, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    FAILS(BAD, NO_TEXT(mtlr_model_predict(effects, TRIAL_ROWS, &text, NULL, &t.table, NULL, NULL, &error)));
    CHECK(text == NULL);
    FAILS(BAD, NO_TEXT(mtlr_model_predict(effects, TRIAL_ROWS, &text, model, NULL, NULL, NULL, &error)));
    CHECK(text == NULL);
    FAILS(BAD, mtlr_model_training_effects(NULL, TRIAL_ROWS, model, &error));
    FAILS(BAD, mtlr_model_training_effects(effects, TRIAL_ROWS, NULL, &error));
    mtlr_average_effect effect;
    FAILS(BAD, mtlr_model_average_effects(NULL, 1, model, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_average_effects(&effect, 1, NULL, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_average_effects_json(NULL, model, NULL, NULL, &error));
    FAILS(BAD, NO_TEXT(mtlr_model_average_effects_json(&text, NULL, NULL, NULL, &error)));
    CHECK(text == NULL);
    mtlr_status (*const describe[])(char **, const mtlr_model *, mtlr_error **) = {
        mtlr_model_spec, mtlr_model_summary, mtlr_model_warnings};
    for (int index = 0; index < 3; index++) {
        FAILS(BAD, describe[index](NULL, model, &error));
        FAILS(BAD, NO_TEXT(describe[index](&text, NULL, &error)));
        CHECK(text == NULL);
        CHECK(describe[index](NULL, NULL, NULL) == BAD);
    }
    FAILS(BAD, mtlr_model_save(NULL, "refusals.mtlr", &error));
    FAILS(BAD, mtlr_model_save(model, NULL, &error));
    FAILS(BAD, mtlr_model_load(NULL, "refusals.mtlr", &error));
    FAILS(BAD, NO_MODEL(mtlr_model_load(&model_out, NULL, &error)));
    CHECK(model_out == NULL);
    uint8_t *bytes = NULL, *some = (uint8_t *)&t;
    int64_t length = 0;
    FAILS(BAD, mtlr_model_to_bytes(NULL, &length, model, &error));
    FAILS(BAD, mtlr_model_to_bytes(&bytes, NULL, model, &error));
    CHECK(bytes == NULL);
    bytes = some;
    length = 1;
    FAILS(BAD, mtlr_model_to_bytes(&bytes, &length, NULL, &error));
    CHECK(bytes == NULL && length == 0);
    FAILS(BAD, mtlr_model_from_bytes(NULL, some, 8, &error));
    FAILS(BAD, NO_MODEL(mtlr_model_from_bytes(&model_out, NULL, 8, &error)));
    CHECK(model_out == NULL);
    FAILS(BAD, mtlr_spec_resolve(NULL, "{}", &error));
    FAILS(BAD, mtlr_backends(NULL, &error));

    /* Nothing but NULL, and no error wanted. */
    CHECK(mtlr_cancel_token_create(NULL, NULL) == BAD);
    CHECK(mtlr_dataset_create(NULL, NULL, NULL, 0, NULL) == BAD);
    CHECK(mtlr_dataset_source_rows(NULL, 0, NULL, NULL) == BAD);
    CHECK(mtlr_dataset_warnings(NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_fit(NULL, NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_predict(NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_training_effects(NULL, 0, NULL, NULL) == BAD);
    CHECK(mtlr_model_average_effects(NULL, 0, NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_average_effects_json(NULL, NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_save(NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_load(NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_to_bytes(NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_from_bytes(NULL, NULL, 0, NULL) == BAD);
    CHECK(mtlr_spec_resolve(NULL, NULL, NULL) == BAD);
    CHECK(mtlr_backends(NULL, NULL) == BAD);

    /* Functions that return values. */
    CHECK(mtlr_error_status(NULL) == MTLR_OK);
    CHECK(mtlr_error_message(NULL) == NULL && mtlr_error_problem(NULL) == NULL);
    CHECK(mtlr_error_location(NULL) == NULL && mtlr_error_remedy(NULL) == NULL);
    CHECK(mtlr_cancel_token_is_cancelled(NULL) == 0);
    mtlr_cancel_token_cancel(NULL);
    CHECK(mtlr_dataset_rows(NULL) == 0 && mtlr_dataset_covariate_count(NULL) == 0);
    CHECK(mtlr_dataset_arm_count(NULL) == 0 && mtlr_dataset_arm_label(NULL, 0) == NULL);
    CHECK(mtlr_model_arm_count(NULL) == 0 && mtlr_model_arm_label(NULL, 0) == NULL);
    CHECK(mtlr_model_class_count(NULL) == 0 && mtlr_model_class_label(NULL, 0) == NULL);
    CHECK(mtlr_model_training_rows(NULL) == 0);
    mtlr_error_free(NULL);
    mtlr_string_free(NULL);
    mtlr_bytes_free(NULL);
    mtlr_cancel_token_free(NULL);
    mtlr_dataset_free(NULL);
    mtlr_model_free(NULL);
}

static void handles_of_another_type(void) {
    const mtlr_model *no_model = (const mtlr_model *)dataset;
    const mtlr_dataset *no_dataset = (const mtlr_dataset *)model;
    FAILS(BAD, mtlr_model_fit(&model_out, no_dataset, TRIAL_SPEC, NULL, &error));
    FAILS(BAD, mtlr_model_predict(effects, TRIAL_ROWS, NULL, no_model, &t.table, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_training_effects(effects, TRIAL_ROWS, no_model, &error));
    mtlr_averaging averaging = MTLR_AVERAGING_INIT;
    averaging.dataset = no_dataset;
    FAILS(BAD, mtlr_model_average_effects_json(&text, model, &averaging, NULL, &error));
    FAILS(BAD, mtlr_model_save(no_model, "refusals.mtlr", &error));
    CHECK(mtlr_dataset_rows(no_dataset) == 0 && mtlr_model_arm_count(no_model) == 0);
    CHECK(mtlr_model_class_count(no_model) == 0 && mtlr_model_class_label(no_model, 0) == NULL);
    /* An address within an object is no handle. */
    FAILS(BAD, mtlr_dataset_warnings(&text, (const mtlr_dataset *)((const char *)dataset + 1), &error));
    mtlr_dataset_free((mtlr_dataset *)model);
    mtlr_model_free((mtlr_model *)dataset);
    CHECK(mtlr_dataset_rows(dataset) == TRIAL_ROWS && mtlr_model_training_rows(model) == TRIAL_ROWS);
    /* Addresses of anything else, and numbers that are none, are not followed. */
    const void *const others[] = {&t, (const void *)(uintptr_t)8, (const void *)(uintptr_t)-8, effects,
                                  (const void *)(uintptr_t)0x4000000100000000, (const void *)(uintptr_t)0x7ffffff0};
    for (size_t index = 0; index < sizeof others / sizeof *others; index++) {
        CHECK(mtlr_model_training_rows((const mtlr_model *)others[index]) == 0 || others[index] == (const void *)model);
        if (others[index] != (const void *)dataset) {
            FAILS(BAD, mtlr_dataset_warnings(&text, (const mtlr_dataset *)others[index], &error));
            mtlr_dataset_free((mtlr_dataset *)(uintptr_t)others[index]);
        }
    }
}

/* What was freed is an error for ever, though others have taken its place. */
static void freed_handles(void) {
    enum { TIMES = 10000 };
    static mtlr_cancel_token *tokens[TIMES];
    for (int index = 0; index < TIMES; index++) {
        SUCCEEDS(mtlr_cancel_token_create(&tokens[index], &error));
        mtlr_cancel_token_free(tokens[index]);
        mtlr_cancel_token_free(tokens[index]);
    }
    mtlr_cancel_token *live = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&live, &error));
    for (int index = 0; index < TIMES; index++) {
        CHECK(tokens[index] != live);
        mtlr_cancel_token_cancel(tokens[index]);
        mtlr_cancel_token_free(tokens[index]);
    }
    CHECK(mtlr_cancel_token_is_cancelled(live) == 0);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.cancel_token = tokens[0];
    FAILS_SAYING(BAD, "freed", mtlr_model_fit(&model_out, dataset, TRIAL_SPEC, &execution, &error));
    mtlr_cancel_token_cancel(live);
    CHECK(mtlr_cancel_token_is_cancelled(live) == 1);
    mtlr_cancel_token_free(live);
    CHECK(mtlr_cancel_token_is_cancelled(live) == 0);
}

static void lengths(void) {
    const int64_t wrong[] = {0, 1, -1, TRIAL_ROWS - 1, TRIAL_ROWS + 1, INT64_MAX, INT64_MIN};
    int64_t rows[TRIAL_ROWS];
    mtlr_average_effect average;
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        FAILS(BAD, mtlr_model_predict(effects, wrong[index], NULL, model, &t.table, NULL, NULL, &error));
        FAILS(BAD, mtlr_model_training_effects(effects, wrong[index], model, &error));
        FAILS(BAD, mtlr_dataset_source_rows(rows, wrong[index], dataset, &error));
        if (wrong[index] != 1) {
            FAILS(BAD, mtlr_model_average_effects(&average, wrong[index], model, NULL, NULL, &error));
        }
        CHECK(mtlr_dataset_arm_label(dataset, wrong[index] < 2 && wrong[index] >= 0 ? 2 : wrong[index]) == NULL);
        CHECK(mtlr_model_arm_label(model, wrong[index] < 2 && wrong[index] >= 0 ? 2 : wrong[index]) == NULL);
    }
    const uint8_t byte = 'M';
    FAILS(MTLR_CORRUPT_MODEL, mtlr_model_from_bytes(&model_out, &byte, 0, &error));
    FAILS(MTLR_CORRUPT_MODEL, mtlr_model_from_bytes(&model_out, &byte, 1, &error));
    FAILS(BAD, mtlr_model_from_bytes(&model_out, &byte, -1, &error));
    FAILS(BAD, mtlr_model_from_bytes(&model_out, &byte, INT64_MAX, &error));
    FAILS(BAD, mtlr_model_from_bytes(&model_out, &byte, INT64_MIN, &error));
}

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
    const mtlr_dtype dtypes[] = {0, -1, 8, 255, INT32_MIN, INT32_MAX};
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

static void executions(void) {
    mtlr_execution execution;
#define CHANGED(saying, change)                                                                                      \
    do {                                                                                                             \
        execution = (mtlr_execution)MTLR_EXECUTION_INIT;                                                             \
        change;                                                                                                      \
        FAILS_SAYING(BAD, saying, NO_MODEL(mtlr_model_fit(&model_out, dataset, TRIAL_SPEC, &execution, &error)));    \
        CHECK(model_out == NULL);                                                                                    \
        FAILS_SAYING(BAD, saying,                                                                                    \
                     mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, &error));      \
        FAILS_SAYING(BAD, saying,                                                                                    \
                     mtlr_model_average_effects_json(&text, model, NULL, &execution, &error));             \
    } while (0)
    CHANGED("struct_size", execution.struct_size = 0);
    CHANGED("struct_size", execution.struct_size = sizeof execution - 1);
    CHANGED("struct_size", execution.struct_size = SIZE_MAX);
    CHANGED("threads", execution.threads = -1);
    CHANGED("threads", execution.threads = INT32_MIN);
    CHANGED("threads", execution.threads = INT32_MAX);
    CHANGED("threads", execution.threads = 1025);
    CHANGED("reserved", execution.reserved = 1);
    CHANGED("cancel_token", execution.cancel_token = (const mtlr_cancel_token *)dataset);
#undef CHANGED
}

static void averagings(void) {
    mtlr_averaging averaging;
    mtlr_average_effect effect;
#define CHANGED(saying, change)                                                                                      \
    do {                                                                                                             \
        averaging = (mtlr_averaging)MTLR_AVERAGING_INIT;                                                             \
        change;                                                                                                      \
        FAILS_SAYING(BAD, saying, mtlr_model_average_effects(&effect, 1, model, &averaging, NULL, &error));          \
        FAILS_SAYING(BAD, saying,                                                                                    \
                     NO_TEXT(mtlr_model_average_effects_json(&text, model, &averaging, NULL, &error)));              \
        CHECK(text == NULL);                                                                                         \
    } while (0)
    CHANGED("struct_size", averaging.struct_size = 0);
    CHANGED("struct_size", averaging.struct_size = sizeof averaging - 1);
    CHANGED("struct_size", averaging.struct_size = offsetof(mtlr_averaging, level));
    CHANGED("struct_size", averaging.struct_size = SIZE_MAX);
    const mtlr_estimand estimands[] = {-1, 4, INT32_MAX, INT32_MIN};
    for (int index = 0; index < 4; index++) CHANGED("estimand", averaging.estimand = estimands[index]);
    CHANGED("reserved", averaging.reserved = 1);
    CHANGED("averaging.dataset", averaging.dataset = (const mtlr_dataset *)model);
    const double levels[] = {-0.95, 1, 1.5, 95, -1, (double)NAN, (double)INFINITY, -(double)INFINITY};
    for (int index = 0; index < 8; index++) CHANGED("level", averaging.level = levels[index]);
#undef CHANGED
}

static void specs(void) {
    static const struct { const char *spec, *saying; } wrong[] = {
        {"", "JSON"},
        {"{", "JSON"},
        {"[]", "mapping"},
        {"7", "mapping"},
        {"{\"lerner\": \"dr\"}", "learner"},
        {"{\"learner\": \"drr\"}", "dr"},
        {"{\"seed\": -1}", "seed"},
        {"{\"seed\": 1e300}", "seed"},
        {"{\"seed\": 99999999999999999999}", "seed"},
        {"{\"version\": 2}", "version"},
        {"{\"models\": {\"outcome\": {\"backend\": \"nope\"}}}", "ridge"},
        {"{\"models\": {\"outcome\": {\"backend\": \"ridge\", \"l2\": -1}}}", "models.outcome.l2"},
        {"{\"cross_fitting\": {\"folds\": 0}}", "cross_fitting.folds"},
        {"{\"cross_fitting\": {\"folds\": 1000000000000}}", "cross_fitting.folds"},
        {"{\"overlap\": {\"bounds\": [0.5, 0.1]}}", "overlap"},
    };
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        FAILS_SAYING(MTLR_INVALID_SPEC, wrong[index].saying,
                     NO_MODEL(mtlr_model_fit(&model_out, dataset, wrong[index].spec, NULL, &error)));
        CHECK(model_out == NULL);
        FAILS_SAYING(MTLR_INVALID_SPEC, wrong[index].saying,
                     NO_TEXT(mtlr_spec_resolve(&text, wrong[index].spec, &error)));
        CHECK(text == NULL);
    }
    FAILS_SAYING(BAD, "UTF-8", mtlr_spec_resolve(&text, "{\"learner\": \"\xff\"}", &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "data.treatment", mtlr_dataset_create(&dataset_out, &t.table, "{}", 0, &error));
    FAILS_SAYING(MTLR_INVALID_DATA, "no column",
                 mtlr_dataset_create(&dataset_out, &t.table,
                                     "{\"data\": {\"treatment\": \"ww\", \"outcome\": \"y\"}}", 0, &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "data",
                 mtlr_model_fit(&model_out, dataset, "{\"data\": {\"treatment\": \"x0\", \"outcome\": \"y\"}}", NULL,
                                &error));
    /* Lists within lists, as deep as anybody likes. */
    const size_t depth = 200000;
    char *deep = malloc(2 * depth + 16);
    CHECK(deep != NULL);
    if (deep) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        deep[2 * depth] = 0;
        FAILS(MTLR_INVALID_SPEC, mtlr_spec_resolve(&text, deep, &error));
        deep[depth] = 0;
        FAILS(MTLR_INVALID_SPEC, mtlr_spec_resolve(&text, deep, &error));
        free(deep);
    }

    /* An error has all its parts. */
    CHECK(mtlr_model_fit(&model_out, dataset, "{\"lerner\": \"dr\"}", NULL, &error) == MTLR_INVALID_SPEC);
    CHECK(error && mtlr_error_status(error) == MTLR_INVALID_SPEC);
    CHECK(strcmp(mtlr_error_location(error), "lerner") == 0);
    CHECK(strcmp(mtlr_error_problem(error), "unknown key") == 0);
    CHECK(strstr(mtlr_error_remedy(error), "'learner'"));
    CHECK(strstr(mtlr_error_message(error), "lerner: unknown key"));
    mtlr_error_free(error);
    error = NULL;
    CHECK(mtlr_model_fit(&model_out, dataset, "{\"lerner\": \"dr\"}", NULL, NULL) == MTLR_INVALID_SPEC);
}

static void files(void) {
    FAILS(MTLR_INPUT_OUTPUT, NO_MODEL(mtlr_model_load(&model_out, "/nowhere/at/all.mtlr", &error)));
    CHECK(model_out == NULL);
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_load(&model_out, "", &error));
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_load(&model_out, "/", &error));
    FAILS(BAD, mtlr_model_load(&model_out, "\xff", &error));
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_save(model, "/nowhere/at/all.mtlr", &error));
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_save(model, "", &error));
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_save(model, "/", &error));
    FAILS(MTLR_CORRUPT_MODEL, mtlr_model_load(&model_out, "/dev/null", &error));

    /* A model that was saved without its training rows says so. */
    const char *spec = "{" TRIAL_DATA ", \"learner\": \"t\", " TRIAL_MODELS ", \"keep_training\": false}";
    mtlr_model *fitted = NULL, *loaded = NULL;
    uint8_t *bytes = NULL;
    int64_t length = 0;
    SUCCEEDS(mtlr_model_fit(&fitted, dataset, spec, NULL, &error));
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &length, fitted, &error));
    SUCCEEDS(mtlr_model_from_bytes(&loaded, bytes, length, &error));
    mtlr_bytes_free(bytes);
    FAILS(MTLR_UNSUPPORTED, mtlr_model_training_effects(effects, TRIAL_ROWS, loaded, &error));
    mtlr_average_effect effect;
    FAILS(MTLR_UNSUPPORTED, mtlr_model_average_effects(&effect, 1, loaded, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, loaded, &t.table, NULL, NULL, &error));
    mtlr_model_free(loaded);
    mtlr_model_free(fitted);
}

int main(void) {
    trial_make(&t, 2);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, NULL, &error));
    nulls();
    handles_of_another_type();
    freed_handles();
    lengths();
    tables();
    columns();
    matrices();
    executions();
    averagings();
    specs();
    files();
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("refusals");
}
