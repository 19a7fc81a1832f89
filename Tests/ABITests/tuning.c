/* Searches of hyper-parameters: what they give, what they keep, and what is refused. */
#include <stdio.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT
#define SEARCH(tuning)                                                                                               \
    "{" TRIAL_DATA ", \"learner\": \"dr\", " TRIAL_MODELS ", \"cross_fitting\": {\"folds\": 3}, \"tuning\": " tuning "}"
#define SPACE "{\"models\": {\"effect\": {\"l2\": [0.1, 1, 10]}}}"

static trial t;
static mtlr_error *error = NULL;
static mtlr_dataset *dataset = NULL;

static int32_t told_done = 0, told_total = 0;

static int32_t on_progress(void *payload, const char *stage, int64_t done, int64_t total) {
    if (strcmp(stage, "candidates") == 0) {
        told_done = (int32_t)done;
        told_total = (int32_t)total;
        if (payload && done >= *(const int64_t *)payload) return 0;
    }
    return 1;
}

/* The table, the chosen spec, and the model of it are those of a fit of that spec. */
static void search(void) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.progress = on_progress;
    mtlr_tuning *tuning = NULL;
    SUCCEEDS(mtlr_tuning_run(&tuning, dataset, NULL, SEARCH(SPACE), NULL, &execution, &error));
    CHECK(told_done == 3 && told_total == 3);
    const char *json = mtlr_tuning_json(tuning);
    CHECK(json && strstr(json, "\"complete\": true") && strstr(json, "\"learner\": \"constant\""));
    CHECK(json && strstr(json, "\"best_spec\": {") && strstr(json, "\"r_loss\""));
    const char *csv = mtlr_tuning_csv(tuning);
    CHECK(csv && strncmp(csv, "rank,candidate,learner", 22) == 0);
    int lines = 0;
    for (const char *at = csv; at && *at; at++) lines += *at == '\n';
    CHECK(lines == 5);

    char *spec = NULL;
    SUCCEEDS(mtlr_tuning_best_spec(&spec, tuning, &error));
    CHECK(spec && strstr(spec, "\"learner\": \"dr\"") && !strstr(spec, "tuning"));
    mtlr_model *best = NULL, *alone = NULL;
    SUCCEEDS(mtlr_tuning_fit_best(&best, tuning, NULL, &error));
    SUCCEEDS(mtlr_model_fit(&alone, dataset, spec, NULL, &error));
    static double effects[2 * TRIAL_ROWS], others[2 * TRIAL_ROWS];
    SUCCEEDS(mtlr_model_training_effects(effects, 2 * TRIAL_ROWS, best, &error));
    SUCCEEDS(mtlr_model_training_effects(others, 2 * TRIAL_ROWS, alone, &error));
    CHECK(memcmp(effects, others, sizeof effects) == 0);
    mtlr_model_free(best);
    mtlr_model_free(alone);

    mtlr_model *none = NULL;
    char *text = NULL;
    FAILS(BAD, mtlr_tuning_fit_best(NULL, tuning, NULL, &error));
    FAILS(BAD, mtlr_tuning_fit_best(&none, NULL, NULL, &error));
    FAILS(BAD, mtlr_tuning_best_spec(NULL, tuning, &error));
    FAILS(BAD, mtlr_tuning_best_spec(&text, NULL, &error));
    CHECK(none == NULL && text == NULL);
    mtlr_string_free(spec);
    mtlr_tuning_free(tuning);
    mtlr_tuning_free(tuning);
    CHECK(mtlr_tuning_json(tuning) == NULL && mtlr_tuning_csv(tuning) == NULL);
    CHECK(mtlr_tuning_json(NULL) == NULL && mtlr_tuning_csv(NULL) == NULL);
    mtlr_tuning_free(NULL);
}

