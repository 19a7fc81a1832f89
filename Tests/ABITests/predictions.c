/* What mtlr_prediction can ask for, how it is laid out, and what of it is refused. */
#include <math.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT
#define T_SPEC                                                                                                       \
    "{" TRIAL_DATA ", \"learner\": \"t\", " TRIAL_MODELS ", \"cross_fitting\": {\"folds\": 3},"                      \
    " \"intervals\": {\"method\": \"none\"}}"

static trial t;
static mtlr_error *error = NULL;
static mtlr_dataset *dataset = NULL;
static mtlr_model *model = NULL;
static double values[6 * TRIAL_ROWS], others[6 * TRIAL_ROWS];

static int64_t columns_of(const mtlr_prediction *prediction) {
    int64_t columns = -1;
    SUCCEEDS(mtlr_model_prediction_columns(&columns, model, prediction, &error));
    return columns;
}

static void predict(double *target, const mtlr_prediction *prediction) {
    SUCCEEDS(mtlr_model_predict(target, TRIAL_ROWS * columns_of(prediction), NULL, model, &t.table, prediction, NULL,
                                &error));
}

static void outputs(void) {
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    CHECK(columns_of(NULL) == 2 && columns_of(&prediction) == 2);
    char *names = NULL;
    SUCCEEDS(mtlr_model_prediction_names(&names, model, NULL, &error));
    CHECK(names && strstr(names, "low") && strstr(names, "high") && !strstr(names, "none"));
    mtlr_string_free(names);

    predict(values, NULL);
    predict(others, &prediction);
    CHECK(memcmp(values, others, 2 * TRIAL_ROWS * sizeof(double)) == 0);

    /* Effects are differences of arm means. */
    prediction.output = MTLR_ARM_MEANS;
    CHECK(columns_of(&prediction) == 3);
    predict(others, &prediction);
    for (int row = 0; row < TRIAL_ROWS; row++) {
        const double *means = others + 3 * row;
        CHECK(fabs(means[1] - means[0] - values[2 * row]) < 1e-12);
        CHECK(fabs(means[2] - means[0] - values[2 * row + 1]) < 1e-12);
    }

    /* One arm against another. */
    prediction = (mtlr_prediction)MTLR_PREDICTION_INIT;
    prediction.arm = "high";
    prediction.baseline = "low";
    CHECK(columns_of(&prediction) == 1);
    predict(others, &prediction);
    for (int row = 0; row < TRIAL_ROWS; row++)
        CHECK(fabs(values[2 * row + 1] - values[2 * row] - others[row]) < 1e-12);

    prediction = (mtlr_prediction)MTLR_PREDICTION_INIT;
    prediction.output = MTLR_PROPENSITIES;
    predict(others, &prediction);
    for (int row = 0; row < TRIAL_ROWS; row++)
        CHECK(fabs(others[3 * row] + others[3 * row + 1] + others[3 * row + 2] - 1) < 1e-9);
}

static void layout(void) {
    predict(values, NULL);
    /* By columns, as floats, at an address that is not aligned, in an array with room to spare. */
    static uint8_t bytes[1 + 2 * 4 * (TRIAL_ROWS + 5)];
    memset(bytes, 0xAB, sizeof bytes);
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    prediction.dtype = MTLR_FLOAT32;
    prediction.row_stride = 4;
    prediction.column_stride = 4 * (TRIAL_ROWS + 5);
    SUCCEEDS(mtlr_model_predict(bytes + 1, 2 * TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));
    for (int row = 0; row < TRIAL_ROWS; row++) {
        for (int column = 0; column < 2; column++) {
            float number;
            memcpy(&number, bytes + 1 + 4 * row + prediction.column_stride * column, sizeof number);
            CHECK(number == (float)values[2 * row + column]);
        }
    }
    CHECK(bytes[0] == 0xAB && bytes[1 + 4 * TRIAL_ROWS] == 0xAB && bytes[sizeof bytes - 1] == 0xAB);
}

