/* Fits a learner on trees to rows that processes of MPI hold, each its own part, and prints one line: the seconds, the largest peak of
 * resident memory of a process, how many bytes this process gave to the network in how many calls, and a sum of the model's bytes, which
 * is the same for any number of processes.
 *
 * usage: mpirun -n PROCESSES collective ROWS COLUMNS LEARNER TREES THREADS [SPEC_KEYS] */
#define _POSIX_C_SOURCE 200809L
#include <metalearners.h>
#include <mpi.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 200, PIECE = 1 << 28 };

static int64_t bytes_given, calls;

static int32_t reduce(void *values, int64_t count, size_t width, MPI_Datatype type, MPI_Op operation) {
    bytes_given += count * (int64_t)width, calls++;
    for (int64_t done = 0; done < count; done += PIECE) {
        int piece = count - done < PIECE ? (int)(count - done) : PIECE;
        int status = MPI_Allreduce(MPI_IN_PLACE, (char *)values + (size_t)done * width, piece, type, operation, MPI_COMM_WORLD);
        if (status != MPI_SUCCESS) return status;
    }
    return 0;
}

static int32_t sum_int64(void *payload, int64_t *values, int64_t count) {
    (void)payload;
    return reduce(values, count, sizeof *values, MPI_INT64_T, MPI_SUM);
}

static int32_t sum_double(void *payload, double *values, int64_t count) {
    (void)payload;
    return reduce(values, count, sizeof *values, MPI_DOUBLE, MPI_SUM);
}

static int32_t max_int64(void *payload, int64_t *values, int64_t count) {
    (void)payload;
    return reduce(values, count, sizeof *values, MPI_INT64_T, MPI_MAX);
}

static int32_t send(void *bytes, int64_t length, int32_t root) {
    for (int64_t done = 0; done < length; done += PIECE) {
        int piece = length - done < PIECE ? (int)(length - done) : PIECE;
        int status = MPI_Bcast((char *)bytes + done, piece, MPI_BYTE, root, MPI_COMM_WORLD);
        if (status != MPI_SUCCESS) return status;
    }
    return 0;
}

static int32_t broadcast(void *payload, void *bytes, int64_t length, int32_t root) {
    const mtlr_collective *collective = payload;
    bytes_given += collective->rank == root ? length : 0, calls++;
    return send(bytes, length, root);
}

static int32_t gather(void *payload, const void *bytes, int64_t length, void *all, const int64_t *lengths) {
    const mtlr_collective *collective = payload;
    char *place = all;
    bytes_given += length, calls++;
    for (int32_t rank = 0; rank < collective->size; rank++) {
        if (rank == collective->rank && length > 0) memcpy(place, bytes, (size_t)length);
        int32_t status = send(place, lengths[rank], rank);
        if (status) return status;
        place += lengths[rank];
    }
    return 0;
}

