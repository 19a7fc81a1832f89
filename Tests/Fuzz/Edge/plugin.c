/* A plug-in that is faulty breaks rules, which is an internal fault: of the plug-in. */
#define FUZZ_WORST MTLR_INTERNAL_FAULT
#include "input.h"

#include <metalearners_plugin.h>

#include "trial.h"

/* What the plug-in makes. The host must give each back once. */
struct mtlr_plugin_estimator { int is_live; };
struct mtlr_plugin_model { int is_live, classes; int64_t columns; };
static int live_estimators, live_models, releases;

/* Most calls succeed; others return any status, with an error text that has no end. */
static mtlr_plugin_status outcome(fuzz_input *in, mtlr_plugin_error *error) {
    int kind = fuzz_byte(in);
    if (kind < 240) return MTLR_PLUGIN_OK;
    REQUIRE(error->capacity >= 256);
    if (kind % 2) memset(error->text, fuzz_byte(in), error->capacity);
    return kind < 254 ? 1 + kind % 13 : (mtlr_plugin_status)fuzz_awkward(in);
}

/* Reads a table to its last byte. */
static void read_table(const mtlr_plugin_table *table, const int32_t *rows, int64_t count) {
    REQUIRE(table->struct_size == sizeof *table && table->row_count >= 0 && table->column_count >= 0);
    for (int64_t column = 0; column < table->column_count; column++) {
        const mtlr_plugin_column *view = &table->columns[column];
        REQUIRE(view->name != NULL && (view->levels == NULL) == (view->dtype != MTLR_PLUGIN_CODES));
        for (int64_t index = 0; index < count; index++) {
            int64_t row = rows ? rows[index] : index;
            REQUIRE(row >= 0 && row < table->row_count);
            double number = mtlr_plugin_number(view, row);
            REQUIRE(view->dtype != MTLR_PLUGIN_CODES || !(number >= view->level_count));
        }
        for (int32_t level = 0; level < view->level_count; level++) REQUIRE(view->levels[level] != NULL);
    }
}

static mtlr_plugin_status create(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **estimator,
                                 mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    for (int64_t index = 0; index < spec->value_count; index++) {
        REQUIRE(spec->values[index].name && spec->values[index].text);
        REQUIRE(mtlr_plugin_parameter(spec, spec->values[index].name) != NULL);
    }
    mtlr_plugin_status status = outcome(in, error);
    if (status != MTLR_PLUGIN_OK || fuzz_byte(in) == 255) return status;
    *estimator = malloc(sizeof **estimator);
    (*estimator)->is_live = 1;
    live_estimators++;
    return MTLR_PLUGIN_OK;
}

static void free_estimator(void *payload, mtlr_plugin_estimator *estimator) {
    (void)payload;
    REQUIRE(estimator && estimator->is_live);
    estimator->is_live = 0;
    live_estimators--;
    free(estimator);
}

static mtlr_plugin_model *make_model(int64_t columns, int classes) {
    mtlr_plugin_model *model = malloc(sizeof *model);
    *model = (mtlr_plugin_model){1, classes, columns};
    live_models++;
    return model;
}

static mtlr_plugin_status fit(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **model,
                              mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    REQUIRE(estimator->is_live && task->struct_size == sizeof *task && task->row_count >= 1 && execution->threads >= 1);
    read_table(task->features, task->rows, task->row_count);
    double sum = 0;
    for (int64_t index = 0; index < task->row_count; index++) {
        int32_t row = task->rows[index];
        REQUIRE(index == 0 || row > task->rows[index - 1]);
        sum += task->target[row] + (task->weights ? task->weights[row] : 0) + (task->regressor ? task->regressor[row] : 0);
        REQUIRE(task->objective != MTLR_PLUGIN_CLASSIFICATION ||
                (task->target[row] >= 0 && task->target[row] < task->class_count));
    }
    REQUIRE(sum - sum == 0);
    if (fuzz_below(in, 8) == 1) execution->warn(execution->host, fuzz_text(in, 20));
    if (fuzz_below(in, 8) == 1) (void)execution->progress(execution->host, fuzz_awkward(in), fuzz_awkward(in));
    if (fuzz_below(in, 8) == 1) execution->warn(execution->host, NULL);
    mtlr_plugin_status status = outcome(in, error);
    if (status != MTLR_PLUGIN_OK || fuzz_byte(in) == 255) return status;
    *model = make_model(task->features->column_count, task->class_count);
    return MTLR_PLUGIN_OK;
}

