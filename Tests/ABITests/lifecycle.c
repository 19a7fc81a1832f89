/* What the interface does when it is used as it should be. */
#include <math.h>
#include <pthread.h>

#include "check.h"
#include "trial.h"

static trial t;
static mtlr_error *error = NULL;

static mtlr_dataset *make_dataset(const char *spec, uint32_t flags) {
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, spec, flags, &error));
    return dataset;
}

static mtlr_model *fit(const mtlr_dataset *dataset, const char *spec, int threads) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = threads;
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_model_fit(&model, dataset, spec, &execution, &error));
    return model;
}

/* Whether two models have the same bytes. */
static int same_bytes(const mtlr_model *a, const mtlr_model *b) {
    uint8_t *left = NULL, *right = NULL;
    int64_t left_length = -1, right_length = -2;
    SUCCEEDS(mtlr_model_to_bytes(&left, &left_length, a, &error));
    SUCCEEDS(mtlr_model_to_bytes(&right, &right_length, b, &error));
    int same = left && right && left_length == right_length && memcmp(left, right, (size_t)left_length) == 0;
    mtlr_bytes_free(left);
    mtlr_bytes_free(right);
    return same;
}

static void datasets(void) {
    trial_make(&t, 3);
    t.y[5] = NAN;
    mtlr_dataset *dataset = make_dataset(
        "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"control\": \"low\", \"missing_outcome\": \"drop\"}}",
        MTLR_DATASET_COPY);
    CHECK(mtlr_dataset_rows(dataset) == TRIAL_ROWS - 1);
    CHECK(mtlr_dataset_covariate_count(dataset) == 3);
    CHECK(mtlr_dataset_arm_count(dataset) == 3);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 0), "low") == 0);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 1), "none") == 0);
    CHECK(strcmp(mtlr_dataset_arm_label(dataset, 2), "high") == 0);
    int64_t rows[TRIAL_ROWS - 1];
    SUCCEEDS(mtlr_dataset_source_rows(rows, TRIAL_ROWS - 1, dataset, &error));
    CHECK(rows[4] == 4);
    CHECK(rows[5] == 6);
    CHECK(rows[TRIAL_ROWS - 2] == TRIAL_ROWS - 1);
    char *warnings = NULL;
    SUCCEEDS(mtlr_dataset_warnings(&warnings, dataset, &error));
    CHECK(warnings && strstr(warnings, "1 row"));
    mtlr_string_free(warnings);
    mtlr_dataset_free(dataset);

    trial_make(&t, 2);
    dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    int64_t all[TRIAL_ROWS];
    SUCCEEDS(mtlr_dataset_source_rows(all, TRIAL_ROWS, dataset, &error));
    CHECK(all[0] == 0 && all[TRIAL_ROWS - 1] == TRIAL_ROWS - 1);
    SUCCEEDS(mtlr_dataset_warnings(&warnings, dataset, &error));
    CHECK(strcmp(warnings, "[]") == 0);
    mtlr_string_free(warnings);
    mtlr_dataset_free(dataset);
}

