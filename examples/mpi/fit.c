/*
 * A fit to rows that several processes of MPI hold. Each process has its own part of the rows (here drawn on the spot), and all get
 * the same model; process 0 saves it. With one process it is a plain fit, to the byte the same.
 *
 *     cc -std=c99 fit.c $(pkg-config --cflags --libs metalearners) $(pkg-config --cflags --libs ompi-c) -o fit
 *     mpirun -n 2 ./fit model.mtlr
 */
#include <metalearners.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MPI counts in int: longer arrays go in pieces. */
enum { PIECE = 1 << 28 };

static int32_t reduce(void *values, int64_t count, size_t width, MPI_Datatype type, MPI_Op operation) {
    for (int64_t done = 0; done < count; done += PIECE) {
        int piece = count - done < PIECE ? (int)(count - done) : PIECE;
        void *start = (char *)values + (size_t)done * width;
        int status = MPI_Allreduce(MPI_IN_PLACE, start, piece, type, operation, MPI_COMM_WORLD);
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

static int32_t broadcast(void *payload, void *bytes, int64_t length, int32_t root) {
    (void)payload;
    for (int64_t done = 0; done < length; done += PIECE) {
        int piece = length - done < PIECE ? (int)(length - done) : PIECE;
        int status = MPI_Bcast((char *)bytes + done, piece, MPI_BYTE, root, MPI_COMM_WORLD);
        if (status != MPI_SUCCESS) return status;
    }
    return 0;
}

/* Each process in turn sends its bytes to all: as many as it likes. */
static int32_t gather(void *payload, const void *bytes, int64_t length, void *all, const int64_t *lengths) {
    const mtlr_collective *collective = payload;
    char *place = all;
    for (int32_t rank = 0; rank < collective->size; rank++) {
        if (rank == collective->rank && length > 0) memcpy(place, bytes, (size_t)length);
        int32_t status = broadcast(payload, place, lengths[rank], rank);
        if (status) return status;
        place += lengths[rank];
    }
    return 0;
}

/* The others wait within MPI, which only its abort ends. */
static void leave(void *payload) {
    (void)payload;
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void stop_at(mtlr_error *error) {
    if (!error) return;
    fprintf(stderr, "%s\n", mtlr_error_message(error));
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* A number in [0, 1) that belongs to a row, whichever process draws it. */
static double uniform(uint64_t row, uint64_t what) {
    uint64_t z = row * UINT64_C(0x9E3779B97F4A7C15) + what * UINT64_C(0xD1B54A32D192ED03);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

#define TREES "{\"backend\": \"trees\", \"trees\": 50}"

static const char *const spec =
    "{\"learner\": \"dr\", \"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"keep_training\": false,"
    " \"models\": {\"outcome\": " TREES ", \"propensity\": " TREES ", \"effect\": " TREES "}}";

int main(int argc, char **argv) {
    int provided, rank, size;
    /* Calls come one at a time, but not always from this thread. */
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 2 || provided < MPI_THREAD_SERIALIZED) {
        fprintf(stderr, "usage: fit MODEL [ROWS]; MPI must allow calls from several threads\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int64_t total = argc > 2 ? atoll(argv[2]) : 20000;
    int64_t first = total * rank / size, rows = total * (rank + 1) / size - first;
    double *x = malloc(sizeof *x * 2 * (size_t)(rows + 1)), *y = malloc(sizeof *y * (size_t)(rows + 1));
    int8_t *w = malloc((size_t)(rows + 1));
    if (!x || !y || !w) MPI_Abort(MPI_COMM_WORLD, 3);
    for (int64_t row = 0; row < rows; row++) {
        uint64_t number = (uint64_t)(first + row);
        double a = uniform(number, 1), b = uniform(number, 2);
        w[row] = uniform(number, 3) < 0.3 + 0.4 * a;
        x[row] = a, x[rows + row] = b;
        y[row] = a + w[row] * (1 + b) + uniform(number, 4);
    }
    mtlr_column columns[] = {{"a", x, 0, NULL, 0, MTLR_FLOAT64, 0}, {"b", x + rows, 0, NULL, 0, MTLR_FLOAT64, 0},
                             {"w", w, 0, NULL, 0, MTLR_INT8, 0}, {"y", y, 0, NULL, 0, MTLR_FLOAT64, 0}};
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = rows;
    table.columns = columns;
    table.column_count = 4;

    mtlr_collective collective = MTLR_COLLECTIVE_INIT;
    collective.rank = rank;
    collective.size = size;
    collective.payload = &collective;
    collective.sum_int64 = sum_int64;
    collective.sum_double = sum_double;
    collective.max_int64 = max_int64;
    collective.broadcast = broadcast;
    collective.gather = gather;
    collective.leave = leave;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.collective = &collective;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_error *error = NULL;
    mtlr_dataset_create_part(&dataset, &table, spec, MTLR_DATASET_BORROW, &execution, &error);
    stop_at(error);
    double start = MPI_Wtime();
    mtlr_model_fit(&model, dataset, spec, &execution, &error);
    stop_at(error);
    double seconds = MPI_Wtime() - start;
    if (rank == 0) {
        mtlr_model_save(model, argv[1], &error);
        stop_at(error);
        printf("%lld rows, %d processes, %.2f s\n", (long long)mtlr_model_training_rows(model), size, seconds);
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    free(x), free(y), free(w);
    MPI_Finalize();
    return 0;
}