static void leave(void *payload) {
    (void)payload;
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void stop_at(mtlr_error *error) {
    if (!error) return;
    fprintf(stderr, "%s\n", mtlr_error_message(error));
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static uint64_t mixed(uint64_t x) {
    x ^= x >> 30, x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27, x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Uniform on [-0.5, 0.5): it belongs to the row, whichever process draws it. */
static float number(int64_t row, int column) {
    return (float)((double)(mixed((uint64_t)row * 1024 + (uint64_t)column + 1) >> 40) / 16777216.0 - 0.5);
}

static double peak_mebibytes(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    double kibibytes = 0;
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %lf", &kibibytes);
    if (status) fclose(status);
    return kibibytes / 1024;
}

int main(int argc, char **argv) {
    int provided, rank, size;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 6 || provided < MPI_THREAD_SERIALIZED) {
        fprintf(stderr, "usage: collective ROWS COLUMNS LEARNER TREES THREADS [SPEC_KEYS]\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int64_t total = atoll(argv[1]);
    int columns = atoi(argv[2]);
    if (columns < 3 || columns > MOST_COLUMNS) MPI_Abort(MPI_COMM_WORLD, 2);
    int64_t first = total * rank / size, rows = total * (rank + 1) / size - first;
    float *x = malloc(sizeof *x * (size_t)columns * (size_t)(rows + 1)), *y = malloc(sizeof *y * (size_t)(rows + 1));
    int8_t *w = malloc((size_t)(rows + 1));
    if (!x || !y || !w) MPI_Abort(MPI_COMM_WORLD, 3);
    static char names[MOST_COLUMNS][8];
    static mtlr_column described[MOST_COLUMNS + 2];
    for (int column = 0; column < columns; column++) {
        float *numbers = x + (size_t)column * (size_t)rows;
        for (int64_t row = 0; row < rows; row++) numbers[row] = number(first + row, column);
        snprintf(names[column], sizeof names[column], "x%d", column);
        described[column] = (mtlr_column){names[column], numbers, 0, NULL, 0, MTLR_FLOAT32, 0};
    }
    for (int64_t row = 0; row < rows; row++) {
        float x0 = x[row], x1 = x[rows + row], x2 = x[2 * rows + row];
        w[row] = number(first + row, 1000) < 0.4f * x0;
        y[row] = sinf(4 * x1) + x2 + (float)w[row] * (1 + x0 + (x1 > 0)) + number(first + row, 1001);
    }
    described[columns] = (mtlr_column){"w", w, 0, NULL, 0, MTLR_INT8, 0};
    described[columns + 1] = (mtlr_column){"y", y, 0, NULL, 0, MTLR_FLOAT32, 0};
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = rows, table.columns = described, table.column_count = columns + 2;

    char trees[64], spec[1024];
    snprintf(trees, sizeof trees, "{\"backend\": \"trees\", \"trees\": %s}", argv[4]);
    snprintf(
        spec, sizeof spec,
        "{\"learner\": \"%s\", \"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"keep_training\": false,"
        " \"models\": {\"outcome\": %s, \"propensity\": %s, \"effect\": %s}%s}",
        argv[3], trees, trees, trees, argc > 6 ? argv[6] : "");

    mtlr_collective collective = MTLR_COLLECTIVE_INIT;
    collective.rank = rank, collective.size = size, collective.payload = &collective;
    collective.sum_int64 = sum_int64, collective.sum_double = sum_double, collective.max_int64 = max_int64;
    collective.broadcast = broadcast, collective.gather = gather, collective.leave = leave;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = atoi(argv[5]);
    /* One process alone is a plain fit. */
    execution.collective = size > 1 ? &collective : NULL;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_error *error = NULL;
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    if (size > 1) {
        mtlr_dataset_create_part(&dataset, &table, spec, MTLR_DATASET_BORROW, &execution, &error);
    } else {
        mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_BORROW, &error);
    }
    stop_at(error);
    mtlr_model_fit(&model, dataset, spec, &execution, &error);
    stop_at(error);
    double seconds = MPI_Wtime() - start, peak = peak_mebibytes(), largest = 0;
    MPI_Reduce(&peak, &largest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        uint8_t *bytes = NULL;
        int64_t length = 0;
        mtlr_model_to_bytes(&bytes, &length, model, &error);
        stop_at(error);
        uint64_t sum = UINT64_C(0xcbf29ce484222325);
        for (int64_t index = 0; index < length; index++) sum = (sum ^ bytes[index]) * UINT64_C(0x100000001b3);
        printf("%s %lld x %d, %d processes of %s threads: %.2f s, %.0f MiB, %.1f MB given in %lld calls, model %016llx\n", argv[3],
               (long long)total, columns, size, argv[5], seconds, largest, (double)bytes_given / 1e6, (long long)calls,
               (unsigned long long)sum);
        mtlr_bytes_free(bytes);
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    free(x), free(y), free(w);
    MPI_Finalize();
    return 0;
}