/* The forms that data can come in make no difference. */
static void forms_of_data(void) {
    trial_make(&t, 2);
    mtlr_dataset *copied = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_dataset *borrowed = make_dataset(TRIAL_SPEC, MTLR_DATASET_BORROW);
    mtlr_model *reference = fit(copied, TRIAL_SPEC, 1);
    mtlr_model *other = fit(borrowed, TRIAL_SPEC, 1);
    CHECK(same_bytes(reference, other));
    mtlr_model_free(other);
    mtlr_dataset_free(borrowed);

    /* A matrix by rows, one by columns, and one whose rows run backwards over reversed copies of the other columns. */
    static const char *const names[] = {"x0", "x1"};
    static double by_columns[2][TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        by_columns[0][row] = t.x0[row];
        by_columns[1][row] = t.x1[row];
    }
    mtlr_matrix matrices[] = {
        {t.x, TRIAL_ROWS, 2, 0, 0, MTLR_FLOAT64, 0},
        {t.x, TRIAL_ROWS, 2, 16, 8, MTLR_FLOAT64, 0},
        {by_columns, TRIAL_ROWS, 2, 8, sizeof by_columns[0], MTLR_FLOAT64, 0},
    };
    mtlr_table table = t.table;
    table.columns = t.columns + 2;
    table.column_count = 3;
    for (int form = 0; form < 3; form++) {
        for (int named = 0; named < 2; named++) {
            for (uint32_t flags = 0; flags < 2; flags++) {
                table.matrix = &matrices[form];
                table.matrix_names = named ? names : NULL;
                mtlr_dataset *dataset = NULL;
                SUCCEEDS(mtlr_dataset_create(&dataset, &table, TRIAL_SPEC, flags, &error));
                other = fit(dataset, TRIAL_SPEC, 1);
                CHECK(same_bytes(reference, other));
                mtlr_model_free(other);
                mtlr_dataset_free(dataset);
            }
        }
    }

    static double x0[TRIAL_ROWS], y[TRIAL_ROWS];
    static int16_t w[TRIAL_ROWS];
    static int64_t group[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        x0[TRIAL_ROWS - 1 - row] = t.x0[row];
        y[TRIAL_ROWS - 1 - row] = t.y[row];
        w[TRIAL_ROWS - 1 - row] = t.w[row];
        group[TRIAL_ROWS - 1 - row] = t.group[row];
    }
    trial reversed = t;
    reversed.columns[0] = (mtlr_column){"x0", x0 + TRIAL_ROWS - 1, -8, NULL, 0, MTLR_FLOAT64, 0};
    reversed.columns[2] = (mtlr_column){"group", group + TRIAL_ROWS - 1, -8, trial_levels, 3, MTLR_INT64, 0};
    reversed.columns[3] = (mtlr_column){"w", w + TRIAL_ROWS - 1, -2, NULL, 0, MTLR_INT16, 0};
    reversed.columns[4] = (mtlr_column){"y", y + TRIAL_ROWS - 1, -8, NULL, 0, MTLR_FLOAT64, 0};
    reversed.table.columns = reversed.columns;
    for (uint32_t flags = 0; flags < 2; flags++) {
        mtlr_dataset *dataset = NULL;
        SUCCEEDS(mtlr_dataset_create(&dataset, &reversed.table, TRIAL_SPEC, flags, &error));
        other = fit(dataset, TRIAL_SPEC, 1);
        CHECK(same_bytes(reference, other));
        mtlr_model_free(other);
        mtlr_dataset_free(dataset);
    }

    /* Integers of 64 bits are arms and clusters as they are, where a double would merge them. */
    static int64_t wide[TRIAL_ROWS], clusters[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        wide[row] = (INT64_C(1) << 53) + row % 3;
        clusters[row] = INT64_C(1700000000000000000) + 64 * (row / 4);
    }
    mtlr_column exact[TRIAL_COLUMNS + 1];
    memcpy(exact, t.columns, sizeof t.columns);
    exact[3] = (mtlr_column){"w", wide, 0, NULL, 0, MTLR_INT64, 0};
    exact[TRIAL_COLUMNS] = (mtlr_column){"g", clusters, 0, NULL, 0, MTLR_INT64, 0};
    mtlr_table table_of_exact = t.table;
    table_of_exact.columns = exact;
    table_of_exact.column_count = TRIAL_COLUMNS + 1;
    mtlr_dataset *exact_rows = NULL;
    SUCCEEDS(mtlr_dataset_create(
        &exact_rows, &table_of_exact,
        "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"cluster\": \"g\"}, \"cross_fitting\": {\"folds\": 30}}", 0,
        &error));
    CHECK(mtlr_dataset_arm_count(exact_rows) == 3);
    CHECK(strcmp(mtlr_dataset_arm_label(exact_rows, 2), "9007199254740994") == 0);
    mtlr_dataset_free(exact_rows);

    /* Every type of numbers, at an address that no type wants. */
    static unsigned char bytes[TRIAL_ROWS * 8 + 1];
    for (mtlr_dtype dtype = MTLR_FLOAT64; dtype <= MTLR_UINT8; dtype++) {
        for (int row = 0; row < TRIAL_ROWS; row++) {
            double f64 = t.w[row];
            float f32 = t.w[row];
            int64_t i64 = t.w[row];
            int32_t i32 = t.w[row];
            int16_t i16 = t.w[row];
            const void *const sources[] = {&f64, &f32, &i64, &i32, &i16, &t.w[row], &t.w[row]};
            const size_t sizes[] = {8, 4, 8, 4, 2, 1, 1};
            memcpy(bytes + 1 + (size_t)row * sizes[dtype - 1], sources[dtype - 1], sizes[dtype - 1]);
        }
        trial typed = t;
        typed.columns[3] = (mtlr_column){"w", bytes + 1, 0, NULL, 0, dtype, 0};
        typed.table.columns = typed.columns;
        mtlr_dataset *dataset = NULL;
        SUCCEEDS(mtlr_dataset_create(&dataset, &typed.table, TRIAL_SPEC, MTLR_DATASET_BORROW, &error));
        other = fit(dataset, TRIAL_SPEC, 1);
        CHECK(same_bytes(reference, other));
        mtlr_model_free(other);
        mtlr_dataset_free(dataset);
    }

    mtlr_model_free(reference);
    mtlr_dataset_free(copied);
}