/* Rows of validation, and a share of the rows. */
static void validation(void) {
    mtlr_tuning *tuning = NULL;
    FAILS_SAYING(MTLR_INVALID_DATA, "they are those rows", mtlr_tuning_run(&tuning, dataset, dataset, SEARCH(SPACE), NULL, NULL, &error));
    CHECK(tuning == NULL);
    static trial held;
    trial_make(&held, 3);
    for (int row = 0; row < TRIAL_ROWS; row++) held.y[row] += 0.001 * (row % 7 + 1);
    mtlr_dataset *other = NULL;
    SUCCEEDS(mtlr_dataset_create(&other, &held.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_tuning_run(&tuning, dataset, other, SEARCH(SPACE), NULL, NULL, &error));
    CHECK(tuning && strstr(mtlr_tuning_json(tuning), "\"validation_rows\": 240"));
    mtlr_dataset_free(other);
    mtlr_tuning_free(tuning);
    SUCCEEDS(mtlr_tuning_run(&tuning, dataset, NULL, SEARCH("{\"validation_share\": 0.25}"), NULL, NULL, &error));
    CHECK(tuning && strstr(mtlr_tuning_json(tuning), "\"rows\": 180"));
    mtlr_tuning_free(tuning);
    FAILS_SAYING(BAD, "validation_share", mtlr_tuning_run(&tuning, dataset, dataset, SEARCH("{\"validation_share\": 0.25}"), NULL, NULL, &error));
    CHECK(tuning == NULL);
}

/* What an interrupted search has done is gone on from; another search is refused. */
static void journal(void) {
    const char *path = "tuning-test.journal";
    remove(path);
    int64_t most = 1;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 1;
    execution.progress = on_progress;
    execution.payload = &most;
    mtlr_tuning *part = NULL, *whole = NULL, *again = NULL;
    SUCCEEDS(mtlr_tuning_run(&part, dataset, NULL, SEARCH(SPACE), path, &execution, &error));
    CHECK(part && strstr(mtlr_tuning_json(part), "\"complete\": false"));
    SUCCEEDS(mtlr_tuning_run(&whole, dataset, NULL, SEARCH(SPACE), path, NULL, &error));
    CHECK(whole && strstr(mtlr_tuning_json(whole), "\"complete\": true"));
    /* All is done: the same text, times and all. */
    SUCCEEDS(mtlr_tuning_run(&again, dataset, NULL, SEARCH(SPACE), path, NULL, &error));
    CHECK(again && whole && strcmp(mtlr_tuning_json(again), mtlr_tuning_json(whole)) == 0);
    mtlr_tuning_free(part);
    mtlr_tuning_free(whole);
    mtlr_tuning_free(again);
    FAILS_SAYING(BAD, "another search", mtlr_tuning_run(&again, dataset, NULL, SEARCH("{}"), path, NULL, &error));
    remove(path);
    FAILS(MTLR_INPUT_OUTPUT, mtlr_tuning_run(&again, dataset, NULL, SEARCH("{}"), "/nowhere/at/all", NULL, &error));
    /* Nothing is done before the first candidate is. */
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    mtlr_cancel_token_cancel(token);
    mtlr_execution cancelled = MTLR_EXECUTION_INIT;
    cancelled.cancel_token = token;
    FAILS(MTLR_CANCELLED, mtlr_tuning_run(&again, dataset, NULL, SEARCH(SPACE), NULL, &cancelled, &error));
    mtlr_cancel_token_free(token);
}

static void refusals(void) {
    mtlr_tuning *tuning = NULL;
    mtlr_model *model = NULL;
    FAILS(BAD, mtlr_tuning_run(NULL, dataset, NULL, SEARCH("{}"), NULL, NULL, &error));
    FAILS(BAD, mtlr_tuning_run(&tuning, NULL, NULL, SEARCH("{}"), NULL, NULL, &error));
    FAILS(BAD, mtlr_tuning_run(&tuning, dataset, NULL, NULL, NULL, NULL, &error));
    FAILS(BAD, mtlr_tuning_run(&tuning, dataset, NULL, "\xff", NULL, NULL, &error));
    FAILS(BAD, mtlr_tuning_run(&tuning, dataset, NULL, SEARCH("{}"), "\xff", NULL, &error));
    FAILS(BAD, mtlr_tuning_run(&tuning, dataset, (const mtlr_dataset *)&t, SEARCH("{}"), NULL, NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_tuning_run(&tuning, dataset, NULL, "{", NULL, NULL, &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "tuning.modles", mtlr_tuning_run(&tuning, dataset, NULL, SEARCH("{\"modles\": 1}"), NULL, NULL, &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "trees", mtlr_tuning_run(&tuning, dataset, NULL, SEARCH("{\"models\": {\"effect\": \"treees\"}}"), NULL, NULL, &error));
    CHECK(tuning == NULL);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.memory_limit = 100;
    FAILS(MTLR_OUT_OF_MEMORY, mtlr_tuning_run(&tuning, dataset, NULL, SEARCH(SPACE), NULL, &execution, &error));
    execution.memory_limit = 0;
    execution.struct_size = 3;
    FAILS(BAD, mtlr_tuning_run(&tuning, dataset, NULL, SEARCH(SPACE), NULL, &execution, &error));
    /* A spec for one fit has no section "tuning". */
    FAILS(MTLR_INVALID_SPEC, mtlr_model_fit(&model, dataset, SEARCH("{}"), NULL, &error));
}

int main(void) {
    trial_make(&t, 3);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    search();
    validation();
    journal();
    refusals();
    mtlr_dataset_free(dataset);
    return finish("tuning");
}
