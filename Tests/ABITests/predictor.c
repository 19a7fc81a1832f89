/* Models prepared for single rows: the same values as of tables, no allocation, and every misuse an error. */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>

#include "fixture.h"

#define BAD MTLR_INVALID_ARGUMENT
#define SPEC(learner, models) "{" TRIAL_DATA ", \"learner\": \"" learner "\", " models ", \"cross_fitting\": {\"folds\": 2}}"
#define TREES                                                                                                        \
    "\"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 9}, \"propensity\": {\"backend\": \"logistic\"},"  \
    " \"effect\": {\"backend\": \"trees\", \"trees\": 9}}"

static const char *const order[] = {"group", "nobody", "x1", "x0"};

static void fill(double *row, int index) {
    row[0] = t.group[index];
    row[1] = NAN;
    row[2] = t.x1[index];
    row[3] = t.x0[index];
}

/* The predictor says what the table says, of every row. */
static void agrees(const mtlr_model *model, const mtlr_prediction *asked) {
    static double expected[6 * TRIAL_ROWS];
    int64_t columns = 0;
    SUCCEEDS(mtlr_model_prediction_columns(&columns, model, asked, &error));
    SUCCEEDS(mtlr_model_predict(expected, TRIAL_ROWS * columns, NULL, model, &t.table, asked, NULL, &error));
    mtlr_predictor *predictor = NULL;
    SUCCEEDS(mtlr_predictor_create(&predictor, model, order, 4, asked, &error));
    CHECK(mtlr_predictor_column_count(predictor) == 4 && mtlr_predictor_output_count(predictor) == columns);
    for (int index = 0; index < TRIAL_ROWS; index++) {
        double row[4], values[6];
        fill(row, index);
        SUCCEEDS(mtlr_predictor_row(values, columns, predictor, row, 4, &error));
        for (int64_t column = 0; column < columns; column++)
            CHECK(fabs(values[column] - expected[index * columns + column]) < 1e-12);
    }
    mtlr_predictor_free(predictor);
}

static void outputs(void) {
    static const char *const specs[] = {TRIAL_SPEC, SPEC("x", TREES), SPEC("t", TREES), SPEC("s", TRIAL_MODELS)};
    for (int index = 0; index < 4; index++) {
        mtlr_dataset *dataset = make_dataset(specs[index], MTLR_DATASET_COPY);
        mtlr_model *model = fit(dataset, specs[index], 1);
        agrees(model, NULL);
        mtlr_prediction asked = MTLR_PREDICTION_INIT;
        asked.arm = "high";
        asked.baseline = "low";
        agrees(model, &asked);
        asked = (mtlr_prediction)MTLR_PREDICTION_INIT;
        asked.output = MTLR_PROPENSITIES;
        agrees(model, &asked);
        mtlr_model_free(model);
        mtlr_dataset_free(dataset);
    }
}

static void description(const mtlr_model *model) {
    mtlr_predictor *predictor = NULL;
    SUCCEEDS(mtlr_predictor_create(&predictor, model, NULL, 0, NULL, &error));
    CHECK(mtlr_predictor_column_count(predictor) == 3 && mtlr_predictor_is_compiled(predictor) == 1);
    CHECK(strcmp(mtlr_predictor_column_name(predictor, 2), "group") == 0);
    CHECK(!mtlr_predictor_column_name(predictor, 3) && !mtlr_predictor_column_name(predictor, -1));
    CHECK(mtlr_predictor_level_count(predictor, 2) == 3 && mtlr_predictor_level_count(predictor, 0) == 0);
    CHECK(mtlr_predictor_level_count(predictor, -1) == 0 && mtlr_predictor_level_count(predictor, INT64_MAX) == 0);
    CHECK(strcmp(mtlr_predictor_level(predictor, 2, 1), "b") == 0);
    CHECK(!mtlr_predictor_level(predictor, 2, 3) && !mtlr_predictor_level(predictor, 2, -1));
    CHECK(!mtlr_predictor_level(predictor, 0, 0) && !mtlr_predictor_level(predictor, 9, 0));
    mtlr_predictor_free(predictor);
    mtlr_predictor_free(predictor);
    CHECK(mtlr_predictor_column_count(predictor) == 0 && mtlr_predictor_output_count(predictor) == 0);
    double values[2], row[3] = {0, 0, 0};
    FAILS(BAD, mtlr_predictor_row(values, 2, predictor, row, 3, &error));
    mtlr_predictor_free(NULL);
    CHECK(mtlr_predictor_column_count(NULL) == 0 && mtlr_predictor_output_count(NULL) == 0);
    CHECK(!mtlr_predictor_column_name(NULL, 0) && !mtlr_predictor_level(NULL, 0, 0));
    CHECK(mtlr_predictor_level_count(NULL, 0) == 0 && mtlr_predictor_is_compiled(NULL) == 0);
}

