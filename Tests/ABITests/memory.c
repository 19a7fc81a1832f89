/* Little memory, and files that never end: errors, never an end of the process or a loop. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trial.h"

static trial t;

static const char *const specs[] = {
    TRIAL_SPEC,
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"cross_fitting\": {\"folds\": 2}, \"models\": {\"outcome\": {\"backend\": \"trees\","
    " \"trees\": 8}, \"propensity\": {\"backend\": \"logistic\"}, \"effect\": {\"backend\": \"trees\", \"trees\": 8}}}",
    "{" TRIAL_DATA ", \"learner\": \"t\", \"cross_fitting\": {\"folds\": 2}, \"models\": {\"outcome\": {\"backend\": \"forest\","
    " \"trees\": 8}, \"propensity\": {\"backend\": \"logistic\"}}}",
};
enum { SPECS = sizeof specs / sizeof *specs };

static rlim_t address_space(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) return 0;
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* A fit: 0 where it works, 1 where there is too little memory, more for any other error. */
static int fit(const char *spec, int threads) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = threads;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    double effects[TRIAL_ROWS];
    mtlr_status status = mtlr_dataset_create(&dataset, &t.table, spec, MTLR_DATASET_COPY, NULL);
    if (status == MTLR_OK) status = mtlr_model_fit(&model, dataset, spec, &execution, NULL);
    if (status == MTLR_OK) status = mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, NULL);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return status == MTLR_OK ? 0 : status == MTLR_OUT_OF_MEMORY ? 1 : (int)status + 20;
}

/* Runs `body` in a child with so much address space left; returns its status, or -1 where it was ended by a signal. */
static int limited(long headroom, int (*body)(int), int argument) {
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        rlim_t amount = address_space() + (rlim_t)headroom;
        struct rlimit limit = {amount, amount};
        if (headroom > 0 && setrlimit(RLIMIT_AS, &limit) != 0) _exit(100);
        _exit(body(argument));
    }
    int ended = 0;
    if (child < 0 || waitpid(child, &ended, 0) != child) return -2;
    if (WIFEXITED(ended)) return WEXITSTATUS(ended);
    fprintf(stderr, "%ld bytes left, case %d: signal %d\n", headroom, argument, WTERMSIG(ended));
    return -1;
}

static int fit_numbered(int number) { return fit(specs[number % SPECS], 1 + number / SPECS); }

/* Before the process has used OpenBLAS at all: the buffers are had in the child. */
static void little_address_space(void) {
    int worked = 0, refused = 0;
    for (long headroom = 24; headroom <= 640; headroom += headroom < 64 ? 8 : headroom < 320 ? 16 : 64) {
        for (int number = 0; number < 2 * SPECS; number++) {
            int status = limited(headroom << 20, fit_numbered, number);
            CHECK(status == 0 || status == 1);
            if (status > 1) fprintf(stderr, "%ld MiB left, case %d: status %d\n", headroom, number, status);
            worked += status == 0;
            refused += status == 1;
        }
    }
    printf("memory: %d fits worked, %d were refused\n", worked, refused);
    CHECK(worked > 0 && refused > 0);
}

static const char *path;

static int load(int is_spec) {
    (void)is_spec;
    mtlr_model *model = NULL;
    mtlr_error *error = NULL;
    mtlr_status status = mtlr_model_load(&model, path, &error);
    if (status == MTLR_OK || error == NULL || model != NULL) return 50;
    return (int)status;
}

static void files(void) {
    /* Devices, pipes, folders. */
    path = "/dev/zero";
    CHECK(limited(0, load, 0) == MTLR_CORRUPT_MODEL);
    path = "/dev/urandom";
    CHECK(limited(0, load, 0) == MTLR_CORRUPT_MODEL);
    path = "/dev/null";
    CHECK(limited(0, load, 0) == MTLR_CORRUPT_MODEL);
    path = "/";
    CHECK(limited(0, load, 0) == MTLR_INPUT_OUTPUT);
    path = "fifo.model";
    unlink(path);
    CHECK(mkfifo(path, 0600) == 0 && limited(0, load, 0) == MTLR_CORRUPT_MODEL);
    unlink(path);
    /* Files with holes, of more bytes than any memory: all zeros, and with the right beginning. */
    path = "sparse.model";
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    off_t size = (off_t)8 << 40;
    while (size > 1 << 30 && ftruncate(file, size) != 0) size /= 2;
    CHECK(limited(0, load, 0) == MTLR_CORRUPT_MODEL);
    CHECK(pwrite(file, "MTLRCATE\1\0\0\0\0\0\0\0", 16, 0) == 16);
    CHECK(limited(512 << 20, load, 0) == MTLR_OUT_OF_MEMORY);
    close(file);
    unlink(path);
}

/* 2^31 - 1 rows that are really there, borrowed: what a dataset works out of them is not. */
static int many_rows(int flags) {
    int64_t rows = INT32_MAX;
    void *zeros = mmap(NULL, (size_t)rows, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) return 50;
    mtlr_column columns[] = {{"w", zeros, 0, NULL, 0, MTLR_INT8, 0},
                             {"y", zeros, 0, NULL, 0, MTLR_INT8, 0},
                             {"x", zeros, 0, NULL, 0, MTLR_INT8, 0}};
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = rows;
    table.columns = columns;
    table.column_count = 3;
    mtlr_dataset *dataset = NULL;
    return (int)mtlr_dataset_create(&dataset, &table, TRIAL_SPEC, (uint32_t)flags, NULL);
}

int main(void) {
    trial_make(&t, 2);
    little_address_space();
    files();
    CHECK(limited(6L << 30, many_rows, MTLR_DATASET_BORROW) == MTLR_OUT_OF_MEMORY);
    CHECK(limited(6L << 30, many_rows, MTLR_DATASET_COPY) == MTLR_OUT_OF_MEMORY);
    return finish("memory");
}
