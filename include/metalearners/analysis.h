/*
 * metalearners/analysis.h: studies, and the questions that can be asked of them: overlap, average effects, heterogeneity,
 * ranking, policies, refutation, reports.
 */
#ifndef METALEARNERS_ANALYSIS_H
#define METALEARNERS_ANALYSIS_H

#include "common.h"
#include "data.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------------- Studies --- */

/**
 * Rows with their arms and outcomes, and what is known or estimated of each: propensities, arm means, effects, doubly
 * robust scores. Immutable; may be shared between threads.
 * @since 0.9
 */
typedef struct mtlr_study mtlr_study;

/**
 * Effects and nuisances that were computed elsewhere, in place of the study's own. Start from MTLR_ESTIMATES_INIT; what is
 * NULL is not given. Each matrix has a row for each row of the study, and its numbers must be finite.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
 */
typedef struct mtlr_estimates {
    /** sizeof(mtlr_estimates). */
    size_t struct_size;
    /** The effect of each arm but the control: arms - 1 columns. */
    const mtlr_matrix *effects;
    /** The probability of each arm, in (0, 1): a column for each arm, or of two arms the treated arm's alone. */
    const mtlr_matrix *propensities;
    /** The expected outcome in each arm: a column for each arm, the control first. */
    const mtlr_matrix *arm_means;
    /** The true effect of each arm but the control, where the data are simulated. */
    const mtlr_matrix *true_effects;
    /** What results call the effects, such as "grf"; NULL for "given". */
    const char *source;
    /** Of an outcome of several classes, the label of the class whose probability is the outcome; NULL for any other. */
    const char *outcome_class;
} mtlr_estimates;

/** Nothing is given. @since 0.9 */
#define MTLR_ESTIMATES_INIT {sizeof(mtlr_estimates), NULL, NULL, NULL, NULL, NULL, NULL}

/**
 * Makes the study of a fitted model: on the rows that it was fitted to, effects and nuisances are out of fold; on other
 * rows they are what its models predict.
 *
 * @param out        the study; the caller frees it. It keeps what it needs of model and dataset, which may be freed first. Numbers that
 *                   the dataset borrows (MTLR_DATASET_BORROW) must stay until the study is freed, too.
 * @param dataset    the rows; NULL for those of training, without their covariates: analyses that need covariates, or to
 *                   fit models anew, then give MTLR_UNSUPPORTED.
 * @param estimates  what is taken from elsewhere; NULL for nothing.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_create(mtlr_study **out, const mtlr_model *model, const mtlr_dataset *dataset,
                                       const mtlr_estimates *estimates, const mtlr_execution *execution,
                                       mtlr_error **error);

/**
 * Makes the study of a dataset without any effect model: what checks and average effects need, and what effects that were
 * computed elsewhere are judged with. Propensities and arm means are fitted out of fold as the spec says, unless
 * `estimates` has both.
 *
 * @param spec  JSON, as mtlr_model_fit() takes it.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_create_from_dataset(mtlr_study **out, const mtlr_dataset *dataset, const char *spec,
                                                    const mtlr_estimates *estimates, const mtlr_execution *execution,
                                                    mtlr_error **error);

/** How many rows a study has. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_study_rows(const mtlr_study *study);

/**
 * The names of the columns of a study as a JSON list; the caller frees it: "outcome", "arm", "weight" (0 for rows without
 * overlap), and for each arm as far as there are any "propensity_ARM", "mean_ARM", and for each arm but the control
 * "effect_ARM", "score_ARM" (the doubly robust score, whose mean is the average effect) and "true_effect_ARM".
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_column_names(char **json, const mtlr_study *study, mtlr_error **error);

/**
 * Things worth knowing that are no errors: a JSON list of texts; the caller frees it. On the rows of training they are those of the model,
 * mtlr_model_warnings(). On other rows they are those of their dataset and of their predictions (such as levels that training did not have),
 * that they look like rows of training, and those of the fit, which begin with "of the fit: " and are left out where the rows have the same.
 * Where there is no model they are those of the dataset and of the propensities that were fitted. Those of an answer are in
 * mtlr_analysis_json().
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_warnings(char **json, const mtlr_study *study, mtlr_error **error);

/**
 * A column of a study.
 *
 * @param values  a number for each row.
 * @param length  how many numbers `values` takes; must be mtlr_study_rows().
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_column(double *values, int64_t length, const mtlr_study *study, const char *name,
                                       mtlr_error **error);

/** Frees a study. @since 0.9 */
MTLR_API void mtlr_study_free(mtlr_study *study);

/* ------------------------------------------------------------------------------------------- Analyses --- */

/** The answer of an analysis. Immutable; may be shared between threads. @since 0.9 */
typedef struct mtlr_analysis mtlr_analysis;

/**
 * The analyses as JSON, that of `metalearners analyses --json`; the caller frees it: a list of objects with "name",
 * "title", "summary", "topic", "needs" and "parameters", each of these with "name", "summary", "range" and "default".
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_analyses(char **json, mtlr_error **error);

/**
 * Asks a question of a study. Rankings and policies ("rate", "policy_value", "policy_tree" and the like) take more of the outcome for better:
 * of an outcome of which less is better (churn, deaths, costs) fit the negative, or 1 - outcome where it is 0 or 1.
 *
 * @param out      the answer; the caller frees it. What could be done before a cancellation is an answer too, whose JSON
 *                 says "complete": false.
 * @param request  JSON: the name of an analysis as a string, or an object whose "analysis" is the name and whose other keys
 *                 are its options, such as {"analysis": "aipw", "level": 0.9}.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_analysis_run(mtlr_analysis **out, const mtlr_study *study, const char *request,
                                       const mtlr_execution *execution, mtlr_error **error);

/**
 * The answer as JSON: "findings" in whole sentences, tables as lists of objects, "assumptions", "warnings". NULL for NULL.
 * @since 0.9
 */
MTLR_API const char *mtlr_analysis_json(const mtlr_analysis *analysis);

/** How many columns with a number for each row of the study the answer has: ranks, decisions. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_analysis_column_count(const mtlr_analysis *analysis);

/** The name of such a column, from 0; NULL where there is none. @since 0.9 */
MTLR_API const char *mtlr_analysis_column_name(const mtlr_analysis *analysis, int64_t index);

/**
 * Such a column.
 *
 * @param values  a number for each row of the study.
 * @param length  how many numbers `values` takes; must be mtlr_study_rows().
 * @param index   which column, from 0.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_analysis_column(double *values, int64_t length, const mtlr_analysis *analysis,
                                          int64_t index, mtlr_error **error);

/** Frees an answer. @since 0.9 */
MTLR_API void mtlr_analysis_free(mtlr_analysis *analysis);

/**
 * Everything about a study on one HTML page that needs no network: answers first, then tables and charts. The text is that
 * of `metalearners report`; the caller frees it.
 *
 * @param request  JSON: a list of the analyses to run, each as mtlr_analysis_run() takes it; NULL for all that the study has
 *                 what they need for.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_study_report(char **html, const mtlr_study *study, const char *request,
                                       const mtlr_execution *execution, mtlr_error **error);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_ANALYSIS_H */
