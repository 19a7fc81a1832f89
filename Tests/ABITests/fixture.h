/* A trial, and the calls that most programs of this folder begin with; each is a check of its own. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "check.h"
#include "trial.h"

static trial t;
static mtlr_error *error = NULL;

static inline mtlr_dataset *make_dataset(const char *spec, uint32_t flags) {
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, spec, flags, &error));
    return dataset;
}

static inline mtlr_model *fit(const mtlr_dataset *dataset, const char *spec, int threads) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = threads;
    mtlr_model *model = NULL;
    SUCCEEDS(mtlr_model_fit(&model, dataset, spec, &execution, &error));
    return model;
}

/* Whether two models have the same bytes. */
static inline int same_bytes(const mtlr_model *a, const mtlr_model *b) {
    uint8_t *left = NULL, *right = NULL;
    int64_t left_length = -1, right_length = -2;
    SUCCEEDS(mtlr_model_to_bytes(&left, &left_length, a, &error));
    SUCCEEDS(mtlr_model_to_bytes(&right, &right_length, b, &error));
    int same = left && right && left_length == right_length && memcmp(left, right, (size_t)left_length) == 0;
    mtlr_bytes_free(left);
    mtlr_bytes_free(right);
    return same;
}

#endif