static void creation_refusals(const mtlr_model *model) {
    mtlr_predictor *predictor = (mtlr_predictor *)&t;
    FAILS(BAD, mtlr_predictor_create(NULL, model, NULL, 0, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, NULL, NULL, 0, NULL, &error));
    CHECK(predictor == NULL);
    FAILS(BAD, mtlr_predictor_create(&predictor, (const mtlr_model *)&t, NULL, 0, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, model, NULL, 3, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, -1, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, INT64_MAX, NULL, &error));
    FAILS_SAYING(MTLR_INVALID_DATA, "x0", mtlr_predictor_create(&predictor, model, order, 3, NULL, &error));
    FAILS(MTLR_INVALID_DATA, mtlr_predictor_create(&predictor, model, order, 0, NULL, &error));
    const char *const twice[] = {"group", "x0", "x1", "x1"}, *const none[] = {"group", NULL, "x1", "x0"};
    const char *const text[] = {"group", "\xff", "x1", "x0"};
    FAILS_SAYING(MTLR_INVALID_DATA, "twice", mtlr_predictor_create(&predictor, model, twice, 4, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, model, none, 4, NULL, &error));
    FAILS(BAD, mtlr_predictor_create(&predictor, model, text, 4, NULL, &error));
    mtlr_prediction asked = MTLR_PREDICTION_INIT;
    asked.rows = MTLR_TRAINING_ROWS;
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, 4, &asked, &error));
    asked = (mtlr_prediction)MTLR_PREDICTION_INIT;
    asked.dtype = MTLR_FLOAT32;
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, 4, &asked, &error));
    asked = (mtlr_prediction)MTLR_PREDICTION_INIT;
    asked.column_stride = 8;
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, 4, &asked, &error));
    asked = (mtlr_prediction)MTLR_PREDICTION_INIT;
    asked.arm = "nobody";
    FAILS(BAD, mtlr_predictor_create(&predictor, model, order, 4, &asked, &error));
    CHECK(mtlr_predictor_create(NULL, NULL, NULL, 0, NULL, NULL) == BAD);
}

static void row_refusals(const mtlr_predictor *predictor) {
    double values[2] = {0, 0}, row[4];
    fill(row, 0);
    FAILS(BAD, mtlr_predictor_row(values, 2, NULL, row, 4, &error));
    FAILS(BAD, mtlr_predictor_row(NULL, 2, predictor, row, 4, &error));
    FAILS(BAD, mtlr_predictor_row(values, 2, predictor, NULL, 4, &error));
    FAILS(BAD, mtlr_predictor_row(values, 1, predictor, row, 4, &error));
    FAILS(BAD, mtlr_predictor_row(values, -1, predictor, row, 4, &error));
    FAILS(BAD, mtlr_predictor_row(values, 2, predictor, row, 3, &error));
    FAILS(BAD, mtlr_predictor_row(values, 2, predictor, row, INT64_MIN, &error));
    const double codes[] = {3, 0.5, 1e300, INFINITY};
    for (int index = 0; index < 4; index++) {
        row[0] = codes[index];
        FAILS_SAYING(MTLR_INVALID_DATA, "group", mtlr_predictor_row(values, 2, predictor, row, 4, &error));
    }
    row[0] = 1;
    row[3] = INFINITY;
    FAILS(MTLR_NUMERICAL_FAILURE, mtlr_predictor_row(values, 2, predictor, row, 4, &error));
    /* Missing values are none of these, and addresses need not be aligned. */
    for (int index = 0; index < 4; index++) row[index] = NAN;
    SUCCEEDS(mtlr_predictor_row(values, 2, predictor, row, 4, &error));
    uint8_t from[1 + sizeof row], to[1 + sizeof values];
    memcpy(from + 1, row, sizeof row);
    SUCCEEDS(mtlr_predictor_row((double *)(void *)(to + 1), 2, predictor, (const double *)(void *)(from + 1), 4, &error));
    CHECK(memcmp(to + 1, values, sizeof values) == 0);
    CHECK(mtlr_predictor_row(values, 2, predictor, row, 4, NULL) == MTLR_OK);
}

static double expected[TRIAL_ROWS][2];

static void *ask(void *shared) {
    for (int round = 0; round < 50; round++) {
        for (int index = 0; index < TRIAL_ROWS; index++) {
            double row[4], values[2];
            fill(row, index);
            if (mtlr_predictor_row(values, 2, shared, row, 4, NULL) != MTLR_OK) return shared;
            if (memcmp(values, expected[index], sizeof values)) return shared;
        }
    }
    return NULL;
}

/* Threads that share a predictor get what each would get alone. */
static void threads(mtlr_predictor *predictor) {
    for (int index = 0; index < TRIAL_ROWS; index++) {
        double row[4];
        fill(row, index);
        SUCCEEDS(mtlr_predictor_row(expected[index], 2, predictor, row, 4, &error));
    }
    pthread_t all[6];
    for (int thread = 0; thread < 6; thread++) CHECK(pthread_create(all + thread, NULL, ask, predictor) == 0);
    for (int thread = 0; thread < 6; thread++) {
        void *failed = predictor;
        CHECK(pthread_join(all[thread], &failed) == 0 && failed == NULL);
    }
}

int main(void) {
    trial_make(&t, 3);
    outputs();
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 1);
    description(model);
    creation_refusals(model);
    mtlr_predictor *predictor = NULL;
    SUCCEEDS(mtlr_predictor_create(&predictor, model, order, 4, NULL, &error));
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    row_refusals(predictor);
    threads(predictor);
    mtlr_predictor_free(predictor);
    return finish("predictor");
}
