/* A small trial that the targets fit, and spoil. */
#ifndef FUZZ_TRIAL_H
#define FUZZ_TRIAL_H

#include <metalearners.h>

enum { TRIAL_ROWS = 32, TRIAL_COLUMNS = 5 };

typedef struct trial {
    double x0[TRIAL_ROWS], x1[TRIAL_ROWS], y[TRIAL_ROWS];
    int32_t group[TRIAL_ROWS];
    int8_t w[TRIAL_ROWS];
    mtlr_column columns[TRIAL_COLUMNS];
    mtlr_table table;
} trial;

static const char *const trial_names[] = {"x0", "x1", "group", "w", "y"};
static const char *const trial_levels[] = {"a", "b", "c"};
static const char *const trial_arms[] = {"none", "low", "high"};

/* Fills the trial: columns x0, x1, group, w, y, of 2 arms (0 and 1) or 3 (with names). */
static inline void trial_make(trial *t, int arms) {
    uint64_t state = 7;
    for (int row = 0; row < TRIAL_ROWS; row++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        t->x0[row] = (double)(state >> 44) / 1048576.0;
        t->x1[row] = (double)(state >> 24 & 0xFFFFF) / 1048576.0;
        t->group[row] = row % 3;
        t->w[row] = (int8_t)(row * 5 / 3 % arms);
        t->y[row] = t->x0[row] + t->w[row] * (1 + t->x1[row]) + 0.2 * t->group[row];
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

#define TRIAL_DATA "\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}"
#define TRIAL_LINEAR                                                                                                 \
    "\"models\": {\"outcome\": {\"backend\": \"ridge\"}, \"propensity\": {\"backend\": \"logistic\"},"              \
    " \"effect\": {\"backend\": \"ridge\"}}, \"cross_fitting\": {\"folds\": 2}"
#define TRIAL_SPEC "{" TRIAL_DATA ", \"learner\": \"t\", " TRIAL_LINEAR "}"

/* The model of a spec, fitted to the trial. */
mtlr_model *trial_fit(const trial *t, const char *spec);

/* Uses a model in every way: predictions of a table, averages, what it says of itself. */
void trial_use(const mtlr_model *model, const mtlr_table *table);

#endif
