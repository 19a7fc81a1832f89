/* One row at a time through models of the C interface: time and allocations.
 *
 *     run [ROUNDS] [MODEL...]        (builds this file and the library; see run)
 *
 * Fits models to 100,000 rows of 20 columns, then predicts single rows, as a service would: by mtlr_predictor_row(), and by
 * mtlr_model_predict() with a table of one row. Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc are
 * counted by wrappers that the dynamic linker takes instead of the C library's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "metalearners.h"

#define ROWS 100000
#define COLUMNS 20
#define BATCH 2000

static volatile long allocations;
static char early[1 << 16];
static size_t early_used;

#define NEXT(name) (*(void **)&next = dlsym(RTLD_NEXT, name))

void *malloc(size_t size) {
    static void *(*next)(size_t);
    if (!next) NEXT("malloc");
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return next(size);
}

void *calloc(size_t count, size_t size) {
    static void *(*next)(size_t, size_t);
    static int looking;
    if (!next) {
        /* dlsym itself may want some. */
        if (looking) {
            void *room = early + early_used;
            early_used += (count * size + 15) & ~(size_t)15;
            return early_used <= sizeof early ? room : NULL;
        }
        looking = 1;
        NEXT("calloc");
    }
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return next(count, size);
}

void *realloc(void *old, size_t size) {
    static void *(*next)(void *, size_t);
    if (!next) NEXT("realloc");
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return next(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    static int (*next)(void **, size_t, size_t);
    if (!next) NEXT("posix_memalign");
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return next(out, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    static void *(*next)(size_t, size_t);
    if (!next) NEXT("aligned_alloc");
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return next(alignment, size);
}

void free(void *memory) {
    static void (*next)(void *);
    if ((char *)memory >= early && (char *)memory < early + sizeof early) return;
    if (!next) NEXT("free");
    next(memory);
}

static uint64_t state = 88172645463325252u;

static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check(mtlr_status status, mtlr_error **error) {
    if (status == MTLR_OK) return;
    fprintf(stderr, "%s\n", mtlr_error_message(*error));
    exit(1);
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

#define TREES "{\"backend\": \"trees\", \"trees\": 100, \"max_leaves\": 31, \"learning_rate\": 0.1}"
#define MODELS(outcome, propensity, effect)                                                                          \
    "\"models\": {\"outcome\": " outcome ", \"propensity\": " propensity ", \"effect\": " effect "}"

static const struct {
    const char *name, *spec;
} models[] = {
    {"t, trees", "\"learner\": \"t\", " MODELS(TREES, "\"constant\"", TREES)},
    {"s, trees", "\"learner\": \"s\", " MODELS(TREES, "\"constant\"", TREES)},
    {"x, trees", "\"learner\": \"x\", " MODELS(TREES, TREES, TREES)},
    {"r, trees", "\"learner\": \"r\", " MODELS(TREES, TREES, TREES)},
    {"dr, ridge on trees", "\"learner\": \"dr\", " MODELS(TREES, "\"logistic\"", "\"ridge\"")},
    {"t, ridge", "\"learner\": \"t\", " MODELS("\"ridge\"", "\"constant\"", "\"ridge\"")},
    {"x, ridge", "\"learner\": \"x\", " MODELS("\"ridge\"", "\"logistic\"", "\"ridge\"")},
    {"t, forest", "\"learner\": \"t\", " MODELS("{\"backend\": \"forest\", \"trees\": 100}", "\"constant\"", "\"ridge\"")},
    {"auto", "\"learner\": \"auto\""},
};

static float *x;
static mtlr_matrix one;
static mtlr_table table_row = MTLR_TABLE_INIT;

static void by_table(const mtlr_model *model, size_t row, double *effect) {
    mtlr_error *error = NULL;
    one.data = x + row * COLUMNS;
    check(mtlr_model_predict(effect, 1, NULL, model, &table_row, NULL, NULL, &error), &error);
}

static void by_predictor(const mtlr_predictor *predictor, size_t row, double *effect) {
    double values[COLUMNS];
    mtlr_error *error = NULL;
    for (int column = 0; column < COLUMNS; ++column) values[column] = x[row * COLUMNS + column];
    check(mtlr_predictor_row(effect, 1, predictor, values, COLUMNS, &error), &error);
}

/* The median of the time that a row takes, in microseconds, and the allocations of a row. */
static double microseconds(int rounds, int batch, const mtlr_model *model, const mtlr_predictor *predictor,
                           double *allocated) {
    double times[1001], effect, sum = 0;
    const long before = allocations;
    for (int round = 0; round < rounds; ++round) {
        const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
        for (int k = 0; k < batch; ++k) {
            const size_t row = state++ * 7919 % ROWS;
            if (predictor) {
                by_predictor(predictor, row, &effect);
            } else {
                by_table(model, row, &effect);
            }
            sum += effect;
        }
        times[round] = (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / batch;
    }
    *allocated = (double)(allocations - before) / ((double)rounds * batch);
    qsort(times, (size_t)rounds, sizeof *times, ascending);
    return isfinite(sum) ? 1e6 * times[rounds / 2] : NAN;
}

int main(int count, char **arguments) {
    const int rounds = count > 1 ? atoi(arguments[1]) : 51;
    double *w = malloc(sizeof(double) * ROWS), *y = malloc(sizeof(double) * ROWS);
    x = malloc(sizeof(float) * ROWS * COLUMNS);
    if (!x || !w || !y || rounds < 1 || rounds > 1001) return 1;
    for (size_t row = 0; row < ROWS; ++row) {
        float *values = x + row * COLUMNS;
        for (size_t column = 0; column < COLUMNS; ++column) values[column] = (float)(2 * uniform() - 1);
        w[row] = uniform() < 0.5;
        y[row] = sin(3 * values[0]) + values[1] * values[2] + w[row] * (0.5 + (values[3] > 0) * values[4]) + uniform() - 0.5;
    }
    const mtlr_matrix matrix = {x, ROWS, COLUMNS, 0, 0, MTLR_FLOAT32, 0};
    const mtlr_column extra[] = {{"w", w, 0, NULL, 0, MTLR_FLOAT64, 0}, {"y", y, 0, NULL, 0, MTLR_FLOAT64, 0}};
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = ROWS;
    table.matrix = &matrix;
    table.columns = extra;
    table.column_count = 2;
    mtlr_error *error = NULL;
    mtlr_dataset *dataset = NULL;
    const char *data = "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}}";
    check(mtlr_dataset_create(&dataset, &table, data, MTLR_DATASET_BORROW, &error), &error);
    printf("| model | predictor, µs | allocations | table of one row, µs | allocations | largest difference |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t index = 0; index < sizeof models / sizeof *models; ++index) {
        int is_wanted = count <= 2;
        for (int argument = 2; argument < count; ++argument) is_wanted |= !strcmp(arguments[argument], models[index].name);
        if (!is_wanted) continue;
        char spec[2048];
        snprintf(spec, sizeof spec,
                 "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, %s, \"cross_fitting\": {\"folds\": %d}, "
                 "\"average_effects\": false}", models[index].spec, strcmp(models[index].name, "auto") ? 2 : 5);
        mtlr_model *model = NULL;
        mtlr_predictor *predictor = NULL;
        check(mtlr_model_fit(&model, dataset, spec, NULL, &error), &error);
        check(mtlr_predictor_create(&predictor, model, NULL, 0, NULL, &error), &error);
        /* What tables of many rows say. */
        static double expected[1000];
        one = (mtlr_matrix){x, 1000, COLUMNS, 0, 0, MTLR_FLOAT32, 0};
        table_row.matrix = &one;
        table_row.rows = 1000;
        check(mtlr_model_predict(expected, 1000, NULL, model, &table_row, NULL, NULL, &error), &error);
        one.rows = table_row.rows = 1;
        double most = 0, effect, allocated[2];
        for (size_t row = 0; row < 1000; ++row) {
            by_predictor(predictor, row, &effect);
            most = fmax(most, fabs(effect - expected[row]));
        }
        const double fast = microseconds(rounds, BATCH, NULL, predictor, allocated);
        const double slow = microseconds(rounds < 5 ? rounds : 5, 100, model, NULL, allocated + 1);
        printf("| %s | %.2f | %.0f | %.1f | %.0f | %.1g |\n", models[index].name, fast, allocated[0], slow, allocated[1], most);
        fflush(stdout);
        mtlr_predictor_free(predictor);
        mtlr_model_free(model);
    }
    mtlr_dataset_free(dataset);
    return 0;
}
