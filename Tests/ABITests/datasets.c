/* Datasets: what they take from a table, in whatever form the table comes. */
#include <math.h>

#include "fixture.h"

static void datasets(void) {
    trial_make(&t, 3);
    t.y[5] = NAN;
    mtlr_dataset *dataset = make_dataset(
        "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"control\": \"low\", \"missing_outcome\": \"drop\"}}",
        MTLR_DATASET_COPY);
    CHECK(mtlr_dataset_rows(dataset) == TRIAL_ROWS - 1);
    CHECK(mtlr_dataset_covariate_count(dataset) == 3);
    CHECK(mtlr_dataset_arm_count(dataset) == 3);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 0), "low") == 0);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 1), "none") == 0);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 2), "high") == 0);
    int64_t rows[TRIAL_ROWS - 1];
    SUCCEEDS(mtlr_dataset_source_rows(rows, TRIAL_ROWS - 1, dataset, &error));
    CHECK(rows[4] == 4);
    CHECK(rows[5] == 6);
    CHECK(rows[TRIAL_ROWS - 2] == TRIAL_ROWS - 1);
    char *warnings = NULL;
    SUCCEEDS(mtlr_dataset_warnings(&warnings, dataset, &error));
    CHECK(warnings && strstr(warnings, "1 row"));
    mtlr_string_free(warnings);
    mtlr_dataset_free(dataset);

    trial_make(&t, 2);
    dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    int64_t all[TRIAL_ROWS];
    SUCCEEDS(mtlr_dataset_source_rows(all, TRIAL_ROWS, dataset, &error));
    CHECK(all[0] == 0 && all[TRIAL_ROWS - 1] == TRIAL_ROWS - 1);
    SUCCEEDS(mtlr_dataset_warnings(&warnings, dataset, &error));
    CHECK(strcmp(warnings, "[]") == 0);
    mtlr_string_free(warnings);
    mtlr_dataset_free(dataset);
}

