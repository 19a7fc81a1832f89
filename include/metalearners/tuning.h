/*
 * metalearners/tuning.h: searches for the learner, the base learners and the parameters that give the best effects.
 */
#ifndef METALEARNERS_TUNING_H
#define METALEARNERS_TUNING_H

#include "common.h"
#include "data.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a search found. Immutable; may be shared between threads. @since 0.9 */
typedef struct mtlr_tuning mtlr_tuning;

/**
 * Searches: fits each nuisance once for each of its settings, then the effect models of the candidates, and judges all on one
 * set of nuisances. The same dataset, spec and seed give the same scores, to the bit, whatever the number of threads.
 *
 * A candidate that cannot be fitted has a note in place of a score. A cancelled search is a result too as soon as one
 * candidate is done, whose JSON says "complete": false; before that it is MTLR_CANCELLED.
 *
 * @param out         the result; the caller frees it. It keeps what it needs of the datasets, which may be freed first. Numbers that
 *                    they borrow (MTLR_DATASET_BORROW) must stay until the result is freed, too.
 * @param validation  rows to judge by, made with the same spec, which take no part in any fit; NULL to judge out of fold, or by
 *                    the share of the rows that "validation_share" says.
 * @param spec        JSON as mtlr_model_fit() takes it, with a section "tuning": what is tried, and how.
 * @param journal     path of a file that keeps what is done, a line for each candidate: where it is there already, from a run
 *                    that was interrupted or killed, the search goes on from there; one of another search is
 *                    MTLR_INVALID_ARGUMENT. It stays when the search is complete. NULL for none.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_tuning_run(mtlr_tuning **out, const mtlr_dataset *dataset, const mtlr_dataset *validation,
                                     const char *spec, const char *journal, const mtlr_execution *execution,
                                     mtlr_error **error);

/**
 * The results as JSON, those of `metalearners tune --json`: "candidates" and "nuisances" as lists of objects, "best",
 * "best_spec", "findings", "fits", "complete". NULL for NULL. Lives as long as the result. @since 0.9
 */
MTLR_API const char *mtlr_tuning_json(const mtlr_tuning *tuning);

/** The table of candidates as CSV, the best first. NULL for NULL. Lives as long as the result. @since 0.9 */
MTLR_API const char *mtlr_tuning_csv(const mtlr_tuning *tuning);

/**
 * The chosen spec as JSON, which mtlr_model_fit() takes; the caller frees it. MTLR_UNSUPPORTED where no candidate has a
 * score. @since 0.9
 */
MTLR_API mtlr_status mtlr_tuning_best_spec(char **json, const mtlr_tuning *tuning, mtlr_error **error);

/**
 * Fits the chosen spec to the dataset of the search, all of its rows; the caller frees the model. @since 0.9
 */
MTLR_API mtlr_status mtlr_tuning_fit_best(mtlr_model **out, const mtlr_tuning *tuning, const mtlr_execution *execution,
                                          mtlr_error **error);

/** Frees a result. @since 0.9 */
MTLR_API void mtlr_tuning_free(mtlr_tuning *tuning);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_TUNING_H */
