/* Children of a host that has fitted, or is fitting in another thread, fit and predict like their parent. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trial.h"

/* Trees, forests and linear models on two threads; auto as it comes. */
static const char *const specs[] = {
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"cross_fitting\": {\"folds\": 2}, \"models\": {\"outcome\": {\"backend\": \"trees\","
    " \"trees\": 8}, \"propensity\": {\"backend\": \"logistic\"}, \"effect\": {\"backend\": \"ridge\"}}}",
    "{" TRIAL_DATA ", \"learner\": \"t\", \"cross_fitting\": {\"folds\": 2}, \"models\": {\"outcome\": {\"backend\": \"forest\","
    " \"trees\": 8}, \"propensity\": {\"backend\": \"logistic\"}}}",
    TRIAL_SPEC,
};
enum { SPECS = sizeof specs / sizeof *specs };

static trial t;
static mtlr_dataset *dataset;
static mtlr_model *models[SPECS];
static double expected[SPECS][TRIAL_ROWS];

/* Fits to the dataset that the parent made, and to one of its own; 0 where both predict what they should. */
static int fit_and_compare(const mtlr_dataset *known, int index) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 2;
    double effects[TRIAL_ROWS];
    mtlr_dataset *own = NULL;
    int wrong = 0;
    if (mtlr_dataset_create(&own, &t.table, specs[index], MTLR_DATASET_COPY, NULL) != MTLR_OK) return 2;
    for (int round = 0; round < 2; round++) {
        mtlr_model *model = NULL;
        if (mtlr_model_fit(&model, round ? own : known, specs[index], &execution, NULL) != MTLR_OK) return 3;
        if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, NULL) != MTLR_OK) return 4;
        wrong |= memcmp(effects, expected[index], sizeof effects) != 0;
        mtlr_model_free(model);
    }
    if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, models[index], &t.table, NULL, &execution, NULL) != MTLR_OK) return 5;
    wrong |= memcmp(effects, expected[index], sizeof effects) != 0;
    mtlr_dataset_free(own);
    return wrong ? 6 : 0;
}

/* Forks children that fit, `times` of them, `beside` at a time; every other one forks a child of its own. */
static void fork_children(int times, int beside) {
    for (int first = 0; first < times; first += beside) {
        pid_t children[8];
        for (int index = 0; index < beside; index++) {
            children[index] = fork();
            if (children[index] == 0) {
                alarm(120); /* A child that hangs is ended by it, and counts as failed. */
                int number = first + index;
                int status = fit_and_compare(dataset, number % SPECS);
                if (status == 0 && number % 2) {
                    pid_t grandchild = fork();
                    if (grandchild == 0) _exit(fit_and_compare(dataset, (number + 1) % SPECS));
                    int ended = 0;
                    waitpid(grandchild, &ended, 0);
                    status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 7;
                }
                _exit(status);
            }
        }
        for (int index = 0; index < beside; index++) {
            int ended = 0;
            CHECK(children[index] > 0 && waitpid(children[index], &ended, 0) == children[index]);
            CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
            if (!WIFEXITED(ended) || WEXITSTATUS(ended)) {
                fprintf(stderr, "child %d: %s %d\n", first + index, WIFEXITED(ended) ? "status" : "signal",
                        WIFEXITED(ended) ? WEXITSTATUS(ended) : WTERMSIG(ended));
            }
        }
    }
}

/* Children of a parent that has fitted nothing: they are the first to need what the runtime makes once. */
static void fork_before_fits(int times) {
    for (int number = 0; number < times; number++) {
        pid_t child = fork();
        if (child == 0) {
            mtlr_execution execution = MTLR_EXECUTION_INIT;
            execution.threads = 4;
            alarm(60);
            mtlr_model *model = NULL;
            _exit((int)mtlr_model_fit(&model, dataset, specs[number % SPECS], &execution, NULL));
        }
        int ended = 0;
        CHECK(child > 0 && waitpid(child, &ended, 0) == child);
        CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
}

/* Children of a process that has loaded the library and never called it. */
static void fork_before_first_call(int times) {
    for (int number = 0; number < times; number++) {
        pid_t child = fork();
        if (child == 0) {
            mtlr_execution execution = MTLR_EXECUTION_INIT;
            execution.threads = 2;
            mtlr_dataset *own = NULL;
            mtlr_model *model = NULL;
            const char *spec = specs[number % SPECS];
            alarm(60);
            if (mtlr_dataset_create(&own, &t.table, spec, MTLR_DATASET_COPY, NULL) != MTLR_OK) _exit(1);
            _exit(mtlr_model_fit(&model, own, spec, &execution, NULL) == MTLR_OK ? 0 : 2);
        }
        int ended = 0;
        CHECK(child > 0 && waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
}

static volatile sig_atomic_t is_over = 0;

static void *fit_all_the_time(void *payload) {
    int *fits = payload;
    for (int index = 0; !is_over; index = (index + 1) % SPECS) {
        if (fit_and_compare(dataset, index) != 0) return payload;
        ++*fits;
    }
    return NULL;
}

int main(void) {
    mtlr_error *error = NULL;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 2;
    trial_make(&t, 2);
    fork_before_first_call(100);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, specs[0], MTLR_DATASET_COPY, &error));
    fork_before_fits(60);
    for (int index = 0; index < SPECS; index++) {
        SUCCEEDS(mtlr_model_fit(&models[index], dataset, specs[index], &execution, &error));
        SUCCEEDS(mtlr_model_predict(expected[index], TRIAL_ROWS, NULL, models[index], &t.table, NULL, NULL, &error));
    }
    /* After fits. */
    fork_children(200, 4);
    /* The parent goes on as before. */
    CHECK(fit_and_compare(dataset, 0) == 0);
    /* During fits in two other threads, of the same dataset and the same models. */
    pthread_t threads[2];
    int fits[2] = {0, 0};
    for (int index = 0; index < 2; index++) {
        CHECK(pthread_create(&threads[index], NULL, fit_all_the_time, &fits[index]) == 0);
    }
    fork_children(200, 2);
    is_over = 1;
    for (int index = 0; index < 2; index++) {
        void *wrong = &t;
        CHECK(pthread_join(threads[index], &wrong) == 0 && wrong == NULL && fits[index] > 0);
    }
    /* A child of a default fit, which takes longest. */
    static double automatic[TRIAL_ROWS];
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_model_fit(&model, dataset, "{" TRIAL_DATA "}", &execution, &error));
    SUCCEEDS(mtlr_model_predict(automatic, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    mtlr_model_free(model);
    for (int times = 0; times < 5; times++) {
        pid_t child = fork();
        if (child == 0) {
            static double effects[TRIAL_ROWS];
            alarm(300);
            if (mtlr_model_fit(&model, dataset, "{" TRIAL_DATA "}", &execution, NULL) != MTLR_OK) _exit(1);
            if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, NULL) != MTLR_OK) _exit(2);
            _exit(memcmp(effects, automatic, sizeof effects) ? 3 : 0);
        }
        int ended = 0;
        CHECK(child > 0 && waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
    for (int index = 0; index < SPECS; index++) mtlr_model_free(models[index]);
    mtlr_dataset_free(dataset);
    return finish("fork");
}
