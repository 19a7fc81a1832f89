#include "bare_loop.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void *handle;

static struct {
    const char *(*last_error)(void);
    int (*proxy_create)(handle *);
    int (*set_dense)(handle, const char *);
    int (*quantile)(void *, handle, handle, void (*)(void *), int (*)(void *), const char *, handle *);
    int (*set_info)(handle, const char *, const char *);
    int (*matrix_free)(handle);
    int (*create)(const handle *, uint64_t, handle *);
    int (*set)(handle, const char *, const char *);
    int (*update)(handle, int, handle);
    int (*predict)(handle, const char *, const char *, handle, const uint64_t **, uint64_t *, const float **);
    int (*free)(handle);
} xgb;

int bare_open(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return -1;
#define FIND(field, name) \
    if (!(*(void **)&xgb.field = dlsym(library, name))) return -1
    FIND(last_error, "XGBGetLastError");
    FIND(proxy_create, "XGProxyDMatrixCreate");
    FIND(set_dense, "XGProxyDMatrixSetDataDense");
    FIND(quantile, "XGQuantileDMatrixCreateFromCallback");
    FIND(set_info, "XGDMatrixSetInfoFromInterface");
    FIND(matrix_free, "XGDMatrixFree");
    FIND(create, "XGBoosterCreate");
    FIND(set, "XGBoosterSetParam");
    FIND(update, "XGBoosterUpdateOneIter");
    FIND(predict, "XGBoosterPredictFromDense");
    FIND(free, "XGBoosterFree");
#undef FIND
    return 0;
}

typedef struct {
    handle proxy;
    const char *interface;
    int done;
} batch;

static void restart(void *state) { ((batch *)state)->done = 0; }

static int next(void *state)
{
    batch *b = state;
    if (b->done) return 0;
    b->done = 1;
    return xgb.set_dense(b->proxy, b->interface) == 0;
}

/* Rows of the table, one after another, in single precision. */
static float *gather(const bare_task *task, const int32_t *rows, int64_t count)
{
    float *copy = malloc(sizeof(float) * (size_t)(count * task->column_count));
    for (int64_t i = 0; copy && i < count; i++)
        for (int64_t j = 0; j < task->column_count; j++)
            copy[i * task->column_count + j] = (float)task->features[j * task->row_count + rows[i]];
    return copy;
}

static void describe(char *text, size_t size, const float *start, int64_t rows, int64_t columns)
{
    snprintf(text, size, "{\"data\":[%llu,true],\"typestr\":\"<f4\",\"shape\":[%lld,%lld],\"version\":3}",
             (unsigned long long)(uintptr_t)start, (long long)rows, (long long)columns);
}

#define CHECK(call) \
    if ((call) != 0) { fprintf(stderr, "%s\n", xgb.last_error()); return -1; }

int bare_fit(const bare_task *task, float *predictions)
{
    char interface[200], config[100], number[20], leaves[20], base[40];
    float *features = gather(task, task->training, task->training_count);
    float *labels = malloc(sizeof(float) * (size_t)task->training_count);
    if (!features || !labels) return -1;
    double mean = 0;
    for (int64_t i = 0; i < task->training_count; i++) mean += task->target[task->training[i]];
    mean /= (double)task->training_count;
    /* Targets are centred on what boosting starts from. */
    double shift = task->binary ? 0 : mean - 0.5;
    for (int64_t i = 0; i < task->training_count; i++)
        labels[i] = (float)(task->target[task->training[i]] - shift);

    batch state = {0};
    handle matrix, booster;
    describe(interface, sizeof interface, features, task->training_count, task->column_count);
    state.interface = interface;
    CHECK(xgb.proxy_create(&state.proxy));
    snprintf(config, sizeof config, "{\"missing\":NaN,\"nthread\":%d,\"max_bin\":255}", task->threads);
    CHECK(xgb.quantile(&state, state.proxy, NULL, restart, next, config, &matrix));
    CHECK(xgb.matrix_free(state.proxy));
    describe(interface, sizeof interface, labels, task->training_count, 1);
    CHECK(xgb.set_info(matrix, "label", interface));

    CHECK(xgb.create(&matrix, 1, &booster));
    snprintf(number, sizeof number, "%d", task->threads);
    snprintf(leaves, sizeof leaves, "%d", task->leaves);
    snprintf(base, sizeof base, "%.9g", task->binary ? mean : 0.5);
    const char *parameters[][2] = {
        {"tree_method", "hist"}, {"base_score", base}, {"nthread", number}, {"eta", "0.05"},
        {"max_depth", "0"}, {"max_leaves", leaves}, {"grow_policy", "lossguide"}, {"max_bin", "255"},
        {"min_child_weight", task->binary ? "5" : "20"},
        {"objective", task->binary ? "binary:logistic" : "reg:squarederror"},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        CHECK(xgb.set(booster, parameters[i][0], parameters[i][1]));
    for (int round = 0; round < task->rounds; round++) CHECK(xgb.update(booster, round, matrix));
    CHECK(xgb.matrix_free(matrix));
    free(features);
    free(labels);

    float *rows = gather(task, task->predicted, task->predicted_count);
    if (!rows) return -1;
    const uint64_t *shape;
    uint64_t dimensions;
    const float *result;
    describe(interface, sizeof interface, rows, task->predicted_count, task->column_count);
    CHECK(xgb.predict(booster, interface,
                      "{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
                      "\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}",
                      NULL, &shape, &dimensions, &result));
    for (int64_t i = 0; i < task->predicted_count; i++) predictions[i] = result[i] + (float)shift;
    free(rows);
    return xgb.free(booster);
}

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double bare_processor_seconds(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }
double bare_seconds(void) { return seconds(CLOCK_MONOTONIC); }
