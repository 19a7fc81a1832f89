/* One row at a time through a model of the C interface: time and allocations.
 *
 *     run [ROUNDS]        (builds this file and the library; see run)
 *
 * Fits a T-learner of 2 x 100 trees of 31 leaves to 100,000 rows of 20 columns, then predicts single rows, as a
 * service would. Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc and free are counted by wrappers that the
 * dynamic linker takes instead of the C library's. */
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
#define BATCH 10000

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

static void check(mtlr_status status, mtlr_error *error) {
    if (status == MTLR_OK) return;
    fprintf(stderr, "%s\n", mtlr_error_message(error));
    exit(1);
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int count, char **arguments) {
    const int rounds = count > 1 ? atoi(arguments[1]) : 101;
    float *x = malloc(sizeof(float) * ROWS * COLUMNS);
    double *w = malloc(sizeof(double) * ROWS), *y = malloc(sizeof(double) * ROWS);
    double *times = malloc(sizeof(double) * (size_t)(rounds > 0 ? rounds : 1));
    if (!x || !w || !y || !times || rounds < 1) return 1;
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
    mtlr_model *model = NULL;
    const char *trees = "{\"backend\": \"trees\", \"trees\": 100, \"max_leaves\": 31, \"learning_rate\": 0.1}";
    char spec[1024];
    snprintf(spec, sizeof spec,
             "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"learner\": \"t\", "
             "\"models\": {\"outcome\": %s, \"propensity\": {\"backend\": \"constant\"}}, \"cross_fitting\": {\"folds\": 2}}",
             trees);
    check(mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_BORROW, &error), error);
    check(mtlr_model_fit(&model, dataset, spec, NULL, &error), error);

    double effect = 0, sum = 0, most = 0;
    mtlr_matrix one = {x, 1, COLUMNS, 0, 0, MTLR_FLOAT32, 0};
    mtlr_table row = MTLR_TABLE_INIT;
    row.rows = 1;
    row.matrix = &one;
    check(mtlr_model_predict(&effect, 1, NULL, model, &row, NULL, NULL, &error), error);
    /* The general path, which a table of two rows takes, says the same. */
    for (size_t first = 0; first < 1000; first += 2) {
        double both[2], single[2];
        one.rows = row.rows = 2;
        one.data = x + first * COLUMNS;
        check(mtlr_model_predict(both, 2, NULL, model, &row, NULL, NULL, &error), error);
        one.rows = row.rows = 1;
        for (size_t k = 0; k < 2; ++k) {
            one.data = x + (first + k) * COLUMNS;
            check(mtlr_model_predict(single + k, 1, NULL, model, &row, NULL, NULL, &error), error);
        }
        for (int k = 0; k < 2; ++k) most = fmax(most, fabs(both[k] - single[k]));
    }
    const long before = allocations;
    for (int round = 0; round < rounds; ++round) {
        const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
        for (size_t k = 0; k < BATCH; ++k) {
            one.data = x + (state++ * 7919 % ROWS) * COLUMNS;
            if (mtlr_model_predict(&effect, 1, NULL, model, &row, NULL, NULL, NULL) != MTLR_OK) return 1;
            sum += effect;
        }
        times[round] = (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / BATCH;
    }
    const long after = allocations;
    qsort(times, (size_t)rounds, sizeof *times, ascending);
    printf("{\"microseconds_median\": %.3f, \"microseconds_least\": %.3f, \"allocations_a_row\": %.4f, "
           "\"largest_difference\": %g, \"mean_effect\": %.6f}\n",
           1e6 * times[rounds / 2], 1e6 * times[0], (double)(after - before) / ((double)rounds * BATCH), most,
           sum / ((double)rounds * BATCH));
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return 0;
}
