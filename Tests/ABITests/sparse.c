/* Sparse matrices: the same as dense ones in every form that they come in, and refused where they are none. */
#include <math.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT

enum { WIDTH = 30, ROOM = TRIAL_ROWS * WIDTH };

/* A trial with 30 more columns, most of them 0: dense, and in compressed rows. */
static trial t;
static double dense[TRIAL_ROWS][WIDTH];
static int32_t starts[TRIAL_ROWS + 1], columns[ROOM];
static double numbers[ROOM];
static int32_t stored;
static const char *names[WIDTH];
static char name_texts[WIDTH][8];
static mtlr_sparse_matrix matrix;
static mtlr_error *error = NULL;

static void make(void) {
    trial_make(&t, 2);
    uint64_t state = 3;
    stored = 0;
    memset(dense, 0, sizeof dense);
    for (int row = 0; row < TRIAL_ROWS; row++) {
        starts[row] = stored;
        for (int column = 0; column < WIDTH; column++) {
            if (trial_uniform(&state) > 0.15) continue;
            dense[row][column] = trial_uniform(&state);
            columns[stored] = column;
            numbers[stored++] = dense[row][column];
        }
        t.y[row] += 2 * dense[row][0] - dense[row][7] + t.w[row] * dense[row][1];
    }
    starts[TRIAL_ROWS] = stored;
    for (int column = 0; column < WIDTH; column++) {
        snprintf(name_texts[column], sizeof name_texts[column], "s%d", column);
        names[column] = name_texts[column];
    }
    matrix = (mtlr_sparse_matrix){starts, columns, numbers, TRIAL_ROWS, WIDTH, stored, MTLR_INT32, MTLR_FLOAT64};
    t.table.sparse = &matrix;
    t.table.sparse_names = names;
}

static mtlr_model *fit(const mtlr_table *table, const char *spec, uint32_t flags) {
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, table, spec, flags, &error));
    CHECK(mtlr_dataset_covariate_count(dataset) == 3 + WIDTH);
    SUCCEEDS(mtlr_model_fit(&model, dataset, spec, NULL, &error));
    mtlr_dataset_free(dataset);
    return model;
}

static void predict(double *effects, const mtlr_model *model, const mtlr_table *table) {
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, table, NULL, NULL, &error));
}

static double largest_difference(const double *a, const double *b) {
    double largest = 0;
    for (int row = 0; row < TRIAL_ROWS; row++) largest = fmax(largest, fabs(a[row] - b[row]));
    return largest;
}

/* Linear models and trees of sparse columns are those of dense ones, and each predicts the other form. */
static void same_as_dense(const char *spec, double tolerance, int warns) {
    mtlr_table full = t.table;
    mtlr_matrix whole = {dense, TRIAL_ROWS, WIDTH, 0, 0, MTLR_FLOAT64, 0};
    full.sparse = NULL;
    full.sparse_names = NULL;
    full.matrix = &whole;
    full.matrix_names = names;
    mtlr_model *of_sparse = fit(&t.table, spec, MTLR_DATASET_COPY), *of_dense = fit(&full, spec, MTLR_DATASET_COPY);
    mtlr_model *borrowed = fit(&t.table, spec, MTLR_DATASET_BORROW);
    static double effects[4][TRIAL_ROWS];
    predict(effects[0], of_sparse, &t.table);
    predict(effects[1], of_sparse, &full);
    predict(effects[2], of_dense, &full);
    predict(effects[3], borrowed, &t.table);
    CHECK(largest_difference(effects[0], effects[1]) < 1e-9);
    CHECK(largest_difference(effects[0], effects[2]) < tolerance);
    CHECK(largest_difference(effects[0], effects[3]) == 0);
    double spread = 0;
    for (int row = 1; row < TRIAL_ROWS; row++) spread = fmax(spread, fabs(effects[0][row] - effects[0][0]));
    CHECK(spread > 1e-3);
    char *warnings = NULL;
    SUCCEEDS(mtlr_model_warnings(&warnings, of_sparse, &error));
    CHECK(warnings && !strstr(warnings, "30 sparse columns") == !warns);
    mtlr_string_free(warnings);
    mtlr_model_free(of_sparse);
    mtlr_model_free(of_dense);
    mtlr_model_free(borrowed);
}

