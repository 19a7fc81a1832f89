/* Explanations of effects: values that add up, for every learner and request, and every misuse an error. */
#include <math.h>

#include "fixture.h"

#define BAD MTLR_INVALID_ARGUMENT
#define SPEC(learner, models) "{" TRIAL_DATA ", \"learner\": \"" learner "\", " models ", \"cross_fitting\": {\"folds\": 2}}"
#define TREES                                                                                                        \
    "\"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 9}, \"propensity\": {\"backend\": \"logistic\"},"  \
    " \"effect\": {\"backend\": \"trees\", \"trees\": 9}}"

#define ROOM (TRIAL_ROWS * 2 * 4)
static double values[ROOM], errors[ROOM], effects[ROOM], predicted[ROOM], features[ROOM], bases[2];

/* Values, base values and effects belong together, and the effects are the predictions. */
static void adds_up(const mtlr_model *model, const mtlr_table *background, const char *request, int64_t outputs) {
    mtlr_explanation *explanation = NULL;
    SUCCEEDS(mtlr_model_explain(&explanation, model, &t.table, background, request, NULL, &error));
    int64_t rows = mtlr_explanation_rows(explanation), count = mtlr_explanation_feature_count(explanation);
    CHECK(rows == TRIAL_ROWS && mtlr_explanation_output_count(explanation) == outputs && count == 3);
    SUCCEEDS(mtlr_explanation_values(values, rows * outputs * count, explanation, &error));
    SUCCEEDS(mtlr_explanation_standard_errors(errors, rows * outputs * count, explanation, &error));
    SUCCEEDS(mtlr_explanation_base_values(bases, outputs, explanation, &error));
    SUCCEEDS(mtlr_explanation_effects(effects, rows * outputs, explanation, &error));
    SUCCEEDS(mtlr_explanation_features(features, rows * count, explanation, &error));
    int sampled = strstr(mtlr_explanation_json(explanation), "\"exact\":false") != NULL ||
                  strstr(mtlr_explanation_json(explanation), "\"exact\": false") != NULL;
    double largest = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t output = 0; output < outputs; output++) {
            double sum = bases[output];
            for (int64_t feature = 0; feature < count; feature++) {
                int64_t place = (row * outputs + output) * count + feature;
                sum += values[place];
                largest = errors[place] > largest ? errors[place] : largest;
            }
            CHECK(fabs(sum - effects[row * outputs + output]) < 1e-9);
        }
    CHECK(sampled || largest == 0);
    if (outputs == 2) {
        SUCCEEDS(mtlr_model_predict(predicted, rows * outputs, NULL, model, &t.table, NULL, NULL, &error));
        CHECK(memcmp(predicted, effects, (size_t)(rows * outputs) * sizeof(double)) == 0);
    }
    mtlr_explanation_free(explanation);
}

static void learners(void) {
    static const char *const specs[] = {TRIAL_SPEC, SPEC("x", TREES), SPEC("t", TREES), SPEC("s", TRIAL_MODELS)};
    for (int index = 0; index < 4; index++) {
        mtlr_dataset *dataset = make_dataset(specs[index], MTLR_DATASET_COPY);
        mtlr_model *model = fit(dataset, specs[index], 1);
        adds_up(model, NULL, NULL, 2);
        adds_up(model, &t.table, "{\"method\": \"interventional\", \"background_rows\": 7}", 2);
        adds_up(model, NULL, "{\"method\": \"permutation\", \"background_rows\": 5, \"seed\": 3}", 2);
        adds_up(model, NULL, "{\"arm\": \"high\", \"baseline\": \"low\"}", 1);
        mtlr_model_free(model);
        mtlr_dataset_free(dataset);
    }
}

