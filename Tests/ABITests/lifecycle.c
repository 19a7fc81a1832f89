/* What models do when the interface is used as it should be: from a fit to effects, averages and files. */
#include <math.h>

#include "fixture.h"

/* Average effects: over whom, of which rows, at which level; as structures and as JSON. */
static void average_effects(const mtlr_model *model, const mtlr_dataset *dataset, int count) {
    mtlr_average_effect ate[2], att[2], atc[2], ato[2], on_data[2], narrow[2];
    mtlr_averaging averaging = MTLR_AVERAGING_INIT;
    SUCCEEDS(mtlr_model_average_effects(ate, count, model, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_average_effects(narrow, count, model, &averaging, NULL, &error));
    CHECK(memcmp(ate, narrow, sizeof *ate * (size_t)count) == 0);
    averaging.level = 0.95;
    SUCCEEDS(mtlr_model_average_effects(narrow, count, model, &averaging, NULL, &error));
    CHECK(memcmp(ate, narrow, sizeof *ate * (size_t)count) == 0);
    averaging.level = 0.8;
    SUCCEEDS(mtlr_model_average_effects(narrow, count, model, &averaging, NULL, &error));
    char *json = NULL;
    SUCCEEDS(mtlr_model_average_effects_json(&json, model, &averaging, NULL, &error));
    CHECK(json && strstr(json, "\"level\": 0.8"));
    mtlr_string_free(json);
    averaging.level = 0;
    averaging.dataset = dataset;
    SUCCEEDS(mtlr_model_average_effects(on_data, count, model, &averaging, NULL, &error));
    averaging.dataset = NULL;
    averaging.estimand = MTLR_ATT;
    SUCCEEDS(mtlr_model_average_effects(att, count, model, &averaging, NULL, &error));
    averaging.estimand = MTLR_ATC;
    SUCCEEDS(mtlr_model_average_effects(atc, count, model, &averaging, NULL, &error));
    averaging.estimand = MTLR_ATO;
    SUCCEEDS(mtlr_model_average_effects(ato, count, model, &averaging, NULL, &error));
    averaging.estimand = MTLR_ATT;
    CHECK(mtlr_model_class_count(model) == 0 && mtlr_model_class_label(model, 0) == NULL);
    for (int arm = 0; arm < count; arm++) {
        CHECK(ate[arm].arm == arm + 1 && ate[arm].estimand == MTLR_ATE && att[arm].estimand == MTLR_ATT);
        CHECK(ate[arm].outcome_class == -1 && ate[arm].reserved == 0 && ate[arm].level == 0.95);
        CHECK(ate[arm].lower < ate[arm].estimate && ate[arm].estimate < ate[arm].upper);
        CHECK(ate[arm].std_error > 0 && ate[arm].p_value >= 0 && ate[arm].p_value <= 1);
        CHECK(isfinite(att[arm].estimate) && isfinite(on_data[arm].estimate));
        CHECK(atc[arm].estimand == MTLR_ATC && ato[arm].estimand == MTLR_ATO);
        CHECK(atc[arm].std_error > 0 && ato[arm].std_error > 0);
        /* Four populations of which no two are the same. */
        CHECK(atc[arm].estimate != att[arm].estimate && ato[arm].estimate != ate[arm].estimate);
        /* Overlap weights leave out what is extreme. */
        CHECK(fabs(ato[arm].estimate - ate[arm].estimate) < 4 * ate[arm].std_error);
        /* Quantiles of a Student distribution at 97.5 % and at 90 %: no less than the normal ones, and near them where the rows are many. */
        double wide = (ate[arm].upper - ate[arm].estimate) / ate[arm].std_error;
        double less = (narrow[arm].upper - ate[arm].estimate) / ate[arm].std_error;
        CHECK(wide >= 1.959963984540054 && wide < 2.6 && less >= 1.2815515655446008 && less < 1.5 && less < wide);
        CHECK(fabs((ate[arm].estimate - ate[arm].lower) / ate[arm].std_error - wide) < 1e-9);
        CHECK(fabs((ate[arm].estimate - narrow[arm].lower) / ate[arm].std_error - less) < 1e-9);
        CHECK(narrow[arm].level == 0.8 && narrow[arm].estimate == ate[arm].estimate);
        CHECK(narrow[arm].std_error == ate[arm].std_error && narrow[arm].p_value == ate[arm].p_value);
    }
    SUCCEEDS(mtlr_model_average_effects_json(&json, model, &averaging, NULL, &error));
    CHECK(json && strstr(json, "\"estimates\"") && strstr(json, "\"att\"") && strstr(json, "\"std_error\""));
    CHECK(json && strstr(json, "\"level\": 0.95"));
    mtlr_string_free(json);
}

/* An outcome of several classes has an effect on the probability of each, which names its class. */
static void classes(void) {
    trial_make(&t, 3);
    static const char *const grades[] = {"bad", "fair", "good"};
    static int32_t grade[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) grade[row] = t.y[row] < 0.5 ? 0 : t.y[row] < 1.5 ? 1 : 2;
    t.columns[4] = (mtlr_column){"y", grade, 0, grades, 3, MTLR_INT32, 0};
    const char *spec = "{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"logistic\"},"
                       " \"propensity\": {\"backend\": \"logistic\"}}, \"cross_fitting\": {\"folds\": 2}}";
    mtlr_dataset *dataset = make_dataset(spec, MTLR_DATASET_COPY);
    mtlr_model *model = fit(dataset, spec, 2);
    CHECK(mtlr_model_class_count(model) == 3);
    for (int64_t index = 0; index < 3; index++) {
        const char *label = mtlr_model_class_label(model, index);
        CHECK(label && strcmp(label, grades[index]) == 0);
    }
    CHECK(mtlr_model_class_label(model, -1) == NULL && mtlr_model_class_label(model, 3) == NULL);
    mtlr_average_effect effects[6];
    mtlr_averaging averaging = MTLR_AVERAGING_INIT;
    averaging.level = 0.9;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_average_effects(effects, 2, model, &averaging, NULL, &error));
    SUCCEEDS(mtlr_model_average_effects(effects, 6, model, &averaging, NULL, &error));
    for (int index = 0; index < 6; index++) {
        CHECK(effects[index].arm == index / 3 + 1 && effects[index].outcome_class == index % 3);
        CHECK(effects[index].level == 0.9 && effects[index].lower <= effects[index].upper);
    }
    for (int arm = 0; arm < 2; arm++) {
        const mtlr_average_effect *of_arm = effects + 3 * arm;
        CHECK(fabs(of_arm[0].estimate + of_arm[1].estimate + of_arm[2].estimate) < 1e-9);
    }
    CHECK(effects[5].estimate > 0.2 && effects[3].estimate < -0.2);
    char *json = NULL;
    SUCCEEDS(mtlr_model_average_effects_json(&json, model, &averaging, NULL, &error));
    CHECK(json && strstr(json, "\"class\": \"good\"") && strstr(json, "\"level\": 0.9"));
    mtlr_string_free(json);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
}