/* Writes results: right ones, ones that are wrong, or none. */
static void write_results(fuzz_input *in, double *results, int64_t rows, int outputs) {
    static const double wrong[] = {-1, 2, 1e308, -1e308, 1e-320, 0};
    const uint64_t not_numbers[] = {UINT64_C(0x7FF8000000000000), UINT64_C(0x7FF0000000000000)};
    int kind = fuzz_byte(in);
    if (kind == 255) return;
    for (int64_t row = 0; row < rows; row++) {
        double share = (kind % 16 + (double)(row % 3)) / 20;
        for (int output = 0; output < outputs; output++) {
            results[row * outputs + output] = outputs == 1 ? share : output == 0 ? 1 - share : share / (outputs - 1);
        }
    }
    if (kind < 240 || rows * outputs == 0) return;
    int64_t place = fuzz_byte(in) % (rows * outputs);
    int which = fuzz_below(in, 8);
    if (which < 6) results[place] = wrong[which];
    else memcpy(&results[place], &not_numbers[which - 6], 8);
}

static mtlr_plugin_status predict(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    REQUIRE(model->is_live && execution->threads >= 1);
    REQUIRE(model->columns < 0 || features->column_count == model->columns);
    read_table(features, rows, row_count);
    if (model->columns >= 0) write_results(in, predictions, row_count, model->classes ? model->classes : 1);
    return outcome(in, error);
}

static mtlr_plugin_status serialise(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    uint8_t bytes[3] = {(uint8_t)model->columns, (uint8_t)model->classes, 0};
    REQUIRE(model->is_live);
    sink->write(sink->host, bytes, 2);
    for (int times = fuzz_below(in, 4); times > 0; times--) sink->write(sink->host, bytes, (size_t)fuzz_below(in, 4));
    sink->write(sink->host, NULL, 0);
    return outcome(in, error);
}

static mtlr_plugin_status deserialise(void *payload, const void *bytes, size_t count, const char *version,
                                      mtlr_plugin_model **model, mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    const uint8_t *written = bytes;
    REQUIRE(version != NULL && (count == 0 || written != NULL));
    mtlr_plugin_status status = outcome(in, error);
    if (status != MTLR_PLUGIN_OK || fuzz_byte(in) == 255) return status;
    *model = make_model(count > 0 ? written[0] : -1, count > 1 ? written[1] : 0);
    return MTLR_PLUGIN_OK;
}

static void free_model(void *payload, mtlr_plugin_model *model) {
    (void)payload;
    REQUIRE(model && model->is_live);
    model->is_live = 0;
    live_models--;
    free(model);
}

static mtlr_plugin_status contributions(void *payload, const mtlr_plugin_model *model,
                                        const mtlr_plugin_table *features, const int32_t *rows, int64_t row_count,
                                        const mtlr_plugin_table *background, double *numbers, int64_t capacity,
                                        int32_t *scale, const mtlr_plugin_execution *execution,
                                        mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    (void)execution;
    REQUIRE(model->is_live);
    read_table(features, rows, row_count);
    if (background) read_table(background, NULL, background->row_count);
    for (int64_t index = 0; index < capacity; index++) numbers[index] = (int8_t)fuzz_byte(in);
    *scale = fuzz_byte(in) < 250 ? fuzz_below(in, 3) : (int32_t)fuzz_awkward(in);
    return outcome(in, error);
}

static mtlr_plugin_status importances(void *payload, const mtlr_plugin_model *model, int32_t kind, double *numbers,
                                      int64_t column_count, mtlr_plugin_error *error) {
    fuzz_input *in = payload;
    REQUIRE(model->is_live && kind >= 0 && kind <= 2);
    for (int64_t column = 0; column < column_count; column++) numbers[column] = (int8_t)fuzz_byte(in);
    return outcome(in, error);
}

static void release(void *payload) {
    (void)payload;
    releases++;
}