static void nulls(const mtlr_model *model) {
    mtlr_explanation *explanation = NULL;
    CHECK(mtlr_explanation_rows(NULL) == 0 && mtlr_explanation_output_count(NULL) == 0);
    CHECK(mtlr_explanation_feature_count(NULL) == 0 && !mtlr_explanation_feature_name(NULL, 0));
    CHECK(!mtlr_explanation_json(NULL));
    mtlr_explanation_free(NULL);
    CHECK(mtlr_model_explain(NULL, NULL, NULL, NULL, NULL, NULL, NULL) == BAD);
    FAILS(BAD, mtlr_model_explain(NULL, model, &t.table, NULL, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_explain(&explanation, NULL, &t.table, NULL, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_explain(&explanation, (const mtlr_model *)&t, &t.table, NULL, NULL, NULL, &error));
    FAILS(BAD, mtlr_model_explain(&explanation, model, NULL, NULL, NULL, NULL, &error));
    CHECK(explanation == NULL);
}

static void refusals(const mtlr_model *model) {
    mtlr_explanation *explanation = NULL;
    static const char *const requests[] = {"{\"methods\": \"auto\"}", "{\"method\": \"exact\"}",
                                           "{\"background_rows\": 0}", "{\"permutations\": -1}", "[1]"};
    for (int index = 0; index < 5; index++)
        FAILS(MTLR_INVALID_SPEC,
              mtlr_model_explain(&explanation, model, &t.table, NULL, requests[index], NULL, &error));
    FAILS(BAD, mtlr_model_explain(&explanation, model, &t.table, NULL, "{\"arm\": \"nobody\"}", NULL, &error));
    mtlr_table none = t.table;
    none.rows = 0;
    FAILS_SAYING(MTLR_INVALID_DATA, "background",
                 mtlr_model_explain(&explanation, model, &t.table, &none, NULL, NULL, &error));
    mtlr_table narrow = t.table;
    narrow.column_count = 1;
    FAILS(MTLR_INVALID_DATA, mtlr_model_explain(&explanation, model, &narrow, &t.table, NULL, NULL, &error));
    FAILS(MTLR_INVALID_DATA, mtlr_model_explain(&explanation, model, &t.table, &narrow, NULL, NULL, &error));
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    mtlr_cancel_token_cancel(token);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.cancel_token = token;
    FAILS(MTLR_CANCELLED, mtlr_model_explain(&explanation, model, &t.table, NULL, NULL, &execution, &error));
    mtlr_cancel_token_free(token);
    CHECK(explanation == NULL);
}

static void accessors(const mtlr_model *model) {
    mtlr_explanation *explanation = NULL;
    SUCCEEDS(mtlr_model_explain(&explanation, model, &t.table, NULL, NULL, NULL, &error));
    int64_t all = TRIAL_ROWS * 2 * 3;
    CHECK(mtlr_explanation_feature_name(explanation, 0) && !mtlr_explanation_feature_name(explanation, 3));
    CHECK(!mtlr_explanation_feature_name(explanation, -1));
    FAILS(BAD, mtlr_explanation_values(values, all - 1, explanation, &error));
    FAILS(BAD, mtlr_explanation_values(NULL, all, explanation, &error));
    FAILS(BAD, mtlr_explanation_values(values, all, NULL, &error));
    FAILS(BAD, mtlr_explanation_standard_errors(errors, all + 1, explanation, &error));
    FAILS(BAD, mtlr_explanation_standard_errors(NULL, all, explanation, &error));
    FAILS(BAD, mtlr_explanation_standard_errors(errors, all, NULL, &error));
    FAILS(BAD, mtlr_explanation_base_values(bases, 1, explanation, &error));
    FAILS(BAD, mtlr_explanation_base_values(NULL, 2, explanation, &error));
    FAILS(BAD, mtlr_explanation_base_values(bases, 2, NULL, &error));
    FAILS(BAD, mtlr_explanation_effects(effects, -1, explanation, &error));
    FAILS(BAD, mtlr_explanation_effects(NULL, TRIAL_ROWS * 2, explanation, &error));
    FAILS(BAD, mtlr_explanation_effects(effects, TRIAL_ROWS * 2, NULL, &error));
    FAILS(BAD, mtlr_explanation_features(features, 0, explanation, &error));
    FAILS(BAD, mtlr_explanation_features(NULL, TRIAL_ROWS * 3, explanation, &error));
    FAILS(BAD, mtlr_explanation_features(features, TRIAL_ROWS * 3, NULL, &error));
    /* Arrays of the caller need not be aligned. */
    char *odd = malloc((size_t)all * sizeof(double) + 1);
    SUCCEEDS(mtlr_explanation_values((double *)(void *)(odd + 1), all, explanation, &error));
    SUCCEEDS(mtlr_explanation_values(values, all, explanation, &error));
    CHECK(memcmp(odd + 1, values, (size_t)all * sizeof(double)) == 0);
    free(odd);
    mtlr_explanation_free(explanation);
    mtlr_explanation_free(explanation);
    CHECK(mtlr_explanation_rows(explanation) == 0);
}

int main(void) {
    trial_make(&t, 3);
    learners();
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 1);
    mtlr_dataset_free(dataset);
    nulls(model);
    refusals(model);
    accessors(model);
    mtlr_model_free(model);
    return finish("explanation");
}
