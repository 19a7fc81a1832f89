/* Studies and analyses: where they come from, what they answer, and what is refused. */
#include <math.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT

static trial t;
static mtlr_error *error = NULL;
static mtlr_dataset *dataset = NULL;
static mtlr_model *model = NULL;
static mtlr_study *study = NULL;
static double column[TRIAL_ROWS], others[2 * TRIAL_ROWS];

/* The average effects of the study are those of the model, digit by digit, and the mean of the scores. */
static void average_effects(void) {
    mtlr_average_effect effects[2];
    SUCCEEDS(mtlr_model_average_effects(effects, 2, model, NULL, NULL, &error));
    mtlr_analysis *answer = NULL;
    SUCCEEDS(mtlr_analysis_run(&answer, study, "{\"analysis\": \"aipw\", \"level\": 0.9}", NULL, &error));
    const char *json = mtlr_analysis_json(answer);
    CHECK(json && strstr(json, "\"analysis\": \"aipw\"") && strstr(json, "\"arm\": \"high\""));
    CHECK(json && strstr(json, "\"complete\": true") && strstr(json, "\"assumptions\""));
    char digits[64];
    snprintf(digits, sizeof digits, "\"estimate\": %.12f", effects[0].estimate);
    CHECK(json && strstr(json, (digits[strlen(digits) - 1] = 0, digits)));
    CHECK(mtlr_analysis_column_count(answer) == 0 && mtlr_analysis_column_name(answer, 0) == NULL);
    FAILS(BAD, mtlr_analysis_column(column, TRIAL_ROWS, answer, 0, &error));
    mtlr_analysis_free(answer);

    double sum = 0;
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, study, "score_low", &error));
    for (int row = 0; row < TRIAL_ROWS; row++) sum += column[row];
    CHECK(fabs(sum / TRIAL_ROWS - effects[0].estimate) < 1e-12);
}

static void columns(void) {
    CHECK(mtlr_study_rows(study) == TRIAL_ROWS);
    char *names = NULL;
    SUCCEEDS(mtlr_study_column_names(&names, study, &error));
    CHECK(names && strstr(names, "\"propensity_none\"") && strstr(names, "\"effect_high\""));
    CHECK(names && !strstr(names, "effect_none") && !strstr(names, "true_effect"));
    mtlr_string_free(names);
    SUCCEEDS(mtlr_model_training_effects(others, 2 * TRIAL_ROWS, model, &error));
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, study, "effect_high", &error));
    for (int row = 0; row < TRIAL_ROWS; row++) CHECK(column[row] == others[2 * row + 1]);
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, study, "outcome", &error));
    for (int row = 0; row < TRIAL_ROWS; row++) CHECK(column[row] == t.y[row]);
    FAILS_SAYING(BAD, "effect_high", mtlr_study_column(column, TRIAL_ROWS, study, "effect_hihg", &error));
    FAILS(BAD, mtlr_study_column(column, TRIAL_ROWS - 1, study, "outcome", &error));
    FAILS(BAD, mtlr_study_column(NULL, TRIAL_ROWS, study, "outcome", &error));
    FAILS(BAD, mtlr_study_column(column, TRIAL_ROWS, study, NULL, &error));
    FAILS(BAD, mtlr_study_column(column, TRIAL_ROWS, NULL, "outcome", &error));
    FAILS(BAD, mtlr_study_column_names(NULL, study, &error));
    FAILS(BAD, mtlr_study_column_names(&names, NULL, &error));
}

