/*
 * metalearners/prediction.h: what a model predicts for each row, and how it is laid out.
 */
#ifndef METALEARNERS_PREDICTION_H
#define METALEARNERS_PREDICTION_H

#include "common.h"
#include "data.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a prediction is of. Values are frozen; new ones may be added. @since 0.9 */
typedef int32_t mtlr_output;

/** The effect of an arm against another. One column per contrast. @since 0.9 */
#define MTLR_EFFECTS ((mtlr_output)0)
/** The mean of the outcome in each arm (a probability for a binary outcome). One column per arm. @since 0.9 */
#define MTLR_ARM_MEANS ((mtlr_output)1)
/** The probability of each arm, within the bounds of the overlap policy. One column per arm. @since 0.9 */
#define MTLR_PROPENSITIES ((mtlr_output)2)
/** The effects with the ends of their intervals. Three columns per contrast: effect, lower, upper. @since 0.9 */
#define MTLR_INTERVALS ((mtlr_output)3)
/** The standard deviation of the effects over the models of the folds. One column per contrast. @since 0.9 */
#define MTLR_STABILITY ((mtlr_output)4)
/**
 * The effects with the ends of intervals of each row's own effect, the difference between its outcomes in the two arms.
 * Three columns per contrast: effect, lower, upper; ends may be infinite. @since 0.9
 */
#define MTLR_INDIVIDUAL_INTERVALS ((mtlr_output)5)

/** What effects are measured as. Values are frozen; new ones may be added. @since 0.9 */
typedef int32_t mtlr_effect_scale;

/** As the spec of the model says. @since 0.9 */
#define MTLR_SCALE_OF_SPEC ((mtlr_effect_scale)0)
/** The difference of two means. @since 0.9 */
#define MTLR_SCALE_DIFFERENCE ((mtlr_effect_scale)1)
/** The ratio of two means: the relative risk of a binary outcome, the rate ratio of a count. @since 0.9 */
#define MTLR_SCALE_RATIO ((mtlr_effect_scale)2)
/** The ratio of two odds. @since 0.9 */
#define MTLR_SCALE_ODDS_RATIO ((mtlr_effect_scale)3)

/** Predict the rows of the table as new ones. @since 0.9 */
#define MTLR_NEW_ROWS ((int32_t)0)
/** Predict the rows that the model was fitted to: out of fold. @since 0.9 */
#define MTLR_TRAINING_ROWS ((int32_t)1)

/**
 * What to predict, and how to lay it out. Where a function takes one, NULL stands for the effects of every arm against
 * control in new rows, as doubles row by row. Start from MTLR_PREDICTION_INIT.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
 */
typedef struct mtlr_prediction {
    /** sizeof(mtlr_prediction). */
    size_t struct_size;
    /** What to predict. */
    mtlr_output output;
    /** What effects are measured as. */
    mtlr_effect_scale scale;
    /** The label of the arm whose effect (mean, propensity) is wanted; NULL for all. */
    const char *arm;
    /** The label of the arm that it is compared with; NULL for the control. */
    const char *baseline;
    /** MTLR_NEW_ROWS or MTLR_TRAINING_ROWS. */
    int32_t rows;
    /** The type of the numbers written: MTLR_FLOAT64 or MTLR_FLOAT32; 0 for MTLR_FLOAT64. */
    mtlr_dtype dtype;
    /**
     * Of training rows, the dataset that the model was fitted to; another one is refused. Intervals and stability need
     * it; for the others it may be NULL: then the table is not looked at, and may be NULL as well.
     */
    const mtlr_dataset *dataset;
    /** Bytes from one row to the next; 0 for rows without gaps (or, where column_stride is given, one number). */
    int64_t row_stride;
    /** Bytes from one column to the next; 0 for one number. */
    int64_t column_stride;
    /** The level of intervals, in (0, 1); 0 for that of the spec. */
    double level;
} mtlr_prediction;

/** Effects against control, of new rows, as doubles row by row. @since 0.9 */
#define MTLR_PREDICTION_INIT {sizeof(mtlr_prediction), 0, 0, NULL, NULL, 0, 0, NULL, 0, 0, 0}

/**
 * How many columns a prediction has: what mtlr_model_predict() writes for each row.
 *
 * @param count       the number.
 * @param prediction  what to predict; NULL for the effects of every arm against control.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_prediction_columns(int64_t *count, const mtlr_model *model,
                                                   const mtlr_prediction *prediction, mtlr_error **error);

/** The names of these columns, such as "cate" and "cate_lower": a JSON list; the caller frees it. @since 0.9 */
MTLR_API mtlr_status mtlr_model_prediction_names(char **json, const mtlr_model *model,
                                                 const mtlr_prediction *prediction, mtlr_error **error);

/**
 * Predicts: by default the effects in the rows of `table`, how much the outcome is expected to change by each arm
 * against control.
 *
 * The table needs the covariates that the model was fitted to, by name and in any order; other columns are
 * ignored. Any mix of matrix and columns, element types and strides will do, and codes of categories.
 *
 * @param values      rows * columns numbers of the type that `prediction` names (double by default); without strides row
 *                    by row, within a row by arm from 1 (and within an arm by class, where the outcome has several).
 * @param length      how many numbers are written; must be just that many. With strides, the caller sees to it that
 *                    `values` reaches as far as these say.
 * @param warnings    a JSON list of texts, such as on levels never seen in training; the caller frees it. NULL
 *                    where nobody wants to know.
 * @param table       the rows; not used, and may be NULL, for training rows.
 * @param prediction  what to predict; NULL for the effects.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_predict(void *values, int64_t length, char **warnings, const mtlr_model *model,
                                        const mtlr_table *table, const mtlr_prediction *prediction,
                                        const mtlr_execution *execution, mtlr_error **error);

/**
 * The effects in the rows that the model was fitted to, each by models that never saw the row (out of fold).
 *
 * @param effects  mtlr_model_training_rows() * (arms - 1) numbers, row by row, in the order of the dataset (times the
 *                 classes of an outcome of several).
 * @param length   how many numbers `effects` takes; must be just that many.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_training_effects(double *effects, int64_t length, const mtlr_model *model,
                                                 mtlr_error **error);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_PREDICTION_H */
