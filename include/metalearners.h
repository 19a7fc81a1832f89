/*
 * metalearners.h: heterogeneous treatment effects by meta-learners, from C.
 *
 * Link with -lmetalearners. Written in C99; usable from C++ and from every language that calls C.
 *
 * This header includes all others, one per topic. A program may include any of them alone instead.
 *
 *   metalearners/common.h          versions, status and errors, texts and bytes
 *   metalearners/data.h            views of numbers in memory, datasets
 *   metalearners/arrow.h           tables of the Arrow C Data Interface
 *   metalearners/execution.h       threads, progress, cancellation, the limit of memory
 *   metalearners/model.h           fitting, looking into, saving and loading models
 *   metalearners/prediction.h      what a model predicts for each row
 *   metalearners/predictor.h       models prepared to predict one row at a time
 *   metalearners/export.h          models in other languages: ONNX, C, SQL
 *   metalearners/average_effect.h  average effects with their intervals
 *   metalearners/analysis.h        studies: overlap, heterogeneity, ranking, policies, refutation, reports
 *   metalearners/explanation.h     SHAP values of effects
 *   metalearners/tuning.h          searches for the best learner, base learners and parameters
 *   metalearners/registry.h        specs, base learners, plug-ins, base learners of your own
 *
 * metalearners_plugin.h, which is not among them, is what plug-ins are written with.
 *
 * Rules that hold for every function
 *   - Outputs come first, `mtlr_error **` last. `error` may be NULL; otherwise it is set to NULL on success and
 *     to an error object, which the caller frees, on failure. Nothing is stored in globals or thread-locals.
 *   - A function that can fail returns `mtlr_status`. On failure, handle and string outputs are set to NULL and
 *     numeric outputs are unspecified.
 *   - Every pointer may be NULL: that gives MTLR_INVALID_ARGUMENT where the pointer is needed. Functions that
 *     return a value instead of a status give 0 or NULL then. `free` functions ignore NULL.
 *   - Inputs are borrowed for the length of the call, unless stated otherwise.
 *   - `char *` belongs to the caller, who hands it back to mtlr_string_free(); `const char *` belongs to the
 *     object (or to the library, where no object is named) and lives as long as that.
 *   - Text is UTF-8 and ends with a NUL. Specs and results are JSON, the same as those of the command line.
 *   - Datasets and models never change once made: any number of threads may use one at the same time.
 *     Freeing one while another thread uses it is a fault of the caller. Errors, strings and views belong to
 *     one thread at a time.
 *   - Rows are counted from 0: an error about a row of a table says "row index 5" and means the sixth one.
 *   - Arms are numbered from 0, the control, as mtlr_dataset_arm_label() and mtlr_model_arm_label() name them.
 *   - Classes of an outcome of several are numbered from 0, as mtlr_model_class_label() names them.
 *   - "@since" names the version of the library that brought a symbol. Before 1.0 a new minor version may change
 *     anything; from then on nothing is removed or changed within a major version, and values are never given
 *     another meaning. docs/c-conventions.md has all of these rules with their reasons.
 */
#ifndef METALEARNERS_H
#define METALEARNERS_H

#include "metalearners/analysis.h"
#include "metalearners/arrow.h"
#include "metalearners/average_effect.h"
#include "metalearners/collective.h"
#include "metalearners/common.h"
#include "metalearners/data.h"
#include "metalearners/execution.h"
#include "metalearners/export.h"
#include "metalearners/explanation.h"
#include "metalearners/model.h"
#include "metalearners/prediction.h"
#include "metalearners/predictor.h"
#include "metalearners/registry.h"
#include "metalearners/tuning.h"

#endif /* METALEARNERS_H */
