/*
 * hostile.c: plug-ins that misbehave, one for each value of HOSTILE that it is compiled with. Each breaks one rule of
 * metalearners_plugin.h; what does not matter to that is done as it should be.
 */
#include <math.h>
#include <metalearners_plugin.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GOOD,
    WRONG_ABI,
    SHORT_TABLE,
    HUGE_TABLE,
    NULL_TABLE,
    NULL_FUNCTION,
    NULL_NAME,
    BAD_NAME,
    BAD_UTF8,
    NO_CAPABILITY,
    UNKNOWN_CAPABILITY,
    UNKNOWN_FLAG,
    PARAMETERS_NO_JSON,
    PARAMETERS_NO_LIST,
    PARAMETERS_BAD_DEFAULT,
    PARAMETERS_TWICE,
    HALF_EXPLAINED,
    CREATE_FAILS,
    CREATE_NOTHING,
    FIT_FAILS,
    FIT_FAILS_SILENTLY,
    FIT_UNKNOWN_STATUS,
    FIT_NOTHING,
    FIT_FLOODS_ERROR,
    FIT_CANCELS,
    PREDICT_NAN,
    PREDICT_INFINITE,
    PREDICT_TOO_FEW,
    PREDICT_TOO_MANY,
    PREDICT_NO_SHARES,
    PREDICT_FAILS,
    SERIALISE_FAILS,
    DESERIALISE_NOTHING,
    DESERIALISE_FAILS,
    WARNS,
    NAMED_TREES,
    EXPLAINS,
    EXPLAINS_BADLY,
    SERIAL
};

struct mtlr_plugin_estimator {
    int unused;
};
struct mtlr_plugin_model {
    int64_t outputs, columns;
    double mean;
};

static mtlr_plugin_status create(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **estimator,
                                 mtlr_plugin_error *error) {
    (void)payload, (void)spec;
    if (HOSTILE == CREATE_FAILS) {
        snprintf(error->text, error->capacity, "the engine is not\ninstalled.");
        return MTLR_PLUGIN_UNSUPPORTED;
    }
    if (HOSTILE == CREATE_NOTHING) return MTLR_PLUGIN_OK;
    *estimator = calloc(1, sizeof **estimator);
    return MTLR_PLUGIN_OK;
}

static void free_estimator(void *payload, mtlr_plugin_estimator *estimator) {
    (void)payload;
    free(estimator);
}

static int inside = 0;