static void training_rows(void) {
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    prediction.rows = MTLR_TRAINING_ROWS;
    SUCCEEDS(mtlr_model_predict(values, 2 * TRIAL_ROWS, NULL, model, NULL, &prediction, NULL, &error));
    SUCCEEDS(mtlr_model_training_effects(others, 2 * TRIAL_ROWS, model, &error));
    CHECK(memcmp(values, others, 2 * TRIAL_ROWS * sizeof(double)) == 0);
    prediction.dataset = dataset;
    SUCCEEDS(mtlr_model_predict(others, 2 * TRIAL_ROWS, NULL, model, NULL, &prediction, NULL, &error));
    CHECK(memcmp(values, others, 2 * TRIAL_ROWS * sizeof(double)) == 0);
    t.x0[3] += 1;
    mtlr_dataset *other = NULL;
    SUCCEEDS(mtlr_dataset_create(&other, &t.table, T_SPEC, MTLR_DATASET_COPY, &error));
    t.x0[3] -= 1;
    prediction.dataset = other;
    FAILS(MTLR_INVALID_DATA, mtlr_model_predict(others, 2 * TRIAL_ROWS, NULL, model, NULL, &prediction, NULL, &error));
    mtlr_dataset_free(other);
}

static void inspection(void) {
    char *json = NULL;
    SUCCEEDS(mtlr_model_inspect(&json, model, &error));
    CHECK(json && strstr(json, "\"ridge\"") && strstr(json, "\"logistic\""));
    mtlr_string_free(json);
    json = (char *)&t;
    FAILS(BAD, mtlr_model_inspect(&json, NULL, &error));
    CHECK(json == NULL);
    FAILS(BAD, mtlr_model_inspect(NULL, model, &error));
    CHECK(mtlr_model_inspect(NULL, NULL, NULL) == BAD);
}

/* A prediction with one thing wrong is refused by all three functions. */
#define CHANGED(status, change)                                                                                      \
    do {                                                                                                             \
        mtlr_prediction prediction = MTLR_PREDICTION_INIT;                                                           \
        change;                                                                                                      \
        int64_t count = 7;                                                                                           \
        char *names = (char *)&t;                                                                                    \
        FAILS(status, mtlr_model_prediction_columns(&count, model, &prediction, &error));                            \
        CHECK(count == 0);                                                                                           \
        FAILS(status, mtlr_model_prediction_names(&names, model, &prediction, &error));                              \
        CHECK(names == NULL);                                                                                        \
        FAILS(status, mtlr_model_predict(values, TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));     \
    } while (0)

static void refusals(void) {
    CHANGED(BAD, prediction.struct_size = 0);
    CHANGED(BAD, prediction.struct_size = sizeof prediction - 1);
    CHANGED(BAD, prediction.struct_size = SIZE_MAX);
    CHANGED(BAD, prediction.output = -1);
    CHANGED(BAD, prediction.output = 6);
    CHANGED(BAD, prediction.scale = 4);
    CHANGED(BAD, prediction.rows = 2);
    CHANGED(BAD, prediction.dtype = MTLR_INT32);
    CHANGED(BAD, prediction.level = 1);
    CHANGED(BAD, prediction.level = NAN);
    CHANGED(BAD, prediction.arm = "\xff");
    CHANGED(BAD, prediction.dataset = dataset);

    /* Strides that no memory has, lengths that do not fit, and no memory at all. */
    const int64_t strides[] = {INT64_MAX, INT64_MIN, INT64_MIN / TRIAL_ROWS};
    for (int index = 0; index < 3; index++) {
        mtlr_prediction prediction = MTLR_PREDICTION_INIT;
        prediction.row_stride = strides[index];
        FAILS(BAD, mtlr_model_predict(values, 2 * TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));
        prediction.row_stride = 0;
        prediction.column_stride = strides[index];
        FAILS(BAD, mtlr_model_predict(values, 2 * TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));
    }
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    FAILS(BAD, mtlr_model_predict(NULL, 2 * TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));
    FAILS(BAD, mtlr_model_predict(values, TRIAL_ROWS, NULL, model, &t.table, &prediction, NULL, &error));
    FAILS(BAD, mtlr_model_predict(values, -1, NULL, model, &t.table, &prediction, NULL, &error));
    FAILS(BAD, mtlr_model_prediction_columns(NULL, model, NULL, &error));
    FAILS(BAD, mtlr_model_prediction_names(NULL, model, NULL, &error));
    int64_t count;
    char *names;
    FAILS(BAD, mtlr_model_prediction_columns(&count, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_prediction_names(&names, NULL, NULL, &error));
    CHECK(mtlr_model_prediction_columns(NULL, NULL, NULL, NULL) == BAD);
    CHECK(mtlr_model_prediction_names(NULL, NULL, NULL, NULL) == BAD);
}

int main(void) {
    trial_make(&t, 3);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, T_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, T_SPEC, NULL, &error));
    if (model) {
        outputs();
        layout();
        training_rows();
        inspection();
        refusals();
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("predictions");
}