/* Effects and nuisances of the caller stand in place of the study's own, and nothing is fitted where all are given. */
static void estimates(void) {
    static double effects[2][TRIAL_ROWS], shares[TRIAL_ROWS][3], means[3][TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        for (int arm = 0; arm < 3; arm++) {
            shares[row][arm] = 1.0 / 3;
            means[arm][row] = t.x0[row] + arm * (1 + t.x1[row]);
            if (arm > 0) effects[arm - 1][row] = arm * (1 + t.x1[row]);
        }
    }
    mtlr_matrix by_columns = {effects, TRIAL_ROWS, 2, 8, 8 * TRIAL_ROWS, MTLR_FLOAT64, 0};
    mtlr_matrix by_rows = {shares, TRIAL_ROWS, 3, 0, 0, MTLR_FLOAT64, 0};
    mtlr_matrix of_means = {means, TRIAL_ROWS, 3, 8, 8 * TRIAL_ROWS, MTLR_FLOAT64, 0};
    mtlr_estimates given = MTLR_ESTIMATES_INIT;
    given.effects = &by_columns;
    given.propensities = &by_rows;
    given.arm_means = &of_means;
    given.true_effects = &by_columns;
    given.source = "by hand";
    mtlr_study *own = NULL;
    SUCCEEDS(mtlr_study_create_from_dataset(&own, dataset, TRIAL_SPEC, &given, NULL, &error));
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, own, "true_effect_high", &error));
    CHECK(memcmp(column, effects[1], sizeof column) == 0);
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, own, "mean_none", &error));
    CHECK(memcmp(column, means[0], sizeof column) == 0);
    mtlr_analysis *answer = NULL;
    SUCCEEDS(mtlr_analysis_run(&answer, own, "\"aipw\"", NULL, &error));
    mtlr_analysis_free(answer);
    mtlr_study_free(own);

    shares[17][1] = 1;
    own = (mtlr_study *)&t;
    FAILS_SAYING(BAD, "row index 17",
                 mtlr_study_create_from_dataset(&own, dataset, TRIAL_SPEC, &given, NULL, &error));
    CHECK(own == NULL);
    shares[17][1] = 1.0 / 3;
    effects[0][3] = NAN;
    FAILS_SAYING(BAD, "row index 3", mtlr_study_create(&own, model, dataset, &given, NULL, &error));
    effects[0][3] = 0;
    by_columns.columns = 1;
    FAILS_SAYING(BAD, "effects", mtlr_study_create(&own, model, dataset, &given, NULL, &error));
    by_columns.columns = 2;
    by_columns.rows = TRIAL_ROWS - 1;
    FAILS_SAYING(BAD, "estimates.effects", mtlr_study_create(&own, model, NULL, &given, NULL, &error));
    by_columns.rows = TRIAL_ROWS;
    by_columns.data = NULL;
    FAILS(BAD, mtlr_study_create(&own, model, dataset, &given, NULL, &error));
    by_columns.data = effects;
    given.outcome_class = "a";
    FAILS_SAYING(BAD, "class", mtlr_study_create(&own, model, dataset, &given, NULL, &error));
    given.outcome_class = NULL;
    given.struct_size = 3;
    FAILS(BAD, mtlr_study_create(&own, model, dataset, &given, NULL, &error));
}

static void without_effects(void) {
    mtlr_study *own = NULL;
    SUCCEEDS(mtlr_study_create_from_dataset(&own, dataset, TRIAL_SPEC, NULL, NULL, &error));
    char *names = NULL;
    SUCCEEDS(mtlr_study_column_names(&names, own, &error));
    CHECK(names && strstr(names, "score_high") && !strstr(names, "effect_high"));
    mtlr_string_free(names);
    mtlr_study_free(own);
    SUCCEEDS(mtlr_study_create(&own, model, NULL, NULL, NULL, &error));
    CHECK(mtlr_study_rows(own) == TRIAL_ROWS);
    mtlr_study_free(own);
}

