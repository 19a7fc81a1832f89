/* Fits a learner on trees to rows that are drawn, either as one table in memory or batch by batch, and prints one line: what was fitted, the
 * seconds that reading and fitting took, the peak of resident memory and what of it one row has, and a sum of the model's bytes.
 *
 * usage: streamed table|batches ROWS COLUMNS LEARNER TREES THREADS [average] [MEMORY_LIMIT_MIB]
 *
 * Row r of column c is a number that r and c decide, so that any part of the rows can be drawn at any time. */
#define _POSIX_C_SOURCE 200809L
#include <metalearners.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_COLUMNS = 200, BATCH = 65536 };

static uint64_t mixed(uint64_t x) {
    x ^= x >> 30, x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27, x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Uniform on [-0.5, 0.5). */
static float number(int64_t row, int column) {
    return (float)((double)(mixed((uint64_t)row * 1024 + (uint64_t)column + 1) >> 40) / 16777216.0 - 0.5);
}

typedef struct rows {
    int64_t total, first;
    int columns;
    float *numbers[MOST_COLUMNS];
    float *y;
    int8_t *w;
    mtlr_column described[MOST_COLUMNS + 2];
    char names[MOST_COLUMNS][8];
} rows;

static void make(rows *r, int64_t capacity) {
    for (int column = 0; column < r->columns; column++) {
        r->numbers[column] = malloc((size_t)capacity * sizeof(float));
        snprintf(r->names[column], sizeof r->names[column], "x%d", column);
        r->described[column] = (mtlr_column){r->names[column], r->numbers[column], 0, NULL, 0, MTLR_FLOAT32, 0};
    }
    r->y = malloc((size_t)capacity * sizeof(float));
    r->w = malloc((size_t)capacity);
    r->described[r->columns] = (mtlr_column){"w", r->w, 0, NULL, 0, MTLR_INT8, 0};
    r->described[r->columns + 1] = (mtlr_column){"y", r->y, 0, NULL, 0, MTLR_FLOAT32, 0};
}

/* Draws rows from `first` on, of which there is room for `count`. */
static void draw(rows *r, int64_t first, int64_t count) {
    for (int column = 0; column < r->columns; column++) {
        for (int64_t row = 0; row < count; row++) r->numbers[column][row] = number(first + row, column);
    }
    for (int64_t row = 0; row < count; row++) {
        float x0 = r->numbers[0][row], x1 = r->numbers[1][row], x2 = r->numbers[2][row];
        r->w[row] = number(first + row, 1000) < 0.4f * x0;
        r->y[row] = sinf(4 * x1) + x2 + (float)r->w[row] * (1 + x0 + (x1 > 0)) + number(first + row, 1001);
    }
}

static int32_t restart(void *payload) {
    ((rows *)payload)->first = 0;
    return 0;
}

static int32_t next(void *payload, mtlr_table *batch) {
    rows *r = payload;
    int64_t count = r->total - r->first < BATCH ? r->total - r->first : BATCH;
    if (count == 0) return 0;
    draw(r, r->first, count);
    r->first += count;
    batch->rows = count;
    batch->columns = r->described;
    batch->column_count = r->columns + 2;
    return 1;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The peak of resident memory in MiB, since it was last forgotten. */
static double peak(void) {
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "VmHWM: %lf", &kib);
    if (file) fclose(file);
    return kib / 1024;
}

static void forget_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) fputs("5", file), fclose(file);
}

static void require(mtlr_status status, mtlr_error **error) {
    if (status == MTLR_OK) return;
    fprintf(stderr, "%s\n", mtlr_error_message(*error));
    exit(1);
}

int main(int count, char **given) {
    if (count < 7) return 2;
    int is_table = strcmp(given[1], "table") == 0;
    static rows r;
    r.total = atoll(given[2]);
    r.columns = atoi(given[3]);
    int averages = count > 7 && strcmp(given[7], "average") == 0;
    int64_t limit = count > 8 ? atoll(given[8]) << 20 : 0;
    char spec[2048], trees[128];
    snprintf(trees, sizeof trees, "{\"backend\": \"trees\", \"trees\": %s}", given[5]);
    snprintf(spec, sizeof spec,
             "{\"learner\": \"%s\", \"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"cross_fitting\": {\"folds\": 2},"
             " \"keep_training\": false, \"average_effects\": %s, \"overlap\": {\"check\": false},"
             " \"models\": {\"outcome\": %s, \"propensity\": %s, \"effect\": %s}}",
             given[4], averages ? "true" : "false", trees, trees, trees);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = atoi(given[6]);
    execution.memory_limit = limit;
    mtlr_error *error = NULL;
    mtlr_dataset *dataset = NULL;
    make(&r, is_table ? r.total : BATCH);
    if (is_table) draw(&r, 0, r.total);
    double start = now();
    if (is_table) {
        mtlr_table table = MTLR_TABLE_INIT;
        table.rows = r.total;
        table.columns = r.described;
        table.column_count = r.columns + 2;
        require(mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_BORROW, &error), &error);
    } else {
        mtlr_row_source source = MTLR_ROW_SOURCE_INIT;
        source.payload = &r;
        source.restart = restart;
        source.next = next;
        require(mtlr_dataset_create_streamed(&dataset, &source, spec, &execution, &error), &error);
    }
    double read = now();
    double reading = peak();
    forget_peak();
    mtlr_model *model = NULL;
    require(mtlr_model_fit(&model, dataset, spec, &execution, &error), &error);
    double fitted = now();
    uint8_t *bytes = NULL;
    int64_t length = 0;
    require(mtlr_model_to_bytes(&bytes, &length, model, &error), &error);
    uint64_t sum = 0;
    for (int64_t index = 0; index < length; index++) sum = mixed(sum + bytes[index] + 1);
    double most = reading > peak() ? reading : peak();
    printf("%s %lld x %d, learner %s, %s trees, %d threads: reading %.1f s, fit %.1f s; peak %.0f MiB while reading, %.0f MiB in the fit,"
           " %.1f bytes a row; model %016llx\n",
           given[1], (long long)r.total, r.columns, given[4], given[5], execution.threads, read - start, fitted - read, reading, peak(),
           most * 1048576 / (double)r.total, (unsigned long long)sum);
    mtlr_bytes_free(bytes);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return 0;
}
