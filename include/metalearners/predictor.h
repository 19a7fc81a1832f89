/*
 * metalearners/predictor.h: models prepared to predict one row at a time.
 */
#ifndef METALEARNERS_PREDICTOR_H
#define METALEARNERS_PREDICTOR_H

#include "common.h"
#include "model.h"
#include "prediction.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A model prepared to predict single rows in microseconds: columns are looked up and trees laid out once. Immutable; may
 * be shared between threads.
 *
 * The memory that a row takes belongs to the predictor, so that mtlr_predictor_row() allocates nothing. Where several threads
 * are in it at the same moment, all but the first allocate that memory; a thread that must not needs a predictor of its own.
 * @since 0.9
 */
typedef struct mtlr_predictor mtlr_predictor;

/**
 * Prepares a model. The predictor keeps what it needs of the model, which may be freed first.
 *
 * What is predicted are the values of mtlr_model_predict(): to the bit where models of trees are added, compared and averaged,
 * to 1e-12 of the size of the outcome elsewhere, and to 1e-5 for XGBoost, which adds up in single precision. A model that has
 * no formula (docs/formulas.md), such as that of a plug-in, and outputs that have none, such as intervals, are predicted by
 * the way of mtlr_model_predict(), with the same values and in its time: see mtlr_predictor_is_compiled().
 *
 * MTLR_INVALID_DATA where a column of the model is missing or a name occurs twice.
 *
 * @param out           the predictor; the caller frees it.
 * @param column_names  the names of the values of a row, in order; those that the model does not know are ignored. NULL for
 *                      the columns of the model, in the order of training (mtlr_predictor_column_name()).
 * @param column_count  how many names there are; 0 where they are NULL.
 * @param prediction    what to predict of new rows; its strides, `dtype` and `dataset` must be 0. NULL for the effects of every
 *                      arm against control.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_predictor_create(mtlr_predictor **out, const mtlr_model *model,
                                           const char *const *column_names, int64_t column_count,
                                           const mtlr_prediction *prediction, mtlr_error **error);

/** How many values a row has. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_predictor_column_count(const mtlr_predictor *predictor);

/** The name of a value of a row, from 0; NULL where there is none. Lives as long as the predictor. @since 0.9 */
MTLR_API const char *mtlr_predictor_column_name(const mtlr_predictor *predictor, int64_t column);

/** How many levels a value of a row has, where it is a category; 0 where it is a number or there is none. @since 0.9 */
MTLR_API int64_t mtlr_predictor_level_count(const mtlr_predictor *predictor, int64_t column);

/** The level of a code, from 0; NULL where there is none. Lives as long as the predictor. @since 0.9 */
MTLR_API const char *mtlr_predictor_level(const mtlr_predictor *predictor, int64_t column, int64_t code);

/** How many numbers are predicted: mtlr_model_prediction_columns(). 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_predictor_output_count(const mtlr_predictor *predictor);

/** 1 where rows are computed by formulas, in microseconds; 0 where they take the way of tables, and for NULL. @since 0.9 */
MTLR_API int32_t mtlr_predictor_is_compiled(const mtlr_predictor *predictor);

/**
 * Predicts a row.
 *
 * MTLR_INVALID_DATA for a code of a category that is no whole number or is not below the number of its levels, and whatever
 * mtlr_model_predict() says of the row, such as MTLR_NUMERICAL_FAILURE.
 *
 * @param values         the predictions.
 * @param length         how many numbers `values` takes; must be mtlr_predictor_output_count().
 * @param row            the values of the columns in their order: a number, or the code of a level as
 *                       mtlr_predictor_level() names them. NaN is missing; so is a negative code.
 * @param column_count   how many there are; must be mtlr_predictor_column_count().
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_predictor_row(double *values, int64_t length, const mtlr_predictor *predictor,
                                        const double *row, int64_t column_count, mtlr_error **error);

/** Frees a predictor. @since 0.9 */
MTLR_API void mtlr_predictor_free(mtlr_predictor *predictor);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_PREDICTOR_H */