/* The forms that data can come in make no difference. */
static void forms_of_data(void) {
    trial_make(&t, 2);
    mtlr_dataset *copied = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_dataset *borrowed = make_dataset(TRIAL_SPEC, MTLR_DATASET_BORROW);
    mtlr_model *reference = fit(copied, TRIAL_SPEC, 1);
    mtlr_model *other = fit(borrowed, TRIAL_SPEC, 1);
    CHECK(same_bytes(reference, other));
    mtlr_model_free(other);
    mtlr_dataset_free(borrowed);

    /* A matrix by rows, one by columns, and one whose rows run backwards over reversed copies of the other columns. */
    static const char *const names[] = {"x0", "x1"};
    static double by_columns[2][TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        by_columns[0][row] = t.x0[row];
        by_columns[1][row] = t.x1[row];
    }
    mtlr_matrix matrices[] = {
        {t.x, TRIAL_ROWS, 2, 0, 0, MTLR_FLOAT64, 0},
        {t.x, TRIAL_ROWS, 2, 16, 8, MTLR_FLOAT64, 0},
        {by_columns, TRIAL_ROWS, 2, 8, sizeof by_columns[0], MTLR_FLOAT64, 0},
    };
    mtlr_table table = t.table;
    table.columns = t.columns + 2;
    table.column_count = 3;
    for (int form = 0; form < 3; form++) {
        for (int named = 0; named < 2; named++) {
            for (uint32_t flags = 0; flags < 2; flags++) {
                table.matrix = &matrices[form];
                table.matrix_names = named ? names : NULL;
                mtlr_dataset *dataset = NULL;
                SUCCEEDS(mtlr_dataset_create(&dataset, &table, TRIAL_SPEC, flags, &error));
                other = fit(dataset, TRIAL_SPEC, 1);
                CHECK(same_bytes(reference, other));
                mtlr_model_free(other);
                mtlr_dataset_free(dataset);
            }
        }
    }

    static double x0[TRIAL_ROWS], y[TRIAL_ROWS];
    static int16_t w[TRIAL_ROWS];
    static int64_t group[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        x0[TRIAL_ROWS - 1 - row] = t.x0[row];
        y[TRIAL_ROWS - 1 - row] = t.y[row];
        w[TRIAL_ROWS - 1 - row] = t.w[row];
        group[TRIAL_ROWS - 1 - row] = t.group[row];
    }
    trial reversed = t;
    reversed.columns[0] = (mtlr_column){"x0", x0 + TRIAL_ROWS - 1, -8, NULL, 0, MTLR_FLOAT64, 0};
    reversed.columns[2] = (mtlr_column){"group", group + TRIAL_ROWS - 1, -8, trial_levels, 3, MTLR_INT64, 0};
    reversed.columns[3] = (mtlr_column){"w", w + TRIAL_ROWS - 1, -2, NULL, 0, MTLR_INT16, 0};
    reversed.columns[4] = (mtlr_column){"y", y + TRIAL_ROWS - 1, -8, NULL, 0, MTLR_FLOAT64, 0};
    reversed.table.columns = reversed.columns;
    for (uint32_t flags = 0; flags < 2; flags++) {
        mtlr_dataset *dataset = NULL;
        SUCCEEDS(mtlr_dataset_create(&dataset, &reversed.table, TRIAL_SPEC, flags, &error));
        other = fit(dataset, TRIAL_SPEC, 1);
        CHECK(same_bytes(reference, other));
        mtlr_model_free(other);
        mtlr_dataset_free(dataset);
    }

    /* Integers of 64 bits are arms and clusters as they are, where a double would merge them. */
    static int64_t wide[TRIAL_ROWS], clusters[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        wide[row] = (INT64_C(1) << 53) + row % 3;
        clusters[row] = INT64_C(1700000000000000000) + 64 * (row / 4);
    }
    mtlr_column exact[TRIAL_COLUMNS + 1];
    memcpy(exact, t.columns, sizeof t.columns);
    exact[3] = (mtlr_column){"w", wide, 0, NULL, 0, MTLR_INT64, 0};
    exact[TRIAL_COLUMNS] = (mtlr_column){"g", clusters, 0, NULL, 0, MTLR_INT64, 0};
    mtlr_table table_of_exact = t.table;
    table_of_exact.columns = exact;
    table_of_exact.column_count = TRIAL_COLUMNS + 1;
    mtlr_dataset *exact_rows = NULL;
    SUCCEEDS(mtlr_dataset_create(
        &exact_rows, &table_of_exact,
        "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"cluster\": \"g\"}, \"cross_fitting\": {\"folds\": 30}}", 0,
        &error));
    CHECK(mtlr_dataset_arm_count(exact_rows) == 3);
    CHECK(strcmp(mtlr_dataset_arm_label(exact_rows, 2), "9007199254740994") == 0);
    mtlr_dataset_free(exact_rows);
    static uint64_t unsigned_wide[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) unsigned_wide[row] = UINT64_MAX - row % 3;
    exact[3] = (mtlr_column){"w", unsigned_wide, 0, NULL, 0, MTLR_UINT64, 0};
    SUCCEEDS(mtlr_dataset_create(&exact_rows, &table_of_exact, "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}}", 0, &error));
    CHECK(mtlr_dataset_arm_count(exact_rows) == 3);
    CHECK(strcmp(mtlr_dataset_arm_label(exact_rows, 2), "18446744073709551615") == 0);
    mtlr_dataset_free(exact_rows);

    /* Every type of numbers, at an address that no type wants. */
    static unsigned char bytes[TRIAL_ROWS * 8 + 1];
    for (mtlr_dtype dtype = MTLR_FLOAT64; dtype <= MTLR_UINT64; dtype++) {
        for (int row = 0; row < TRIAL_ROWS; row++) {
            double f64 = t.w[row];
            float f32 = t.w[row];
            int64_t i64 = t.w[row];
            int32_t i32 = t.w[row];
            int16_t i16 = t.w[row];
            const void *const sources[] = {&f64, &f32, &i64, &i32, &i16, &t.w[row], &t.w[row], &i16, &i32, &i64};
            const size_t sizes[] = {8, 4, 8, 4, 2, 1, 1, 2, 4, 8};
            memcpy(bytes + 1 + (size_t)row * sizes[dtype - 1], sources[dtype - 1], sizes[dtype - 1]);
        }
        trial typed = t;
        typed.columns[3] = (mtlr_column){"w", bytes + 1, 0, NULL, 0, dtype, 0};
        typed.table.columns = typed.columns;
        mtlr_dataset *dataset = NULL;
        SUCCEEDS(mtlr_dataset_create(&dataset, &typed.table, TRIAL_SPEC, MTLR_DATASET_BORROW, &error));
        other = fit(dataset, TRIAL_SPEC, 1);
        CHECK(same_bytes(reference, other));
        mtlr_model_free(other);
        mtlr_dataset_free(dataset);
    }

    mtlr_model_free(reference);
    mtlr_dataset_free(copied);
}

/* Structures of a later, larger header are welcome as long as what is new is zero. */
static void larger_structures(void) {
    trial_make(&t, 2);
    struct { mtlr_table table; unsigned char more[64]; } table = {MTLR_TABLE_INIT, {0}};
    table.table = t.table;
    table.table.struct_size = sizeof table;
    struct { mtlr_execution execution; unsigned char more[64]; } execution = {MTLR_EXECUTION_INIT, {0}};
    execution.execution.struct_size = sizeof execution;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &table.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution.execution, &error));
    mtlr_model_free(model);
    execution.more[63] = 1;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution.execution, &error));
    CHECK(model == NULL);
    mtlr_dataset_free(dataset);
    table.more[0] = 1;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create(&dataset, &table.table, TRIAL_SPEC, 0, &error));
    CHECK(dataset == NULL);
}

int main(void) {
    datasets();
    forms_of_data();
    larger_structures();
    return finish("datasets");
}