static void models(int arms, const char *spec) {
    trial_make(&t, arms);
    mtlr_dataset *dataset = make_dataset(spec, MTLR_DATASET_COPY);
    mtlr_model *one = fit(dataset, spec, 1);
    mtlr_model *two = fit(dataset, spec, 2);
    CHECK(same_bytes(one, two));

    int effects_per_row = arms - 1;
    int64_t length = (int64_t)TRIAL_ROWS * effects_per_row;
    static double effects[2 * TRIAL_ROWS], again[2 * TRIAL_ROWS];
    CHECK(mtlr_model_arm_count(one) == arms);
    CHECK(mtlr_model_training_rows(one) == TRIAL_ROWS);
    CHECK(strcmp(mtlr_model_arm_label(one, 0), mtlr_dataset_arm_label(dataset, 0)) == 0);

    char *warnings = NULL;
    SUCCEEDS(mtlr_model_predict(effects, length, &warnings, one, &t.table, NULL, NULL, &error));
    CHECK(warnings && strcmp(warnings, "[]") == 0);
    mtlr_string_free(warnings);
    SUCCEEDS(mtlr_model_predict(again, length, NULL, two, &t.table, NULL, NULL, &error));
    CHECK(memcmp(effects, again, (size_t)length * 8) == 0);
    for (int row = 0; row < TRIAL_ROWS; row++) {
        /* y = … + w · (1 + x1): arm k against control is worth k · (1 + x1), for both codings of the arms. */
        for (int arm = 1; arm < arms; arm++) {
            double dose = 1;
            const char *label = mtlr_model_arm_label(one, arm);
            const char *control = mtlr_model_arm_label(one, 0);
            if (arms == 3) {
                dose = (strcmp(label, "high") == 0 ? 2 : strcmp(label, "low") == 0 ? 1 : 0) -
                       (strcmp(control, "high") == 0 ? 2 : strcmp(control, "low") == 0 ? 1 : 0);
            }
            double truth = dose * (1 + t.x1[row]);
            CHECK(fabs(effects[row * effects_per_row + arm - 1] - truth) < 0.25);
        }
    }

    /* A single row, out of order, as a service has it. */
    double single[2];
    mtlr_column columns[] = {t.columns[2], t.columns[1], t.columns[0]};
    columns[0].data = t.group + 7;
    columns[1].data = t.x1 + 7;
    columns[2].data = t.x0 + 7;
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = 1;
    table.columns = columns;
    table.column_count = 3;
    SUCCEEDS(mtlr_model_predict(single, effects_per_row, NULL, one, &table, NULL, NULL, &error));
    for (int arm = 0; arm < effects_per_row; arm++) {
        CHECK(fabs(single[arm] - effects[7 * effects_per_row + arm]) < 1e-12);
    }
    /* No rows at all. */
    table.rows = 0;
    SUCCEEDS(mtlr_model_predict(NULL, 0, NULL, one, &table, NULL, NULL, &error));
    columns[0].data = NULL;
    SUCCEEDS(mtlr_model_predict(single, 0, NULL, one, &table, NULL, NULL, &error));

    /* A level never seen counts as missing, with a warning. */
    static const char *const levels[] = {"a", "b", "new"};
    table = t.table;
    mtlr_column unseen[TRIAL_COLUMNS];
    memcpy(unseen, t.columns, sizeof unseen);
    unseen[2].levels = levels;
    table.columns = unseen;
    SUCCEEDS(mtlr_model_predict(again, length, &warnings, one, &table, NULL, NULL, &error));
    CHECK(warnings && strstr(warnings, "'new'"));
    mtlr_string_free(warnings);

    SUCCEEDS(mtlr_model_training_effects(effects, length, one, &error));
    for (int64_t index = 0; index < length; index++) CHECK(isfinite(effects[index]));

    average_effects(one, dataset, effects_per_row);
    char *json = NULL;
    SUCCEEDS(mtlr_model_spec(&json, one, &error));
    mtlr_model *from_own_spec = fit(dataset, json, 2);
    CHECK(same_bytes(one, from_own_spec));
    mtlr_model_free(from_own_spec);
    mtlr_string_free(json);
    SUCCEEDS(mtlr_model_summary(&json, one, &error));
    CHECK(json && strstr(json, "\"rows\"") && strstr(json, "\"arms\""));
    mtlr_string_free(json);
    SUCCEEDS(mtlr_model_warnings(&json, one, &error));
    CHECK(json && json[0] == '[');
    mtlr_string_free(json);

    /* Files and bytes bring back the same model. */
    const char *path = "lifecycle.mtlr";
    mtlr_model *loaded = NULL, *copy = NULL;
    SUCCEEDS(mtlr_model_save(one, path, &error));
    SUCCEEDS(mtlr_model_load(&loaded, path, &error));
    CHECK(same_bytes(one, loaded));
    uint8_t *bytes = NULL;
    int64_t count = 0;
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &count, one, &error));
    SUCCEEDS(mtlr_model_from_bytes(&copy, bytes, count, &error));
    CHECK(same_bytes(one, copy));
    SUCCEEDS(mtlr_model_predict(effects, length, NULL, one, &t.table, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_predict(again, length, NULL, loaded, &t.table, NULL, NULL, &error));
    CHECK(memcmp(effects, again, (size_t)length * 8) == 0);
    SUCCEEDS(mtlr_model_training_effects(again, length, copy, &error));
    mtlr_bytes_free(bytes);
    mtlr_model_free(loaded);
    mtlr_model_free(copy);
    remove(path);

    mtlr_model_free(one);
    mtlr_model_free(two);
    mtlr_dataset_free(dataset);
}

