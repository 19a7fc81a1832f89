/* What can be predicted beside effects, how it is laid out, and nuisances that one fit takes over from another. */
#include <math.h>
#include <stddef.h>

#include "fixture.h"

#define BAD MTLR_INVALID_ARGUMENT
#define ARMS 3

static mtlr_dataset *dataset;
static mtlr_model *model;

static const char *const spec =
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"models\": {\"outcome\": {\"backend\": \"ridge\"},"
    " \"propensity\": {\"backend\": \"logistic\"}, \"effect\": {\"backend\": \"ols\"}},"
    " \"cross_fitting\": {\"folds\": 3}}";

/* The numbers of a prediction as doubles, row by row; the caller frees them. */
static double *predict(const mtlr_prediction *prediction, int64_t *columns) {
    *columns = 0;
    SUCCEEDS(mtlr_model_prediction_columns(columns, model, prediction, &error));
    double *values = calloc((size_t)(TRIAL_ROWS * *columns) + 1, sizeof *values);
    const mtlr_table *table = prediction && prediction->rows == MTLR_TRAINING_ROWS ? NULL : &t.table;
    SUCCEEDS(mtlr_model_predict(values, TRIAL_ROWS * *columns, NULL, model, table, prediction, NULL, &error));
    return values;
}

static void columns_and_names(void) {
    static const struct {
        mtlr_output output;
        const char *arm, *baseline;
        int64_t columns;
        const char *name;
    } cases[] = {
        {MTLR_EFFECTS, NULL, NULL, 2, "\"cate_low\""},     {MTLR_EFFECTS, "high", "low", 1, "cate"},
        {MTLR_ARM_MEANS, NULL, NULL, 3, "\"mean_none\""},  {MTLR_PROPENSITIES, NULL, NULL, 3, "\"propensity_high\""},
        {MTLR_INTERVALS, NULL, NULL, 6, "lower"},          {MTLR_STABILITY, "low", NULL, 1, "cate"},
        {MTLR_ARM_MEANS, "low", NULL, 1, "mean_low"},      {MTLR_INDIVIDUAL_INTERVALS, "low", NULL, 3, "ite_low_upper"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        mtlr_prediction prediction = MTLR_PREDICTION_INIT;
        prediction.output = cases[index].output;
        prediction.arm = cases[index].arm;
        prediction.baseline = cases[index].baseline;
        int64_t columns = -1;
        double *values = predict(&prediction, &columns);
        CHECK(columns == cases[index].columns);
        /* Ends of individual intervals may be infinite: an arm may have too few rows like a row. */
        int may_be_infinite = prediction.output == MTLR_INDIVIDUAL_INTERVALS;
        for (int64_t cell = 0; cell < TRIAL_ROWS * columns; cell++)
            CHECK(isfinite(values[cell]) || (may_be_infinite && cell % 3 && !isnan(values[cell])));
        free(values);
        char *names = NULL;
        SUCCEEDS(mtlr_model_prediction_names(&names, model, &prediction, &error));
        CHECK(names && strstr(names, cases[index].name));
        mtlr_string_free(names);
    }
    int64_t columns = -1;
    SUCCEEDS(mtlr_model_prediction_columns(&columns, model, NULL, &error));
    CHECK(columns == ARMS - 1);
}

static void agreement(void) {
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    int64_t columns;
    double *effects = predict(NULL, &columns);
    prediction.output = MTLR_PROPENSITIES;
    double *shares = predict(&prediction, &columns);
    prediction.output = MTLR_INTERVALS;
    double *intervals = predict(&prediction, &columns);
    prediction.level = 0.5;
    double *narrow = predict(&prediction, &columns);
    prediction.output = MTLR_INDIVIDUAL_INTERVALS;
    double *own = predict(&prediction, &columns);
    CHECK(columns == 6);
    prediction = (mtlr_prediction)MTLR_PREDICTION_INIT;
    prediction.arm = "none";
    prediction.baseline = "low";
    double *reversed = predict(&prediction, &columns);
    for (int row = 0; row < TRIAL_ROWS; row++) {
        CHECK(fabs(shares[row * 3] + shares[row * 3 + 1] + shares[row * 3 + 2] - 1) < 1e-9);
        CHECK(reversed[row] == -effects[row * 2]);
        for (int arm = 0; arm < 2; arm++) {
            const double *wide = intervals + row * 6 + arm * 3, *half = narrow + row * 6 + arm * 3;
            CHECK(wide[0] == effects[row * 2 + arm] && half[0] == wide[0]);
            const double *single = own + row * 6 + arm * 3;
            CHECK(single[0] == wide[0] && single[1] < single[0] && single[0] < single[2]);
            CHECK(wide[1] < half[1] && half[1] < wide[0] && wide[0] < half[2] && half[2] < wide[2]);
        }
    }
    free(effects);
    free(shares);
    free(intervals);
    free(narrow);
    free(own);
    free(reversed);
}

static void training_rows(void) {
    double expected[TRIAL_ROWS * 2];
    SUCCEEDS(mtlr_model_training_effects(expected, TRIAL_ROWS * 2, model, &error));
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    prediction.rows = MTLR_TRAINING_ROWS;
    int64_t columns;
    double *values = predict(&prediction, &columns);
    CHECK(memcmp(values, expected, sizeof expected) == 0);
    free(values);
    prediction.dataset = dataset;
    values = predict(&prediction, &columns);
    CHECK(memcmp(values, expected, sizeof expected) == 0);
    free(values);
    prediction.output = MTLR_ARM_MEANS;
    values = predict(&prediction, &columns);
    CHECK(columns == ARMS);
    free(values);
    /* Rows that are not those of the training. */
    trial other;
    trial_make(&other, ARMS);
    other.y[7] += 1;
    mtlr_dataset *another = NULL;
    SUCCEEDS(mtlr_dataset_create(&another, &other.table, spec, 0, &error));
    prediction.dataset = another;
    FAILS(MTLR_INVALID_DATA,
          mtlr_model_predict(expected, TRIAL_ROWS * 3, NULL, model, NULL, &prediction, NULL, &error));
    mtlr_model *reusing = NULL;
    FAILS(MTLR_INVALID_DATA, mtlr_model_fit_reusing(&reusing, another, spec, model, NULL, &error));
    CHECK(reusing == NULL);
    mtlr_dataset_free(another);
}

static void layouts(void) {
    int64_t columns;
    double *rows = predict(NULL, &columns);
    double by_columns[2][TRIAL_ROWS];
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    prediction.column_stride = sizeof by_columns[0];
    SUCCEEDS(mtlr_model_predict(by_columns, TRIAL_ROWS * 2, NULL, model, &t.table, &prediction, NULL, &error));
    struct {
        float effects[2];
        int32_t kept;
    } records[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) records[row].kept = row;
    prediction = (mtlr_prediction)MTLR_PREDICTION_INIT;
    prediction.dtype = MTLR_FLOAT32;
    prediction.row_stride = sizeof records[0];
    SUCCEEDS(mtlr_model_predict(records, TRIAL_ROWS * 2, NULL, model, &t.table, &prediction, NULL, &error));
    for (int row = 0; row < TRIAL_ROWS; row++) {
        for (int arm = 0; arm < 2; arm++) {
            CHECK(by_columns[arm][row] == rows[row * 2 + arm]);
            CHECK(records[row].effects[arm] == (float)rows[row * 2 + arm]);
        }
        CHECK(records[row].kept == row);
    }
    free(rows);
}

static void refusals(void) {
    double values[TRIAL_ROWS * 6];
    mtlr_prediction prediction;
#define CHANGED(status, change)                                                                                      \
    do {                                                                                                             \
        prediction = (mtlr_prediction)MTLR_PREDICTION_INIT;                                                          \
        change;                                                                                                      \
        FAILS(status, mtlr_model_predict(values, TRIAL_ROWS * 2, NULL, model, &t.table, &prediction, NULL, &error)); \
    } while (0)
    CHANGED(BAD, prediction.struct_size = 0);
    CHANGED(BAD, prediction.struct_size = sizeof prediction - 1);
    CHANGED(BAD, prediction.struct_size = SIZE_MAX);
    CHANGED(BAD, prediction.output = -1);
    CHANGED(BAD, prediction.output = 99);
    CHANGED(BAD, prediction.output = MTLR_PROPENSITIES); /* three columns */
    CHANGED(BAD, prediction.scale = 99);
    CHANGED(MTLR_UNSUPPORTED, prediction.scale = MTLR_SCALE_ODDS_RATIO); /* the outcome is no probability */
    CHANGED(BAD, prediction.arm = "nobody");
    CHANGED(BAD, prediction.baseline = "nobody");
    CHANGED(BAD, prediction.arm = "\xff\xfe");
    CHANGED(BAD, prediction.rows = 2);
    CHANGED(BAD, prediction.dtype = MTLR_INT8);
    CHANGED(BAD, prediction.dtype = 77);
    CHANGED(BAD, prediction.dataset = dataset); /* of new rows there is none */
    CHANGED(BAD, prediction.rows = MTLR_TRAINING_ROWS; prediction.dataset = (const mtlr_dataset *)model);
    CHANGED(BAD, prediction.output = MTLR_INTERVALS; prediction.level = 1);
    CHANGED(BAD, prediction.output = MTLR_INTERVALS; prediction.level = -0.5);
    CHANGED(BAD, prediction.output = MTLR_INTERVALS; prediction.level = NAN);
    CHANGED(BAD, prediction.row_stride = INT64_MAX);
    CHANGED(BAD, prediction.column_stride = INT64_MIN);
    int64_t columns = -1;
    FAILS(BAD, mtlr_model_prediction_columns(NULL, model, NULL, &error));
    FAILS(BAD, mtlr_model_prediction_columns(&columns, NULL, NULL, &error));
    CHECK(columns == 0);
    char *names = (char *)values;
    FAILS(BAD, mtlr_model_prediction_names(&names, NULL, NULL, &error));
    CHECK(names == NULL);
    FAILS(BAD, mtlr_model_prediction_names(NULL, model, NULL, &error));
}

static int nuisance_fits;

static int32_t count_nuisances(void *payload, const char *stage, int64_t done, int64_t total) {
    (void)payload, (void)total;
    if (done > 0 && strcmp(stage, "nuisances") == 0) nuisance_fits++;
    return 1;
}

/* Learners in turn, each with the model before it, fit every nuisance once and give what they give alone. */
static void reuse(void) {
    static const char *const learners[] = {"s", "t", "f", "m", "x", "u", "r", "ra", "dr"};
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.progress = count_nuisances;
    mtlr_model *last = NULL;
    nuisance_fits = 0;
    int alone_fits = 0;
    for (size_t index = 0; index < sizeof learners / sizeof *learners; index++) {
        char text[400];
        snprintf(text, sizeof text, "{" TRIAL_DATA ", \"learner\": \"%s\", " TRIAL_MODELS
                                    ", \"cross_fitting\": {\"folds\": 3}}", learners[index]);
        mtlr_model *alone = NULL, *next = NULL;
        int before = nuisance_fits;
        SUCCEEDS(mtlr_model_fit(&alone, dataset, text, &execution, &error));
        alone_fits += nuisance_fits - before;
        nuisance_fits = before;
        if (last) {
            SUCCEEDS(mtlr_model_fit_reusing(&next, dataset, text, last, &execution, &error));
        } else {
            SUCCEEDS(mtlr_model_fit(&next, dataset, text, &execution, &error));
        }
        CHECK(same_bytes(alone, next));
        mtlr_model_free(alone);
        mtlr_model_free(last);
        last = next;
    }
    /* Seven nuisances in three folds, and five fits to all rows: S 1, T 3, X 1. */
    CHECK(nuisance_fits == 7 * 3 + 5);
    CHECK(alone_fits > 2 * nuisance_fits);

    /* A model out of its bytes serves as well, and other models than its own are fitted anew. */
    uint8_t *bytes = NULL;
    int64_t length = 0;
    mtlr_model *read = NULL, *again = NULL, *plain = NULL;
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &length, last, &error));
    SUCCEEDS(mtlr_model_from_bytes(&read, bytes, length, &error));
    nuisance_fits = 0;
    SUCCEEDS(mtlr_model_fit_reusing(&again, dataset, TRIAL_SPEC, read, &execution, &error));
    CHECK(nuisance_fits == 0 && same_bytes(again, last));
    mtlr_model_free(again);
    const char *other = "{" TRIAL_DATA ", \"learner\": \"r\", \"models\": {\"outcome\": \"ols\", \"propensity\":"
                        " {\"backend\": \"logistic\"}, \"effect\": \"ols\"}, \"cross_fitting\": {\"folds\": 3}}";
    SUCCEEDS(mtlr_model_fit_reusing(&again, dataset, other, read, &execution, &error));
    CHECK(nuisance_fits == (2 + 3) * 3); /* m of two pairs, and each arm for averages; the propensity is reused. */
    SUCCEEDS(mtlr_model_fit(&plain, dataset, other, NULL, &error));
    CHECK(same_bytes(again, plain));
    mtlr_model_free(again);
    mtlr_model_free(plain);

    FAILS(BAD, mtlr_model_fit_reusing(NULL, dataset, TRIAL_SPEC, read, NULL, &error));
    again = (mtlr_model *)&t;
    FAILS(BAD, mtlr_model_fit_reusing(&again, NULL, TRIAL_SPEC, read, NULL, &error));
    CHECK(again == NULL);
    FAILS(BAD, mtlr_model_fit_reusing(&again, dataset, NULL, read, NULL, &error));
    FAILS(BAD, mtlr_model_fit_reusing(&again, dataset, TRIAL_SPEC, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_fit_reusing(&again, dataset, TRIAL_SPEC, (mtlr_model *)dataset, NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_model_fit_reusing(&again, dataset, "{\"lerner\": 1}", read, NULL, &error));
    CHECK(mtlr_model_fit_reusing(NULL, NULL, NULL, NULL, NULL, NULL) == BAD);
    execution.threads = -1;
    FAILS(BAD, mtlr_model_fit_reusing(&again, dataset, TRIAL_SPEC, read, &execution, &error));
    const char *folds = "{" TRIAL_DATA ", \"learner\": \"dr\", " TRIAL_MODELS ", \"cross_fitting\": {\"folds\": 4}}";
    FAILS_SAYING(BAD, "folds", mtlr_model_fit_reusing(&again, dataset, folds, read, NULL, &error));
    /* Without its training rows a model cannot say what it was fitted to. */
    const char *bare = "{" TRIAL_DATA ", \"learner\": \"dr\", " TRIAL_MODELS ", \"cross_fitting\": {\"folds\": 3},"
                       " \"keep_training\": false}";
    SUCCEEDS(mtlr_model_fit(&plain, dataset, bare, NULL, &error));
    mtlr_bytes_free(bytes);
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &length, plain, &error));
    mtlr_model_free(plain);
    SUCCEEDS(mtlr_model_from_bytes(&plain, bytes, length, &error));
    FAILS(MTLR_UNSUPPORTED, mtlr_model_fit_reusing(&again, dataset, TRIAL_SPEC, plain, NULL, &error));
    CHECK(again == NULL);
    mtlr_model_free(plain);
    mtlr_bytes_free(bytes);
    mtlr_model_free(read);
    mtlr_model_free(last);
}

