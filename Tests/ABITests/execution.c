/* How a fit is run: memory that is borrowed, models that threads share, progress, cancellation and polling. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <time.h>

#include "fixture.h"

/* A model that was fitted to borrowed memory does not need it any more. */
static void model_outlives_its_data(void) {
    trial_make(&t, 2);
    trial *gone = malloc(sizeof *gone);
    CHECK(gone != NULL);
    if (!gone) return;
    trial_make(gone, 2);
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &gone->table, TRIAL_SPEC, MTLR_DATASET_BORROW, &error));
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 2);
    mtlr_dataset_free(dataset);
    memset(gone, 0xff, sizeof *gone);
    free(gone);
    static double effects[TRIAL_ROWS], again[TRIAL_ROWS];
    mtlr_average_effect effect;
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_training_effects(again, TRIAL_ROWS, model, &error));
    SUCCEEDS(mtlr_model_average_effects(&effect, 1, model, NULL, NULL, &error));
    CHECK(isfinite(effects[0]) && isfinite(again[0]) && isfinite(effect.estimate));
    mtlr_model_free(model);
}

static const mtlr_model *shared;
static double expected[TRIAL_ROWS];

static void *predict_many_times(void *result) {
    double effects[TRIAL_ROWS];
    for (int time = 0; time < 50; time++) {
        mtlr_execution execution = MTLR_EXECUTION_INIT;
        execution.threads = 1 + time % 2;
        if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, shared, &t.table, NULL, &execution, NULL) != MTLR_OK ||
            memcmp(effects, expected, sizeof effects) != 0) {
            *(int *)result = 1;
        }
    }
    return NULL;
}

static void threads_share_a_model(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_BORROW);
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 2);
    SUCCEEDS(mtlr_model_predict(expected, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    shared = model;
    pthread_t threads[4];
    int failed[4] = {0};
    for (int index = 0; index < 4; index++) {
        CHECK(pthread_create(&threads[index], NULL, predict_many_times, &failed[index]) == 0);
    }
    for (int index = 0; index < 4; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
        CHECK(!failed[index]);
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
}

typedef struct { int calls, limit, disorder; int64_t last; } watcher;

static int32_t watch(void *payload, const char *stage, int64_t done, int64_t total) {
    watcher *w = payload;
    w->calls++;
    if (!stage || !*stage || done < 0 || done > total) w->disorder = 1;
    w->last = done;
    return w->calls < w->limit;
}

static void progress_and_cancellation(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    for (int threads = 1; threads <= 2; threads++) {
        watcher w = {0, 1000000, 0, 0};
        mtlr_model *model = NULL;
        execution.threads = threads;
        execution.progress = watch;
        execution.payload = &w;
        SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
        CHECK(w.calls > 3 && !w.disorder);
        mtlr_model_free(model);
        int calls = w.calls;
        for (int limit = 1; limit < calls; limit += 3) {
            w = (watcher){0, limit, 0, 0};
            model = (mtlr_model *)&w;
            FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
            CHECK(model == NULL);
        }
    }
    execution = (mtlr_execution)MTLR_EXECUTION_INIT;
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    execution.cancel_token = token;
    CHECK(mtlr_cancel_token_is_cancelled(token) == 0);
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
    mtlr_model_free(model);
    mtlr_cancel_token_cancel(token);
    CHECK(mtlr_cancel_token_is_cancelled(token) == 1);
    FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
    CHECK(model == NULL);
    mtlr_cancel_token_free(token);
    mtlr_dataset_free(dataset);
}

typedef struct { pthread_t caller; int polls, limit, calls, elsewhere; double last, longest; } poller;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int32_t poll_caller(void *payload) {
    poller *p = payload;
    p->elsewhere |= !pthread_equal(p->caller, pthread_self());
    if (p->polls++ && now() - p->last > p->longest) p->longest = now() - p->last;
    p->last = now();
    return p->polls >= p->limit;
}

static int32_t watch_caller(void *payload, const char *stage, int64_t done, int64_t total) {
    poller *p = payload;
    p->elsewhere |= !pthread_equal(p->caller, pthread_self());
    p->calls++;
    return stage && done <= total;
}

/* The caller is asked on its own thread, told of the progress there, and changes no result. */
static void polling(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_model *plain = fit(dataset, TRIAL_SPEC, 2), *model = NULL;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.poll = poll_caller;
    execution.progress = watch_caller;
    for (int threads = 1; threads <= 3; threads++) {
        poller p = {pthread_self(), 0, 1000000, 0, 0, 0, 0};
        execution.threads = threads;
        execution.payload = &p;
        SUCCEEDS(mtlr_model_fit(&model, dataset, TRIAL_SPEC, &execution, &error));
        CHECK(p.polls >= 1 && p.calls > 3 && !p.elsewhere);
        CHECK(same_bytes(plain, model));
        static double effects[TRIAL_ROWS], others[TRIAL_ROWS];
        SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, &error));
        SUCCEEDS(mtlr_model_predict(others, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
        CHECK(memcmp(effects, others, sizeof effects) == 0);
        mtlr_study *study = NULL;
        mtlr_analysis *answer = NULL;
        char *text = NULL;
        SUCCEEDS(mtlr_study_create(&study, model, dataset, NULL, &execution, &error));
        SUCCEEDS(mtlr_analysis_run(&answer, study, "\"aipw\"", &execution, &error));
        SUCCEEDS(mtlr_model_average_effects_json(&text, model, NULL, &execution, &error));
        mtlr_string_free(text);
        SUCCEEDS(mtlr_study_report(&text, study, "[\"aipw\"]", &execution, &error));
        mtlr_string_free(text);
        mtlr_analysis_free(answer);
        mtlr_study_free(study);
        mtlr_model_free(model);
        CHECK(!p.elsewhere);
    }
    /* Whoever says no is obeyed, in a fit that would take minutes. */
    const char *const endless =
        "{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 100000}}}";
    poller p = {pthread_self(), 0, 8, 0, 0, 0, 0};
    execution.payload = &p;
    model = (mtlr_model *)&p;
    FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, endless, &execution, &error));
    CHECK(model == NULL && p.polls >= 8 && !p.elsewhere);
    CHECK(p.longest < 5); /* A tenth of a second, where the machine has the time. */
    /* A token of the caller's counts as well, and stays as it was where the poll says no. */
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    execution.cancel_token = token;
    p = (poller){pthread_self(), 0, 3, 0, 0, 0, 0};
    FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, endless, &execution, &error));
    CHECK(mtlr_cancel_token_is_cancelled(token) == 0);
    mtlr_cancel_token_cancel(token);
    p = (poller){pthread_self(), 0, 1000000, 0, 0, 0, 0};
    FAILS(MTLR_CANCELLED, mtlr_model_fit(&model, dataset, endless, &execution, &error));
    mtlr_cancel_token_free(token);
    /* Wrong arguments are said as ever. */
    execution.cancel_token = NULL;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_fit(NULL, dataset, endless, &execution, &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_fit(&model, NULL, endless, &execution, &error));
    execution.threads = -1;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_fit(&model, dataset, endless, &execution, &error));
    mtlr_model_free(plain);
    mtlr_dataset_free(dataset);
}

int main(void) {
    model_outlives_its_data();
    polling();
    threads_share_a_model();
    progress_and_cancellation();
    return finish("execution");
}
