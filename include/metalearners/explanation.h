/*
 * metalearners/explanation.h: how far each covariate moves the effect of each row from the mean (SHAP values).
 */
#ifndef METALEARNERS_EXPLANATION_H
#define METALEARNERS_EXPLANATION_H

#include "common.h"
#include "data.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The explanation of the effects of rows: Shapley values of the covariates. For each row and output they add up, with the base
 * value, to the effect that mtlr_model_predict() gives. Immutable; may be shared between threads.
 * @since 0.9
 */
typedef struct mtlr_explanation mtlr_explanation;

/**
 * Explains the effects of the rows of `table`.
 *
 * What the request says, as JSON, every key optional:
 *   {"method": "auto", "background_rows": 100, "permutations": 2, "seed": 0, "arm": null, "baseline": null, "scale": null}
 * `method` is auto, path_dependent, interventional or permutation: docs/explaining.md says what these are, which of them a
 * model has, and what is estimated with a standard error. `arm`, `baseline` and `scale` choose effects as mtlr_prediction does.
 *
 * MTLR_UNSUPPORTED where the model has no values by the method asked for, and where its effects depend on known propensities of
 * each row, which are no covariates.
 *
 * @param out         the explanation; the caller frees it. It keeps nothing of the other arguments.
 * @param table       the rows, with the covariates of the model by name; other columns are ignored.
 * @param background  the rows that absent covariates take their values from; NULL for those of `table`.
 * @param request     JSON; NULL for the effects of every arm against control, by the method that suits the model.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_explain(mtlr_explanation **out, const mtlr_model *model, const mtlr_table *table,
                                        const mtlr_table *background, const char *request,
                                        const mtlr_execution *execution, mtlr_error **error);

/** How many rows are explained. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_explanation_rows(const mtlr_explanation *explanation);

/** How many effects are explained: one per contrast (and class). 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_explanation_output_count(const mtlr_explanation *explanation);

/** How many covariates there are; a category is one. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_explanation_feature_count(const mtlr_explanation *explanation);

/** The name of a covariate, from 0; NULL where there is none. Lives as long as the explanation. @since 0.9 */
MTLR_API const char *mtlr_explanation_feature_name(const mtlr_explanation *explanation, int64_t feature);

/**
 * What there is to say beside the numbers of rows, as JSON: outputs, features, levels (for each covariate a list, empty for
 * numbers), rows, method (path_dependent, interventional or permutation), exact, note, background_rows, base_values,
 * mean_absolute_values (for each output a list), largest_gap, warnings. NULL for NULL. Lives as long as the explanation.
 * @since 0.9
 */
MTLR_API const char *mtlr_explanation_json(const mtlr_explanation *explanation);

/**
 * The Shapley values.
 *
 * @param values  rows * outputs * features numbers: row by row, in a row by output, and there one per covariate.
 * @param length  how many numbers `values` takes; must be just that many.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_explanation_values(double *values, int64_t length, const mtlr_explanation *explanation,
                                             mtlr_error **error);

/**
 * The standard errors of the values, in the same order: how far the orders drawn are from all orders of the covariates, for these
 * background rows. Zeros where values are exact.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_explanation_standard_errors(double *errors, int64_t length,
                                                      const mtlr_explanation *explanation, mtlr_error **error);

/** The base value of each output: what the values start from. @since 0.9 */
MTLR_API mtlr_status mtlr_explanation_base_values(double *values, int64_t length,
                                                  const mtlr_explanation *explanation, mtlr_error **error);

/**
 * The effects explained: rows * outputs numbers, row by row, those of mtlr_model_predict() for new rows.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_explanation_effects(double *effects, int64_t length, const mtlr_explanation *explanation,
                                              mtlr_error **error);

/**
 * The covariates of the rows as the model knows them: rows * features numbers, row by row; codes for levels, whose names
 * `levels` in the JSON lists, and NaN for what is missing.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_explanation_features(double *values, int64_t length, const mtlr_explanation *explanation,
                                               mtlr_error **error);

/** Frees an explanation. @since 0.9 */
MTLR_API void mtlr_explanation_free(mtlr_explanation *explanation);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_EXPLANATION_H */
