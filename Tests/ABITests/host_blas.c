/* A host that uses OpenBLAS itself: its number of threads survives whatever the library does, and it may multiply meanwhile. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>

#include "check.h"
#include "trial.h"

enum { ORDER = 64 };

static trial t;
static mtlr_error *error = NULL;
static int (*get_threads)(void);
static void (*set_threads)(int);
static void (*multiply)(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *,
                        int);

/* Products of the host, for as long as the library fits. */
static void *products(void *done) {
    static double a[ORDER * ORDER], b[ORDER * ORDER];
    int wrong = 0;
    for (int i = 0; i < ORDER * ORDER; i++) a[i] = (i % ORDER == i / ORDER) ? 2 : 0;
    for (int time = 0; time < 200 || !__atomic_load_n((int *)done, __ATOMIC_ACQUIRE); time++) {
        multiply(102, 111, 111, ORDER, ORDER, ORDER, 1, a, ORDER, a, ORDER, 0, b, ORDER);
        for (int i = 0; i < ORDER * ORDER; i++) wrong += b[i] != 2 * a[i];
    }
    return wrong ? done : NULL;
}

static void fit(const mtlr_dataset *dataset, const char *spec, mtlr_status expected) {
    mtlr_model *model = NULL;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 2;
    mtlr_status status = mtlr_model_fit(&model, dataset, spec, &execution, &error);
    CHECK(status == expected);
    mtlr_error_free(error);
    error = NULL;
    mtlr_model_free(model);
}

int main(void) {
    *(void **)&get_threads = dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    *(void **)&multiply = dlsym(RTLD_DEFAULT, "cblas_dgemm");
    CHECK(get_threads && set_threads && multiply);
    if (failures) return finish("host_blas");
    trial_make(&t, 2);
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TRIAL_SPEC, MTLR_DATASET_COPY, &error));
    for (int threads = 1; threads <= 2; threads++) {
        set_threads(threads);
        CHECK(get_threads() == threads);
        fit(dataset, TRIAL_SPEC, MTLR_OK);
        CHECK(get_threads() == threads);
        /* A fit that fails leaves it as it was, too. */
        fit(dataset, "{" TRIAL_DATA ", \"learner\": \"dr\", \"models\": {\"outcome\": \"no such\"}}", MTLR_INVALID_SPEC);
        CHECK(get_threads() == threads);
        int done = 0;
        pthread_t thread;
        void *wrong = NULL;
        CHECK(pthread_create(&thread, NULL, products, &done) == 0);
        for (int time = 0; time < 5; time++) fit(dataset, TRIAL_SPEC, MTLR_OK);
        __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
        CHECK(pthread_join(thread, &wrong) == 0 && wrong == NULL);
        CHECK(get_threads() == threads);
    }
    mtlr_dataset_free(dataset);
    return finish("host_blas");
}
