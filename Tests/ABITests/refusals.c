/* What the interface does when it is not used as it should be: every NULL, every size and code that cannot be (of tables:
 * table_refusals.c). */
#include <math.h>

#include <stddef.h>

#include "fixture.h"

#define BAD MTLR_INVALID_ARGUMENT

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
    dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    model = fit(dataset, TRIAL_SPEC, 0);
    nulls();
    handles_of_another_type();
    freed_handles();
    lengths();
    executions();
    averagings();
    specs();
    files();
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("refusals");
}