/* Other types, the order within rows, zeros that are stored, unaligned memory: the same bytes in, the same effects. */
static void forms(void) {
    static double expected[TRIAL_ROWS], effects[TRIAL_ROWS];
    mtlr_model *model = fit(&t.table, TRIAL_SPEC, MTLR_DATASET_COPY);
    predict(expected, model, &t.table);

    static int64_t long_starts[TRIAL_ROWS + 1], long_columns[ROOM];
    static uint8_t moved[sizeof numbers + 1];
    for (int row = 0; row <= TRIAL_ROWS; row++) long_starts[row] = starts[row];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        for (int32_t place = starts[row]; place < starts[row + 1]; place++) {
            int32_t mirror = starts[row] + starts[row + 1] - 1 - place;
            long_columns[mirror] = columns[place];
            memcpy(moved + 1 + 8 * (size_t)mirror, &numbers[place], 8);
        }
    }
    mtlr_sparse_matrix other = matrix;
    other.row_starts = long_starts;
    other.column_indices = long_columns;
    other.values = moved + 1;
    other.index_dtype = MTLR_INT64;
    mtlr_table table = t.table;
    table.sparse = &other;
    predict(effects, model, &table);
    CHECK(largest_difference(expected, effects) == 0);

    /* All cells, the zeros too; and as floats. */
    static int32_t all_starts[TRIAL_ROWS + 1], all_columns[ROOM];
    static float all_numbers[ROOM];
    for (int cell = 0; cell < ROOM; cell++) {
        all_columns[cell] = cell % WIDTH;
        all_numbers[cell] = (float)dense[cell / WIDTH][cell % WIDTH];
    }
    for (int row = 0; row <= TRIAL_ROWS; row++) all_starts[row] = row * WIDTH;
    other = (mtlr_sparse_matrix){all_starts, all_columns, all_numbers, TRIAL_ROWS, WIDTH, ROOM, MTLR_INT32,
                                 MTLR_FLOAT32};
    predict(effects, model, &table);
    CHECK(largest_difference(expected, effects) < 1e-5);

    /* The same numbers as a dense matrix. A table without its last members was never released, and is refused. */
    mtlr_matrix whole = {dense, TRIAL_ROWS, WIDTH, 0, 0, MTLR_FLOAT64, 0};
    table = t.table;
    table.matrix = &whole;
    table.matrix_names = names;
    table.sparse = NULL;
    predict(effects, model, &table);
    CHECK(largest_difference(expected, effects) < 1e-9);
    table.struct_size = offsetof(mtlr_table, sparse);
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "struct_size",
                 mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &table, NULL, NULL, &error));

    /* One row, by names that stand in another order among columns of their own. */
    mtlr_column single[] = {{"x1", t.x1, 0, NULL, 0, MTLR_FLOAT64, 0},
                            {"group", t.group, 0, trial_levels, 3, MTLR_INT32, 0},
                            {"x0", t.x0, 0, NULL, 0, MTLR_FLOAT64, 0}};
    table = (mtlr_table)MTLR_TABLE_INIT;
    table.rows = 1;
    table.columns = single;
    table.column_count = 3;
    other = matrix;
    other.rows = 1;
    other.value_count = starts[1];
    table.sparse = &other;
    table.sparse_names = names;
    double effect = 0;
    SUCCEEDS(mtlr_model_predict(&effect, 1, NULL, model, &table, NULL, NULL, &error));
    CHECK(fabs(effect - expected[0]) < 1e-12);

    /* No rows, and a matrix without numbers. */
    int64_t nothing = 0;
    table.rows = 0;
    other = (mtlr_sparse_matrix){&nothing, NULL, NULL, 0, WIDTH, 0, MTLR_INT64, MTLR_FLOAT64};
    SUCCEEDS(mtlr_model_predict(NULL, 0, NULL, model, &table, NULL, NULL, &error));
    mtlr_model_free(model);
}

/* A matrix with one thing wrong, for a dataset and for a prediction. */
static mtlr_model *refusing;
#define CHANGED(status, saying, change)                                                                              \
    do {                                                                                                             \
        mtlr_sparse_matrix other = matrix;                                                                           \
        mtlr_table table = t.table;                                                                                  \
        table.sparse = &other;                                                                                       \
        change;                                                                                                      \
        mtlr_dataset *dataset = (mtlr_dataset *)&t;                                                                  \
        double effects[TRIAL_ROWS];                                                                                  \
        FAILS_SAYING(status, saying, mtlr_dataset_create(&dataset, &table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));  \
        CHECK(dataset == NULL);                                                                                      \
        FAILS_SAYING(status, saying,                                                                                 \
                     mtlr_model_predict(effects, TRIAL_ROWS, NULL, refusing, &table, NULL, NULL, &error));           \
    } while (0)

