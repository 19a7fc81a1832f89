/* The least that a C program must do to fit XGBoost to some rows of a table and to predict others. */
#ifndef BARE_LOOP_H
#define BARE_LOOP_H

#include <stdint.h>

typedef struct {
    const double *features; /* rows x columns, one column after another */
    const double *target;   /* one number per row; 0 or 1 where binary */
    int64_t row_count;
    int64_t column_count;
    const int32_t *training;
    int64_t training_count;
    const int32_t *predicted;
    int64_t predicted_count;
    int32_t rounds;
    int32_t leaves;
    int32_t threads;
    int32_t binary;
} bare_task;

/* Loads the library; 0 for success. */
int bare_open(const char *path);

/* Fits and predicts; `predictions` holds predicted_count floats. 0 for success. */
int bare_fit(const bare_task *task, float *predictions);

/* Seconds of processor time that the process has used. */
double bare_processor_seconds(void);

/* Seconds that have passed since some time. */
double bare_seconds(void);

#endif
