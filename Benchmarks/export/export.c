/* One row through exported C, and through the row predictor of the library.
 *
 *     run [ROUNDS] [MODEL...]        (builds this file and the library; see run)
 *
 * Fits models to 50,000 rows of 20 numbers and one category of 12 levels, exports each to C, compiles it (`cc -O2`), loads it, and predicts
 * the same rows by both, one after the other in every round. Medians of processor time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "metalearners.h"

#define ROWS 50000
#define COLUMNS 20
#define BATCH 2000

static uint64_t state = 88172645463325252u;

static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
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
    {"x, trees", "\"learner\": \"x\", " MODELS(TREES, TREES, TREES)},
    {"r, trees", "\"learner\": \"r\", " MODELS(TREES, TREES, TREES)},
    {"t, ridge", "\"learner\": \"t\", " MODELS("\"ridge\"", "\"constant\"", "\"ridge\"")},
    {"x, ridge", "\"learner\": \"x\", " MODELS("\"ridge\"", "\"logistic\"", "\"ridge\"")},
    {"t, forest", "\"learner\": \"t\", " MODELS("{\"backend\": \"forest\", \"trees\": 100}", "\"constant\"", "\"ridge\"")},
    {"auto", "\"learner\": \"auto\""},
};

static const char *const levels[12] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
static double x[ROWS][COLUMNS + 1], y[ROWS], w[ROWS];
static int32_t codes[ROWS];

typedef double function(const double *);

static double time_library(const mtlr_predictor *predictor, double *effects) {
    const double start = seconds();
    for (int row = 0; row < BATCH; ++row) {
        mtlr_error *error = NULL;
        check(mtlr_predictor_row(effects + row, 1, predictor, x[row * 25], COLUMNS + 1, &error), &error);
    }
    return (seconds() - start) / BATCH * 1e6;
}

static double time_export(function *predict, double *effects) {
    const double start = seconds();
    for (int row = 0; row < BATCH; ++row) effects[row] = predict(x[row * 25]);
    return (seconds() - start) / BATCH * 1e6;
}

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 21;
    if (rounds < 1 || rounds > 999) rounds = 21;
    mtlr_column columns[COLUMNS + 3];
    static char names[COLUMNS][8];
    for (int row = 0; row < ROWS; ++row) {
        for (int column = 0; column < COLUMNS; ++column) x[row][column] = uniform() < 0.02 ? NAN : 2 * uniform() - 1;
        codes[row] = (int32_t)(12 * uniform());
        x[row][COLUMNS] = codes[row];
        w[row] = uniform() < 0.5;
        const double *own = x[row];
        const double base = isnan(own[0]) ? 0.3 : own[0], slope = isnan(own[1]) ? 0.1 : own[1];
        y[row] = base * base + w[row] * (0.5 + slope + 0.1 * (codes[row] % 3)) + 0.3 * (uniform() - 0.5);
    }
    memset(columns, 0, sizeof columns);
    for (int column = 0; column < COLUMNS; ++column) {
        snprintf(names[column], sizeof names[column], "x%d", column);
        columns[column] = (mtlr_column){names[column], &x[0][column], sizeof x[0], NULL, 0, MTLR_FLOAT64, 0};
    }
    columns[COLUMNS] = (mtlr_column){"kind", codes, 0, levels, 12, MTLR_INT32, 0};
    columns[COLUMNS + 1] = (mtlr_column){"w", w, 0, NULL, 0, MTLR_FLOAT64, 0};
    columns[COLUMNS + 2] = (mtlr_column){"y", y, 0, NULL, 0, MTLR_FLOAT64, 0};
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = ROWS;
    table.columns = columns;
    table.column_count = COLUMNS + 3;
    printf("| model | source, kB | compiled, s | exported C, µs | row predictor, µs | ratio | largest difference |\n"
           "|---|---|---|---|---|---|---|\n");
    for (size_t index = 0; index < sizeof models / sizeof models[0]; ++index) {
        int wanted = count <= 2;
        for (int argument = 2; argument < count; ++argument) wanted |= strcmp(arguments[argument], models[index].name) == 0;
        if (!wanted) continue;
        static char spec[4000], path[64], library[64], command[200];
        snprintf(spec, sizeof spec,
                 "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, %s, \"average_effects\": false, \"cross_fitting\": "
                 "{\"folds\": 2}, \"keep_training\": false}",
                 models[index].spec);
        mtlr_error *error = NULL;
        mtlr_dataset *dataset = NULL;
        mtlr_model *model = NULL;
        mtlr_predictor *predictor = NULL;
        uint8_t *source = NULL;
        int64_t length = 0;
        check(mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_BORROW, &error), &error);
        check(mtlr_model_fit(&model, dataset, spec, NULL, &error), &error);
        check(mtlr_predictor_create(&predictor, model, NULL, 0, NULL, &error), &error);
        check(mtlr_model_export(&source, &length, model, "{\"format\": \"c\"}", &error), &error);
        snprintf(path, sizeof path, "model%zu.c", index);
        snprintf(library, sizeof library, "./model%zu.so", index);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(source, 1, (size_t)length, file) != (size_t)length || fclose(file)) return 1;
        mtlr_bytes_free(source);
        snprintf(command, sizeof command, "cc -O2 -std=c99 -fPIC -shared %s -o %s -lm", path, library);
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        if (system(command)) return 1;
        clock_gettime(CLOCK_MONOTONIC, &after);
        void *handle = dlopen(library, RTLD_NOW);
        function *predict = NULL;
        if (handle) *(void **)&predict = dlsym(handle, "predict");
        if (!predict) return 1;
        static double by_export[BATCH], by_library[BATCH], times[2][1000];
        for (int round = -1; round < rounds; ++round) {
            /* Who comes first changes from round to round; the first round warms up. */
            double own = 0, other = 0;
            if (round % 2) own = time_export(predict, by_export);
            other = time_library(predictor, by_library);
            if (round % 2 == 0) own = time_export(predict, by_export);
            if (round < 0) continue;
            times[0][round] = own;
            times[1][round] = other;
        }
        double difference = 0;
        for (int row = 0; row < BATCH; ++row) difference = fmax(difference, fabs(by_export[row] - by_library[row]));
        for (int which = 0; which < 2; ++which) qsort(times[which], (size_t)rounds, sizeof(double), ascending);
        const double own = times[0][rounds / 2], other = times[1][rounds / 2];
        printf("| %s | %.0f | %.1f | %.2f | %.2f | %.2f | %.0e |\n", models[index].name, (double)length / 1000,
               (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec), own, other, own / other,
               difference);
        fflush(stdout);
        mtlr_predictor_free(predictor);
        mtlr_model_free(model);
        mtlr_dataset_free(dataset);
    }
    return 0;
}