static void refusals(void) {
    refusing = fit(&t.table, TRIAL_SPEC, MTLR_DATASET_COPY);
    const mtlr_status data = MTLR_INVALID_DATA;
    CHANGED(BAD, "rows", other.rows = TRIAL_ROWS - 1);
    CHANGED(BAD, "rows", other.rows = -1);
    CHANGED(BAD, "rows", other.rows = INT64_MAX);
    CHANGED(BAD, "columns", other.columns = -1);
    CHANGED(BAD, "columns", other.columns = INT64_MAX);
    CHANGED(BAD, "index_dtype", other.index_dtype = 0);
    CHANGED(BAD, "index_dtype", other.index_dtype = MTLR_FLOAT64);
    CHANGED(BAD, "dtype", other.dtype = MTLR_INT32);
    CHANGED(BAD, "dtype", other.dtype = -7);
    CHANGED(BAD, "value_count", other.value_count = -1);
    CHANGED(BAD, "value_count", other.value_count = stored + 1);
    CHANGED(BAD, "value_count", other.value_count = INT64_MAX);
    CHANGED(BAD, "row_starts", other.row_starts = NULL);
    CHANGED(BAD, "column_indices", other.column_indices = NULL);
    CHANGED(BAD, "values", other.values = NULL);
    CHANGED(BAD, "sparse_names[1]", {
        static const char *some[WIDTH] = {"a"};
        table.sparse_names = some;
    });
    CHANGED(data, "twice", {
        static const char *same[WIDTH];
        for (int column = 0; column < WIDTH; column++) same[column] = "same";
        table.sparse_names = same;
    });
    /* A column that is not there, and one that stands in the table already. */
    CHANGED(data, "column 29", other.columns = 29);
    CHANGED(data, "twice", {
        static const char *taken[WIDTH];
        memcpy(taken, names, sizeof names);
        taken[4] = "x0";
        table.sparse_names = taken;
    });

    static int32_t bad_starts[TRIAL_ROWS + 1], bad_columns[ROOM];
    static double bad_numbers[ROOM];
    memcpy(bad_starts, starts, sizeof starts);
    memcpy(bad_columns, columns, sizeof columns);
    memcpy(bad_numbers, numbers, sizeof numbers);
    bad_starts[0] = 1;
    CHANGED(data, "starts", other.row_starts = bad_starts);
    bad_starts[0] = 0;
    bad_starts[5] = -3;
    CHANGED(data, "start", other.row_starts = bad_starts);
    bad_starts[5] = INT32_MAX;
    CHANGED(data, "start", other.row_starts = bad_starts);
    bad_starts[5] = starts[5];
    bad_columns[3] = WIDTH;
    CHANGED(data, "column 30", other.column_indices = bad_columns);
    bad_columns[3] = -1;
    CHANGED(data, "column -1", other.column_indices = bad_columns);
    bad_columns[3] = INT32_MIN;
    CHANGED(data, "column", other.column_indices = bad_columns);
    bad_columns[starts[9]] = bad_columns[starts[9] + 1];
    bad_columns[3] = columns[3];
    CHANGED(data, "twice", other.column_indices = bad_columns);
    bad_numbers[11] = NAN;
    CHANGED(data, "missing", other.values = bad_numbers);
    bad_numbers[11] = INFINITY;
    CHANGED(data, "inf", other.values = bad_numbers);
    mtlr_model_free(refusing);
}

/* Thousands of matrices with anything in them: an error or a dataset, and nothing else. */
static void hostile(int times) {
    static int64_t wild_starts[TRIAL_ROWS + 1], wild_columns[ROOM];
    uint64_t state = 11;
    int accepted = 0;
    for (int time = 0; time < times; time++) {
        for (int row = 0; row <= TRIAL_ROWS; row++) wild_starts[row] = starts[row];
        for (int place = 0; place < stored; place++) wild_columns[place] = columns[place];
        const int64_t pieces[] = {0, -1, 1, WIDTH - 1, WIDTH, stored, INT64_MAX, INT64_MIN, INT32_MAX, 7};
        for (int change = 0; change < 2; change++) {
            int64_t piece = pieces[(int)(10 * trial_uniform(&state))];
            if (trial_uniform(&state) < 0.4) {
                /* The last start stays true: it is what says how much memory there is. */
                wild_starts[(int)(TRIAL_ROWS * trial_uniform(&state))] = piece;
            } else {
                wild_columns[(int)(stored * trial_uniform(&state))] = piece;
            }
        }
        mtlr_sparse_matrix other = matrix;
        other.row_starts = wild_starts;
        other.column_indices = wild_columns;
        other.index_dtype = MTLR_INT64;
        mtlr_table table = t.table;
        table.sparse = &other;
        mtlr_dataset *dataset = NULL;
        mtlr_status status = mtlr_dataset_create(&dataset, &table, TRIAL_SPEC, MTLR_DATASET_BORROW, NULL);
        CHECK((status == MTLR_OK) == (dataset != NULL));
        CHECK(status == MTLR_OK || status == MTLR_INVALID_DATA || status == BAD);
        accepted += dataset != NULL;
        mtlr_dataset_free(dataset);
    }
    CHECK(accepted > 0 && accepted < times);
}

int main(int count, char **arguments) {
    int times = count > 1 ? atoi(arguments[1]) : 500;
    make();
    same_as_dense(TRIAL_SPEC, 1e-6, 0);
    same_as_dense("{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 9,"
                  " \"min_leaf_size\": 5}}, \"cross_fitting\": {\"folds\": 2}}", 1e-12, 1);
    forms();
    refusals();
    hostile(times);
    return finish("sparse");
}