/* A limit of memory changes no result: there is room, or there is an error. */
static void memory(void) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    mtlr_model *limited = NULL;
    execution.memory_limit = INT64_C(1) << 30;
    SUCCEEDS(mtlr_model_fit(&limited, dataset, spec, &execution, &error));
    CHECK(same_bytes(limited, model));
    mtlr_model_free(limited);
    execution.memory_limit = 1000;
    FAILS(MTLR_OUT_OF_MEMORY, mtlr_model_fit(&limited, dataset, spec, &execution, &error));
    CHECK(limited == NULL);
    execution.memory_limit = -1;
    FAILS(BAD, mtlr_model_fit(&limited, dataset, spec, &execution, &error));
    execution.memory_limit = INT64_MIN;
    FAILS(BAD, mtlr_model_fit(&limited, dataset, spec, &execution, &error));
    /* A structure without its last member was never released. */
    execution = (mtlr_execution)MTLR_EXECUTION_INIT;
    execution.struct_size = offsetof(mtlr_execution, memory_limit);
    FAILS_SAYING(BAD, "struct_size", mtlr_model_fit(&limited, dataset, spec, &execution, &error));
    CHECK(limited == NULL);
}

int main(void) {
    trial_make(&t, ARMS);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, spec, 0, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, spec, NULL, &error));
    columns_and_names();
    agreement();
    training_rows();
    layouts();
    refusals();
    reuse();
    memory();
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("outputs");
}