static mtlr_plugin_status fit(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **model,
                              mtlr_plugin_error *error) {
    (void)payload, (void)estimator;
    if (HOSTILE == FIT_FAILS) {
        snprintf(error->text, error->capacity, "no luck today");
        return MTLR_PLUGIN_NUMERICAL_FAILURE;
    }
    if (HOSTILE == FIT_FAILS_SILENTLY) return MTLR_PLUGIN_INVALID_DATA;
    if (HOSTILE == FIT_UNKNOWN_STATUS) return 4711;
    if (HOSTILE == FIT_NOTHING) return MTLR_PLUGIN_OK;
    if (HOSTILE == FIT_CANCELS) return MTLR_PLUGIN_CANCELLED;
    if (HOSTILE == FIT_FLOODS_ERROR) {
        memset(error->text, 0xFF, error->capacity);
        return MTLR_PLUGIN_INTERNAL_FAULT;
    }
    if (HOSTILE == WARNS) {
        for (int round = 0; round < 1000; round++) execution->warn(execution->host, "it did\nnot converge");
        execution->warn(execution->host, NULL);
        execution->warn(execution->host, "");
    }
    if (HOSTILE == SERIAL) {
        /* Two at a time would be seen by one of them. */
        if (++inside != 1) return MTLR_PLUGIN_INTERNAL_FAULT;
        for (volatile int wait = 0; wait < 2000000; wait++) {
        }
        if (inside-- != 1) return MTLR_PLUGIN_INTERNAL_FAULT;
    }
    double sum = 0, weight = 0;
    for (int64_t i = 0; i < task->row_count; i++) {
        double w = task->weights ? task->weights[task->rows[i]] : 1;
        sum += w * task->target[task->rows[i]];
        weight += w;
    }
    *model = calloc(1, sizeof **model);
    (*model)->outputs = task->class_count ? task->class_count : 1;
    (*model)->columns = task->features->column_count;
    (*model)->mean = sum / weight;
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status predict(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    (void)payload, (void)features, (void)rows, (void)execution;
    if (HOSTILE == PREDICT_FAILS) {
        snprintf(error->text, error->capacity, "forgot everything");
        return MTLR_PLUGIN_NUMERICAL_FAILURE;
    }
    int64_t count = row_count * model->outputs;
    for (int64_t i = 0; i < count; i++)
        predictions[i] = model->outputs > 1 ? 1.0 / (double)model->outputs : model->mean;
    if (count == 0) return MTLR_PLUGIN_OK;
    if (HOSTILE == PREDICT_NAN) predictions[count - 1] = NAN;
    if (HOSTILE == PREDICT_INFINITE) predictions[0] = INFINITY;
    if (HOSTILE == PREDICT_TOO_MANY) predictions[count] = 1;
    if (HOSTILE == PREDICT_TOO_FEW) memcpy(&predictions[count - 1], &predictions[count], sizeof(double));
    if (HOSTILE == PREDICT_NO_SHARES) predictions[0] = 0.9;
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status serialise(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *error) {
    (void)payload;
    if (HOSTILE == SERIALISE_FAILS) {
        snprintf(error->text, error->capacity, "no paper");
        return MTLR_PLUGIN_OUT_OF_MEMORY;
    }
    sink->write(sink->host, NULL, 8);
    sink->write(sink->host, model, 0);
    sink->write(sink->host, model, 8);
    sink->write(sink->host, (const char *)model + 8, sizeof *model - 8);
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status deserialise(void *payload, const void *bytes, size_t count, const char *version,
                                      mtlr_plugin_model **model, mtlr_plugin_error *error) {
    (void)payload;
    if (HOSTILE == DESERIALISE_NOTHING) return MTLR_PLUGIN_OK;
    if (HOSTILE == DESERIALISE_FAILS || count != sizeof **model) {
        snprintf(error->text, error->capacity, "written by %s", version);
        return MTLR_PLUGIN_CORRUPT_MODEL;
    }
    *model = malloc(sizeof **model);
    memcpy(*model, bytes, sizeof **model);
    return MTLR_PLUGIN_OK;
}

static void free_model(void *payload, mtlr_plugin_model *model) {
    (void)payload;
    free(model);
}

static mtlr_plugin_status contributions(void *payload, const mtlr_plugin_model *model,
                                        const mtlr_plugin_table *features, const int32_t *rows, int64_t row_count,
                                        const mtlr_plugin_table *background, double *numbers, int64_t capacity,
                                        int32_t *scale, const mtlr_plugin_execution *execution,
                                        mtlr_plugin_error *error) {
    (void)payload, (void)features, (void)rows, (void)execution, (void)error, (void)row_count;
    if (background) return MTLR_PLUGIN_UNSUPPORTED;
    for (int64_t i = 0; i < capacity; i++) numbers[i] = (i + 1) % (model->columns + 1) ? 0 : model->mean;
    *scale = HOSTILE == EXPLAINS_BADLY ? 77 : MTLR_PLUGIN_SCALE_PREDICTION;
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status importances(void *payload, const mtlr_plugin_model *model, int32_t kind, double *numbers,
                                      int64_t column_count, mtlr_plugin_error *error) {
    (void)payload, (void)model, (void)error;
    for (int64_t i = 0; i < column_count; i++) numbers[i] = (double)kind;
    return MTLR_PLUGIN_OK;
}

const mtlr_plugin_vtable *mtlr_plugin_v1(void) {
    static mtlr_plugin_vtable table;
    table.struct_size = sizeof table;
    table.abi_version = MTLR_PLUGIN_ABI_VERSION;
    table.capabilities = MTLR_PLUGIN_CAN_REGRESSION | MTLR_PLUGIN_CAN_BINARY | MTLR_PLUGIN_CAN_WEIGHTS |
                         MTLR_PLUGIN_CAN_MISSING_VALUES | MTLR_PLUGIN_CAN_CATEGORICALS;
    table.name = "hostile";
    table.version = "0.9";
    table.summary = "breaks a rule";
    table.parameters = "[{\"name\": \"trees\", \"summary\": \"rounds\", \"default\": 10, \"integer\": true,"
                       "  \"minimum\": 1,"
                       "  \"mapping\": \"approximate\", \"engine\": \"rounds\", \"note\": \"there are none\"},"
                       " {\"name\": \"l2\", \"mapping\": \"unsupported\", \"note\": \"means have no penalty\"},"
                       " {\"name\": \"shape\", \"default\": \"round\", \"choices\": [\"round\", \"square\"]},"
                       " {\"name\": \"share\", \"default\": 0.5, \"above\": 0, \"maximum\": 1},"
                       " {\"name\": \"engine\", \"default\": {}}, {\"name\": \"list\", \"default\": []},"
                       " {\"name\": \"anything\", \"default\": null}, {\"name\": \"verbose\", \"default\": false}]";
    table.create = create;
    table.free_estimator = free_estimator;
    table.fit = fit;
    table.predict = predict;
    table.serialise = serialise;
    table.deserialise = deserialise;
    table.free_model = free_model;
    switch (HOSTILE) {
    case WRONG_ABI: table.abi_version = 99; break;
    case SHORT_TABLE: table.struct_size = offsetof(mtlr_plugin_vtable, predict); break;
    case HUGE_TABLE: table.struct_size = (size_t)-1; break;
    case NULL_TABLE: return NULL;
    case NULL_FUNCTION: table.predict = NULL; break;
    case NULL_NAME: table.name = NULL; break;
    case BAD_NAME: table.name = "Not a name"; break;
    case BAD_UTF8: table.summary = "\xFF\xFE"; break;
    case NO_CAPABILITY: table.capabilities = MTLR_PLUGIN_CAN_WEIGHTS; break;
    case UNKNOWN_CAPABILITY: table.capabilities |= UINT32_C(1) << 30; break;
    case UNKNOWN_FLAG: table.flags = 64; break;
    case PARAMETERS_NO_JSON: table.parameters = "[{"; break;
    case PARAMETERS_NO_LIST: table.parameters = "{}"; break;
    case PARAMETERS_BAD_DEFAULT: table.parameters = "[{\"name\": \"a\", \"default\": 3, \"maximum\": 2}]"; break;
    case PARAMETERS_TWICE: table.parameters = "[{\"name\": \"a\", \"default\": 3}, {\"name\": \"a\"}]"; break;
    case HALF_EXPLAINED: table.contributions = contributions; break;
    case NAMED_TREES: table.name = "trees"; break;
    case SERIAL: table.flags = MTLR_PLUGIN_SERIAL; break;
    case EXPLAINS:
    case EXPLAINS_BADLY:
        table.contributions = contributions;
        table.importances = importances;
        break;
    default: break;
    }
    return &table;
}
