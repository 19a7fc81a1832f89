/* A small randomised trial in C arrays, as tables of several forms. */
#ifndef TRIAL_H
#define TRIAL_H

#include <metalearners.h>

#include <stdint.h>

enum { TRIAL_ROWS = 240, TRIAL_COLUMNS = 5 };

typedef struct trial {
    double x0[TRIAL_ROWS], x1[TRIAL_ROWS], y[TRIAL_ROWS];
    /* x0 and x1 once more, row by row. */
    double x[TRIAL_ROWS][2];
    int32_t group[TRIAL_ROWS];
    int8_t w[TRIAL_ROWS];
    mtlr_column columns[TRIAL_COLUMNS];
    mtlr_table table;
} trial;

static const char *const trial_levels[] = {"a", "b", "c"};
static const char *const trial_arms[] = {"none", "low", "high"};

static inline double trial_uniform(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Fills the arrays; `arms` is 2 (numbers 0 and 1) or 3 (levels). The columns are x0, x1, group, w, y. */
static inline void trial_make(trial *t, int arms) {
    uint64_t state = 7;
    for (int row = 0; row < TRIAL_ROWS; row++) {
        t->x0[row] = trial_uniform(&state) - 0.5;
        t->x1[row] = trial_uniform(&state);
        t->group[row] = (int32_t)(3 * trial_uniform(&state));
        t->w[row] = (int8_t)(arms * trial_uniform(&state));
        t->y[row] = t->x0[row] + t->w[row] * (1 + t->x1[row]) + 0.2 * t->group[row] + 0.1 * trial_uniform(&state);
        t->x[row][0] = t->x0[row];
        t->x[row][1] = t->x1[row];
    }
    t->columns[0] = (mtlr_column){"x0", t->x0, 0, NULL, 0, MTLR_FLOAT64, 0};
    t->columns[1] = (mtlr_column){"x1", t->x1, 8, NULL, 0, MTLR_FLOAT64, 0};
    t->columns[2] = (mtlr_column){"group", t->group, 0, trial_levels, 3, MTLR_INT32, 0};
    t->columns[3] = (mtlr_column){"w", t->w, 0, arms == 3 ? trial_arms : NULL, arms == 3 ? 3 : 0, MTLR_INT8, 0};
    t->columns[4] = (mtlr_column){"y", t->y, 0, NULL, 0, MTLR_FLOAT64, 0};
    t->table = (mtlr_table)MTLR_TABLE_INIT;
    t->table.rows = TRIAL_ROWS;
    t->table.columns = t->columns;
    t->table.column_count = TRIAL_COLUMNS;
}

/* Quick specs: linear models throughout. */
#define TRIAL_DATA "\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}"
#define TRIAL_MODELS                                                                                                 \
    "\"models\": {\"outcome\": {\"backend\": \"ridge\"}, \"propensity\": {\"backend\": \"logistic\"},"              \
    " \"effect\": {\"backend\": \"ridge\"}}"
#define TRIAL_SPEC "{" TRIAL_DATA ", \"learner\": \"dr\", " TRIAL_MODELS ", \"cross_fitting\": {\"folds\": 3}}"

#endif
