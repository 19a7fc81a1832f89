/* Children of a process that has fitted XGBoost on two threads fit and predict it on two, and get their parent's effects.
 *
 * XGBoost's own threads are gone in a child, and it would wait for them for ever; the library sees to that. Ends with 77
 * where there is no XGBoost. */
#define _GNU_SOURCE

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trial.h"

enum { CHILDREN = 40, THREADS = 2 };

static trial t;

static const char *const specs[] = {
    "{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"xgboost\", \"trees\": 20},"
    " \"propensity\": {\"backend\": \"logistic\"}}, \"cross_fitting\": {\"folds\": 2}}",
    "{" TRIAL_DATA ", \"learner\": \"x\", \"models\": {\"outcome\": {\"backend\": \"xgboost\", \"trees\": 8,"
    " \"engine\": {\"tree_method\": \"approx\"}}, \"propensity\": {\"backend\": \"xgboost\", \"trees\": 8},"
    " \"effect\": {\"backend\": \"ridge\"}}, \"cross_fitting\": {\"folds\": 1}}",
};
enum { SPECS = sizeof specs / sizeof *specs };
static double expected[SPECS][TRIAL_ROWS];

/* Fits a spec on two threads and predicts; the status of what failed. */
static mtlr_status effects_of(const char *spec, double *effects, mtlr_error **error) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = THREADS;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_status status = mtlr_dataset_create(&dataset, &t.table, spec, MTLR_DATASET_COPY, error);
    if (status == MTLR_OK) status = mtlr_model_fit(&model, dataset, spec, &execution, error);
    if (status == MTLR_OK) {
        status = mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, error);
    }
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return status;
}

/* A child: its status is 0 where all is as in the parent. One that hangs is ended by the alarm. */
static int child(void) {
    alarm(60);
    for (int spec = 0; spec < SPECS; spec++) {
        double effects[TRIAL_ROWS];
        mtlr_error *error = NULL;
        if (effects_of(specs[spec], effects, &error) != MTLR_OK) {
            fprintf(stderr, "%s\n", mtlr_error_message(error));
            return 1;
        }
        if (memcmp(effects, expected[spec], sizeof effects) != 0) return 2;
    }
    return 0;
}

int main(void) {
    trial_make(&t, 2);
    for (int spec = 0; spec < SPECS; spec++) {
        mtlr_error *error = NULL;
        mtlr_status status = effects_of(specs[spec], expected[spec], &error);
        if (status == MTLR_UNSUPPORTED) {
            fprintf(stderr, "%s\n", mtlr_error_message(error));
            return 77;
        }
        if (error) fprintf(stderr, "%s\n", mtlr_error_message(error));
        CHECK(status == MTLR_OK);
        mtlr_error_free(error);
    }
    for (int time = 0; time < CHILDREN; time++) {
        pid_t one = fork();
        if (one == 0) _exit(child());
        int ended = 0;
        CHECK(one > 0 && waitpid(one, &ended, 0) == one);
        if (WIFSIGNALED(ended)) fprintf(stderr, "child %d: signal %d\n", time, WTERMSIG(ended));
        CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
    return finish("fork_xgboost");
}