/* The table, mostly as it should be. */
static const mtlr_plugin_vtable *table_of(fuzz_input *in, const char *parameters) {
    mtlr_plugin_vtable table = {
        sizeof table, MTLR_PLUGIN_ABI_VERSION, 127, 0, 0, "fuzzed", "1", "a plug-in", parameters, in, create,
        free_estimator, fit, predict, serialise, deserialise, free_model, NULL, NULL, release};
    int kind = fuzz_byte(in);
    if (kind % 2) table.capabilities = fuzz_byte(in);
    if (kind % 4 > 1) {
        table.contributions = contributions;
        table.importances = importances;
    }
    if (kind % 8 > 3) table.flags = MTLR_PLUGIN_SERIAL;
    if (kind > 224) {
        static const char *const names[] = {"fuzzed", "ridge", "", "Upper", "a", "trees"};
        switch (kind % 16) {
        case 0: table.struct_size = (size_t)fuzz_awkward(in); break;
        case 1: table.abi_version = (int32_t)fuzz_awkward(in); break;
        case 2: table.capabilities = (uint32_t)fuzz_awkward(in); break;
        case 3: table.flags = (uint32_t)fuzz_awkward(in); break;
        case 4: table.reserved = 1; break;
        case 5: table.name = fuzz_name(in, names, 6); break;
        case 6: table.version = fuzz_name(in, names, 6); break;
        case 7: table.summary = fuzz_name(in, names, 6); break;
        case 8: table.parameters = NULL; break;
        case 9: table.create = NULL; break;
        case 10: table.fit = NULL; break;
        case 11: table.predict = NULL; break;
        case 12: table.free_model = NULL; break;
        case 13: table.importances = fuzz_below(in, 2) ? NULL : importances; break;
        case 14: table.release = NULL; break;
        default: table.serialise = NULL; break;
        }
    }
    /* A table of a later version is longer. */
    size_t room = table.struct_size > sizeof table && table.struct_size <= 1 << 16 ? table.struct_size : sizeof table;
    uint8_t *block = fuzz_memory(in, room);
    memcpy(block, &table, sizeof table);
    return (const mtlr_plugin_vtable *)block;
}

void fuzz_plugin(const uint8_t *bytes, size_t count) {
    static trial t;
    if (!t.table.rows) trial_make(&t, 2);
    fuzz_input in = fuzz_begin(bytes, count);
    int learner = fuzz_byte(&in);
    const char *parameters = fuzz_text(&in, 400), *values = fuzz_text(&in, 200);
    if (!*parameters) parameters = "[]";
    static const char *const learners[] = {"t", "s", "x", "r", "dr"};
    static char spec[1024];
    snprintf(spec, sizeof spec,
             "{" TRIAL_DATA ", \"learner\": \"%s\", \"models\": {\"outcome\": {\"backend\": \"fuzzed\"%s},"
             " \"propensity\": {\"backend\": \"%s\"}%s}, \"cross_fitting\": {\"folds\": 2}}",
             learners[learner % 5], values, learner & 64 ? "fuzzed" : "constant",
             learner % 5 < 2 ? "" : ", \"effect\": {\"backend\": \"fuzzed\"}");
    live_estimators = live_models = releases = 0;
    const mtlr_plugin_vtable *table = table_of(&in, parameters);

    mtlr_error *error = NULL;
    mtlr_registry *registry = NULL;
    REQUIRE(mtlr_registry_create(&registry, NULL) == MTLR_OK);
    mtlr_status status = mtlr_registry_add_callbacks(registry, table, &error);
    int is_added = fuzz_agrees(status, status == MTLR_OK, error);
    char *text = NULL;
    error = NULL;
    REQUIRE(mtlr_registry_backends(&text, registry, NULL) == MTLR_OK);
    mtlr_string_free(text);
    text = NULL;
    status = mtlr_registry_resolve_spec(&text, registry, spec, &error);
    fuzz_agrees(status, text != NULL, error);
    mtlr_string_free(text);

    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL, *again = NULL;
    mtlr_execution execution = fuzz_execution();
    execution.registry = registry;
    error = NULL;
    if (mtlr_dataset_create(&dataset, &t.table, spec, MTLR_DATASET_BORROW, NULL) == MTLR_OK) {
        status = mtlr_model_fit(&model, dataset, spec, &execution, &error);
        if (fuzz_agrees(status, model != NULL, error)) {
            uint8_t *written = NULL;
            int64_t length = 0;
            trial_use(model, &t.table);
            error = NULL;
            status = mtlr_model_to_bytes(&written, &length, model, &error);
            if (fuzz_agrees(status, written != NULL, error)) {
                error = NULL;
                status = mtlr_registry_read_model(&again, registry, written, length, &error);
                if (fuzz_agrees(status, again != NULL, error)) trial_use(again, &t.table);
            }
            mtlr_bytes_free(written);
        }
    }
    mtlr_dataset_free(dataset);
    mtlr_registry_free(registry);
    mtlr_model_free(model);
    mtlr_model_free(again);
    REQUIRE(live_estimators == 0 && live_models == 0);
    REQUIRE(releases == (is_added && table->release != NULL));
    fuzz_end(&in);
}