/* Structures of a later, larger header are welcome as long as what is new is zero. */
static void larger_structures(void) {
    trial_make(&t, 2);
    struct { mtlr_table table; unsigned char more[64]; } table = {MTLR_TABLE_INIT, {0}};
    table.table = t.table;
    table.table.struct_size = sizeof table;
    struct { mtlr_execution execution; unsigned char more[64]; } execution = {MTLR_EXECUTION_INIT, {0}};
    execution.execution.struct_size = sizeof execution;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &table.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution.execution, &error));
    mtlr_model_free(model);
    execution.more[63] = 1;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution.execution, &error));
    CHECK(model == NULL);
    mtlr_dataset_free(dataset);
    table.more[0] = 1;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create(&dataset, &table.table, TRIAL_SPEC, 0, &error));
    CHECK(dataset == NULL);
}

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
        /* The quantiles of the standard normal distribution at 97.5 % and at 90 %. */
        CHECK(ate[arm].upper == ate[arm].estimate + 1.959963984540054 * ate[arm].std_error);
        CHECK(ate[arm].lower == ate[arm].estimate - 1.959963984540054 * ate[arm].std_error);
        CHECK(narrow[arm].level == 0.8 && narrow[arm].estimate == ate[arm].estimate);
        CHECK(narrow[arm].std_error == ate[arm].std_error && narrow[arm].p_value == ate[arm].p_value);
        CHECK(fabs((narrow[arm].upper - ate[arm].estimate) / ate[arm].std_error - 1.2815515655446008) < 1e-9);
        CHECK(fabs((ate[arm].estimate - narrow[arm].lower) / ate[arm].std_error - 1.2815515655446008) < 1e-9);
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

/* A model that was fitted to borrowed memory does not need it any more. */
static void model_outlives_its_data(void) {
    trial_make(&t, 2);
    trial *gone = malloc(sizeof *gone);
    CHECK(gone != NULL);
    if (!gone) return;
    trial_make(gone, 2);
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &gone->table, TRIAL_SPEC, MTLR_DATASET_BORROW, &error));
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 2);
    mtlr_dataset_free(dataset);
    memset(gone, 0xff, sizeof *gone);
    free(gone);
    static double effects[TRIAL_ROWS], again[TRIAL_ROWS];
    mtlr_average_effect effect;
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_training_effects(again, TRIAL_ROWS, model, &error));
    SUCCEEDS(mtlr_model_average_effects(&effect, 1, model, NULL, NULL, &error));
    CHECK(isfinite(effects[0]) && isfinite(again[0]) && isfinite(effect.estimate));
    mtlr_model_free(model);
}

static const mtlr_model *shared;
static double expected[TRIAL_ROWS];

static void *predict_many_times(void *result) {
    double effects[TRIAL_ROWS];
    for (int time = 0; time < 50; time++) {
        mtlr_execution execution = MTLR_EXECUTION_INIT;
        execution.threads = 1 + time % 2;
        if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, shared, &t.table, NULL, &execution, NULL) != MTLR_OK ||
            memcmp(effects, expected, sizeof effects) != 0) {
            *(int *)result = 1;
        }
    }
    return NULL;
}

static void threads_share_a_model(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_BORROW);
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 2);
    SUCCEEDS(mtlr_model_predict(expected, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    shared = model;
    pthread_t threads[4];
    int failed[4] = {0};
    for (int index = 0; index < 4; index++) {
        CHECK(pthread_create(&threads[index], NULL, predict_many_times, &failed[index]) == 0);
    }
    for (int index = 0; index < 4; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
        CHECK(!failed[index]);
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
}

typedef struct { int calls, limit, disorder; int64_t last; } watcher;

static int32_t watch(void *payload, const char *stage, int64_t done, int64_t total) {
    watcher *w = payload;
    w->calls++;
    if (!stage || !*stage || done < 0 || done > total) w->disorder = 1;
    w->last = done;
    return w->calls < w->limit;
}

static void progress_and_cancellation(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    for (int threads = 1; threads <= 2; threads++) {
        watcher w = {0, 1000000, 0, 0};
        mtlr_model *model = NULL;
        execution.threads = threads;
        execution.progress = watch;
        execution.payload = &w;
        SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
        CHECK(w.calls > 3 && !w.disorder);
        mtlr_model_free(model);
        int calls = w.calls;
        for (int limit = 1; limit < calls; limit += 3) {
            w = (watcher){0, limit, 0, 0};
            model = (mtlr_model *)&w;
            FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
            CHECK(model == NULL);
        }
    }
    execution = (mtlr_execution)MTLR_EXECUTION_INIT;
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    execution.cancel_token = token;
    CHECK(mtlr_cancel_token_is_cancelled(token) == 0);
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
    mtlr_model_free(model);
    mtlr_cancel_token_cancel(token);
    CHECK(mtlr_cancel_token_is_cancelled(token) == 1);
    FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
    CHECK(model == NULL);
    mtlr_cancel_token_free(token);
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
    datasets();
    forms_of_data();
    larger_structures();
    models(2, TRIAL_SPEC);
    models(3, TRIAL_SPEC);
    models(2, "{" TRIAL_DATA ", \"learner\": \"t\", " TRIAL_MODELS "}");
    models(3, "{" TRIAL_DATA ", \"learner\": \"x\", " TRIAL_MODELS "}");
    models(2, "{" TRIAL_DATA ", \"learner\": \"r\", " TRIAL_MODELS ", \"prediction\": \"median\"}");
    classes();
    model_outlives_its_data();
    threads_share_a_model();
    progress_and_cancellation();
    specs_and_backends();
    return finish("lifecycle");
}
