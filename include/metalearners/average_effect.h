/*
 * metalearners/average_effect.h: average effects with their intervals.
 */
#ifndef METALEARNERS_AVERAGE_EFFECT_H
#define METALEARNERS_AVERAGE_EFFECT_H

#include "common.h"
#include "data.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Over whom an effect is averaged. Values are frozen; new ones may be added. @since 0.9 */
typedef int32_t mtlr_estimand;

/** Everybody: the average treatment effect. @since 0.9 */
#define MTLR_ATE ((mtlr_estimand)0)
/** Those who were treated: the average treatment effect on the treated. @since 0.9 */
#define MTLR_ATT ((mtlr_estimand)1)
/** Those in the control: the average treatment effect on the controls. @since 0.9 */
#define MTLR_ATC ((mtlr_estimand)2)
/**
 * Those who could be in either arm: everybody by the overlap e_0 e_k / (e_0 + e_k), which is e (1 - e) of two arms: the
 * average treatment effect on the overlap. @since 0.9
 */
#define MTLR_ATO ((mtlr_estimand)3)

/**
 * What to average over, and the level of intervals. Where a function takes one, NULL stands for everybody among the rows
 * that the model was fitted to, with intervals of 95 %. Start from MTLR_AVERAGING_INIT.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
 */
typedef struct mtlr_averaging {
    /** sizeof(mtlr_averaging). */
    size_t struct_size;
    /** Over whom to average. */
    mtlr_estimand estimand;
    /** Must be 0. */
    int32_t reserved;
    /** The rows to average over; NULL for those that the model was fitted to. */
    const mtlr_dataset *dataset;
    /** The level of intervals, in (0, 1); 0 for 0.95. */
    double level;
} mtlr_averaging;

/** Everybody among the rows of training, with intervals of 95 %. @since 0.9 */
#define MTLR_AVERAGING_INIT {sizeof(mtlr_averaging), 0, 0, NULL, 0}

/** The average effect of an arm against control. The layout is frozen. @since 0.9 */
typedef struct mtlr_average_effect {
    /** The arm, from 1; mtlr_model_arm_label() names it. */
    int32_t arm;
    /** Over whom the effect is averaged. */
    mtlr_estimand estimand;
    /**
     * Of an outcome of several classes, the class whose probability changes by the effect, from 0;
     * mtlr_model_class_label() names it. -1 for any other outcome.
     */
    int32_t outcome_class;
    /** 0. */
    int32_t reserved;
    /** The estimate, in units of the outcome. */
    double estimate;
    /** Its standard error, robust to clusters where there are any. */
    double std_error;
    /** The lower end of the confidence interval. */
    double lower;
    /** The upper end of the confidence interval. */
    double upper;
    /** The level of the confidence interval: 0.95 for one of 95 %. */
    double level;
    /** The two-sided p-value of no effect. */
    double p_value;
} mtlr_average_effect;

/**
 * The average effect of each arm against control, doubly robust (AIPW).
 *
 * @param effects    arms - 1 structures, by arm from 1; for an outcome of several classes that many for each, within an
 *                   arm by class.
 * @param count      how many structures `effects` takes; must be just that many.
 * @param averaging  over whom, and with which intervals; NULL for the defaults.
 * @param execution  NULL for the defaults. With a `collective` the average is over the training rows of all processes of the fit,
 *                   each of which calls this.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_average_effects(mtlr_average_effect *effects, int64_t count, const mtlr_model *model,
                                                const mtlr_averaging *averaging, const mtlr_execution *execution,
                                                mtlr_error **error);

/**
 * The same as JSON, the "estimates" of `metalearners ate --json`, with the labels of arms and classes; the caller frees
 * it. @since 0.9
 */
MTLR_API mtlr_status mtlr_model_average_effects_json(char **json, const mtlr_model *model,
                                                     const mtlr_averaging *averaging,
                                                     const mtlr_execution *execution, mtlr_error **error);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_AVERAGE_EFFECT_H */