static void specs_and_backends(void) {
    char *json = NULL, *again = NULL;
    SUCCEEDS(mtlr_spec_resolve(&json, NULL, &error));
    CHECK(json && strstr(json, "\"cross_fitting\"") && strstr(json, "\"seed\""));
    SUCCEEDS(mtlr_spec_resolve(&again, json, &error));
    CHECK(json && again && strcmp(json, again) == 0);
    mtlr_string_free(json);
    mtlr_string_free(again);
    SUCCEEDS(mtlr_spec_resolve(&json, "{\"learner\": \"x\"}", &error));
    CHECK(json && strstr(json, "\"learner\": \"x\""));
    mtlr_string_free(json);
    SUCCEEDS(mtlr_backends(&json, &error));
    CHECK(json && strstr(json, "{\"backends\": [{") && strstr(json, "\"ridge\"") && strstr(json, "\"capabilities\""));
    mtlr_string_free(json);
}

int main(void) {
    models(2, TRIAL_SPEC);
    models(3, TRIAL_SPEC);
    models(2, "{" TRIAL_DATA ", \"learner\": \"t\", " TRIAL_MODELS "}");
    models(3, "{" TRIAL_DATA ", \"learner\": \"x\", " TRIAL_MODELS "}");
    models(2, "{" TRIAL_DATA ", \"learner\": \"r\", " TRIAL_MODELS ", \"prediction\": \"median\"}");
    classes();
    specs_and_backends();
    return finish("lifecycle");
}