/* What the model says of its fit is said of its study, and so is what is doubtful about rows that are taken for new ones. */
static void warnings(void) {
    char *own = NULL, *of_model = NULL;
    SUCCEEDS(mtlr_study_warnings(&own, study, &error));
    SUCCEEDS(mtlr_model_warnings(&of_model, model, &error));
    CHECK(own && of_model && own[0] == '[' && strcmp(own, of_model) == 0 && !strstr(own, "very outcome"));
    mtlr_string_free(own);
    mtlr_string_free(of_model);
    mtlr_table part = t.table;
    part.rows = TRIAL_ROWS - 1;
    mtlr_dataset *rows = NULL;
    mtlr_study *of_part = NULL;
    SUCCEEDS(mtlr_dataset_create(&rows, &part, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_study_create(&of_part, model, rows, NULL, NULL, &error));
    SUCCEEDS(mtlr_study_warnings(&own, of_part, &error));
    CHECK(own && strstr(own, "have the very outcome and arm of a training row"));
    mtlr_string_free(own);
    mtlr_study_free(of_part);
    mtlr_dataset_free(rows);
    /* What the fit warned of is said of new rows, too. */
    mtlr_model *narrow = NULL;
    SUCCEEDS(mtlr_dataset_create(&rows, &part, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&narrow, dataset,
                            "{" TRIAL_DATA ", \"learner\": \"dr\", " TRIAL_MODELS
                            ", \"cross_fitting\": {\"folds\": 3}, \"overlap\": {\"bounds\": [0.32, 0.6]}}",
                            NULL, &error));
    SUCCEEDS(mtlr_model_warnings(&of_model, narrow, &error));
    CHECK(of_model && strstr(of_model, "\"overlap: "));
    mtlr_string_free(of_model);
    SUCCEEDS(mtlr_study_create(&of_part, narrow, rows, NULL, NULL, &error));
    SUCCEEDS(mtlr_study_warnings(&own, of_part, &error));
    CHECK(own && strstr(own, "\"of the fit: overlap: "));
    mtlr_string_free(own);
    mtlr_study_free(of_part);
    mtlr_model_free(narrow);
    mtlr_dataset_free(rows);
    FAILS(BAD, mtlr_study_warnings(NULL, study, &error));
    FAILS(BAD, mtlr_study_warnings(&own, NULL, &error));
    FAILS(BAD, mtlr_study_warnings(&own, (const mtlr_study *)model, &error));
}

/* Every analysis that there is gives an answer or an error. */
static void every_analysis(void) {
    char *list = NULL;
    SUCCEEDS(mtlr_analyses(&list, &error));
    CHECK(list && strstr(list, "\"aipw\"") && strstr(list, "\"parameters\""));
    int count = 0;
    for (char *at = list; at && (at = strstr(at, "{\"name\": \"")) != NULL;) {
        at += strlen("{\"name\": \"");
        char *end = strchr(at, '"');
        /* Parameters have names too, but no title after them. */
        if (strncmp(end, "\", \"title\"", 10) != 0) continue;
        char request[128];
        snprintf(request, sizeof request, "{\"analysis\": \"%.*s\"}", (int)(end - at), at);
        mtlr_analysis *answer = NULL;
        mtlr_status status = mtlr_analysis_run(&answer, study, request, NULL, &error);
        CHECK((status == MTLR_OK) == (answer != NULL) && (status == MTLR_OK) == (error == NULL));
        if (status != MTLR_OK && status != MTLR_UNSUPPORTED && status != MTLR_INVALID_ARGUMENT &&
            status != MTLR_INVALID_SPEC && status != MTLR_INVALID_DATA) {
            CHECK(!"an answer or an error of the caller");
            fprintf(stderr, "%s: %s\n", request, mtlr_error_message(error));
        }
        for (int64_t index = 0; index < mtlr_analysis_column_count(answer); index++) {
            CHECK(mtlr_analysis_column_name(answer, index) != NULL);
            SUCCEEDS(mtlr_analysis_column(column, TRIAL_ROWS, answer, index, &error));
        }
        mtlr_analysis_free(answer);
        mtlr_error_free(error);
        error = NULL;
        count++;
    }
    CHECK(count >= 1);
    mtlr_string_free(list);
}

static void refusals(void) {
    mtlr_analysis *answer = (mtlr_analysis *)&t;
    FAILS_SAYING(MTLR_INVALID_SPEC, "aipw", mtlr_analysis_run(&answer, study, "\"aipv\"", NULL, &error));
    CHECK(answer == NULL);
    FAILS_SAYING(MTLR_INVALID_SPEC, "level",
                 mtlr_analysis_run(&answer, study, "{\"analysis\": \"aipw\", \"levle\": 0.9}", NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_analysis_run(&answer, study, "{\"analysis\": \"aipw\", \"level\": 1}", NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_analysis_run(&answer, study, "{}", NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_analysis_run(&answer, study, "[", NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_analysis_run(&answer, study, "3", NULL, &error));
    FAILS(BAD, mtlr_analysis_run(&answer, study, "{\"analysis\": \"aipw\", \"arm\": \"none\"}", NULL, &error));
    FAILS(BAD, mtlr_analysis_run(&answer, study, NULL, NULL, &error));
    FAILS(BAD, mtlr_analysis_run(&answer, NULL, "\"aipw\"", NULL, &error));
    FAILS(BAD, mtlr_analysis_run(NULL, study, "\"aipw\"", NULL, &error));
    FAILS(BAD, mtlr_analysis_run(&answer, (const mtlr_study *)model, "\"aipw\"", NULL, &error));
    FAILS(BAD, mtlr_analyses(NULL, &error));
    CHECK(mtlr_analysis_json(NULL) == NULL && mtlr_analysis_column_count(NULL) == 0 && mtlr_study_rows(NULL) == 0);
    mtlr_study *own = (mtlr_study *)&t;
    FAILS(BAD, mtlr_study_create(&own, NULL, dataset, NULL, NULL, &error));
    CHECK(own == NULL);
    FAILS(BAD, mtlr_study_create_from_dataset(&own, NULL, TRIAL_SPEC, NULL, NULL, &error));
    mtlr_study_free(NULL);
    mtlr_analysis_free(NULL);
}

static void report(void) {
    char *html = NULL;
    SUCCEEDS(mtlr_study_report(&html, study, "[\"aipw\"]", NULL, &error));
    CHECK(html && strstr(html, "<!doctype html>") && strstr(html, "</html>") && strstr(html, "high"));
    CHECK(html && !strstr(html, "<script") && !strstr(html, "http://") && !strstr(html, "https://"));
    mtlr_string_free(html);
    FAILS(MTLR_INVALID_SPEC, mtlr_study_report(&html, study, "\"aipw\"", NULL, &error));
    CHECK(html == NULL);
    FAILS(BAD, mtlr_study_report(NULL, study, NULL, NULL, &error));
    FAILS(BAD, mtlr_study_report(&html, NULL, NULL, NULL, &error));
}

int main(void) {
    trial_make(&t, 3);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, NULL, &error));
    SUCCEEDS(mtlr_study_create(&study, model, dataset, NULL, NULL, &error));
    average_effects();
    columns();
    estimates();
    without_effects();
    warnings();
    every_analysis();
    refusals();
    report();
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    /* A study outlives what it was made of. */
    SUCCEEDS(mtlr_study_column(column, TRIAL_ROWS, study, "score_low", &error));
    mtlr_study_free(study);
    return finish("analysis");
}
