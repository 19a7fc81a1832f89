/* Models of plug-ins are used as well, whose faults are the plug-ins'. */
#define FUZZ_WORST MTLR_INTERNAL_FAULT
#include "input.h"
#include "trial.h"

mtlr_model *trial_fit(const trial *t, const char *spec) {
    mtlr_error *error = NULL;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_execution execution = fuzz_execution();
    mtlr_status status = mtlr_dataset_create(&dataset, &t->table, spec, MTLR_DATASET_COPY, &error);
    if (status == MTLR_OK) status = mtlr_model_fit(&model, dataset, spec, &execution, &error);
    if (status != MTLR_OK) fprintf(stderr, "%s: %s\n", spec, mtlr_error_message(error));
    REQUIRE(status == MTLR_OK);
    mtlr_dataset_free(dataset);
    return model;
}

void trial_use(const mtlr_model *model, const mtlr_table *table) {
    mtlr_execution execution = fuzz_execution();
    mtlr_error *error = NULL;
    char *text = NULL;
    for (mtlr_output output = MTLR_EFFECTS; output <= MTLR_INDIVIDUAL_INTERVALS; output++) {
        mtlr_prediction prediction = MTLR_PREDICTION_INIT;
        prediction.output = output;
        int64_t columns = 0;
        mtlr_status status = mtlr_model_prediction_columns(&columns, model, &prediction, &error);
        if (!fuzz_agrees(status, status == MTLR_OK, error) || table->rows * columns > 1 << 16) {
            error = NULL;
            continue;
        }
        double *values = malloc((size_t)(table->rows * columns) * sizeof *values + 1);
        REQUIRE(values != NULL);
        status = mtlr_model_predict(values, table->rows * columns, &text, model, table, &prediction, &execution,
                                    &error);
        fuzz_agrees(status, status == MTLR_OK, error);
        mtlr_string_free(text);
        text = NULL;
        error = NULL;
        free(values);
    }
    int64_t arms = mtlr_model_arm_count(model), classes = mtlr_model_class_count(model);
    REQUIRE(arms >= 2 && classes >= 0);
    for (int64_t arm = -1; arm <= arms && arm < 100; arm++) (void)mtlr_model_arm_label(model, arm);
    for (int64_t index = -1; index <= classes && index < 100; index++) (void)mtlr_model_class_label(model, index);
    mtlr_averaging averaging = MTLR_AVERAGING_INIT;
    for (mtlr_estimand estimand = MTLR_ATE; estimand <= MTLR_ATT; estimand++) {
        averaging.estimand = estimand;
        mtlr_status status = mtlr_model_average_effects_json(&text, model, &averaging, &execution, &error);
        fuzz_agrees(status, text != NULL, error);
        mtlr_string_free(text);
        text = NULL;
        error = NULL;
    }
    int64_t rows = mtlr_model_training_rows(model);
    REQUIRE(rows >= 0);
    if (rows <= 1 << 12 && arms <= 16 && classes <= 16) {
        int64_t count = rows * (arms - 1) * (classes ? classes : 1);
        double *effects = malloc((size_t)count * sizeof *effects + 1);
        REQUIRE(effects != NULL);
        mtlr_status status = mtlr_model_training_effects(effects, count, model, &error);
        fuzz_agrees(status, status == MTLR_OK, error);
        error = NULL;
        free(effects);
    }
    mtlr_status (*const says[])(char **, const mtlr_model *, mtlr_error **) = {mtlr_model_summary, mtlr_model_spec,
                                                                              mtlr_model_warnings, mtlr_model_inspect};
    for (size_t index = 0; index < sizeof says / sizeof *says; index++) {
        mtlr_status status = says[index](&text, model, &error);
        fuzz_agrees(status, text != NULL, error);
        mtlr_string_free(text);
        text = NULL;
        error = NULL;
    }
}
