/*
 * metalearners/model.h: models: fitting, looking into, saving and loading them.
 */
#ifndef METALEARNERS_MODEL_H
#define METALEARNERS_MODEL_H

#include "common.h"
#include "data.h"
#include "execution.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A fitted model of treatment effects. Immutable; may be shared between threads. @since 0.9 */
typedef struct mtlr_model mtlr_model;

/**
 * Fits a model.
 *
 * The same dataset, spec and seed give the same model, to the bit, whatever the number of threads.
 *
 * @param out        the model; the caller frees it.
 * @param spec       JSON, such as {"learner": "dr", "seed": 1}; without a learner, "auto" is fitted, which needs no
 *                   tuning and brings models of its own. Its section "data" may be absent: then it is that of the
 *                   dataset; where it is present, it must say the same.
 * @param execution  NULL for the defaults.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_fit(mtlr_model **out, const mtlr_dataset *dataset, const char *spec,
                                    const mtlr_execution *execution, mtlr_error **error);

/**
 * Fits a model as mtlr_model_fit() does, to the bit, without fitting again what another model has: of the nuisances of
 * `nuisances`, those that the spec would fit in just the same way (by the same base learner, columns and seed) are
 * taken over.
 *
 * A model that was fitted in this process hands on all nuisances that it was fitted with and those that it was given, so
 * that learners fitted in turn, each with the model before it, fit the union of their nuisances, each once. A model that
 * was read from a file or from bytes has its own; its models predict the training rows once more.
 *
 * MTLR_INVALID_DATA where `nuisances` was fitted to other rows, MTLR_INVALID_ARGUMENT where on other folds,
 * MTLR_UNSUPPORTED where it was saved without its training rows.
 *
 * @param out        the model; the caller frees it. It does not need `nuisances` any more.
 * @param nuisances  a model of the rows of `dataset`, of any learner.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_fit_reusing(mtlr_model **out, const mtlr_dataset *dataset, const char *spec,
                                            const mtlr_model *nuisances, const mtlr_execution *execution,
                                            mtlr_error **error);

/** How many arms there are, the control included. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_model_arm_count(const mtlr_model *model);

/** The label of an arm; NULL where there is no such arm. Lives as long as the model. @since 0.9 */
MTLR_API const char *mtlr_model_arm_label(const mtlr_model *model, int64_t arm);

/**
 * How many classes effects are of: those of an outcome of several classes. 0 where an effect is one number (also of a
 * binary outcome), and for NULL. @since 0.9
 */
MTLR_API int64_t mtlr_model_class_count(const mtlr_model *model);

/** The label of a class, from 0; NULL where there is no such class. Lives as long as the model. @since 0.9 */
MTLR_API const char *mtlr_model_class_label(const mtlr_model *model, int64_t outcome_class);

/** How many rows the model was fitted to. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_model_training_rows(const mtlr_model *model);

/** The spec that the model was fitted by, with every default, as JSON; the caller frees it. @since 0.9 */
MTLR_API mtlr_status mtlr_model_spec(char **json, const mtlr_model *model, mtlr_error **error);

/** What the model is: learner, rows, arms, columns, overlap, as JSON; the caller frees it. @since 0.9 */
MTLR_API mtlr_status mtlr_model_summary(char **json, const mtlr_model *model, mtlr_error **error);

/**
 * What is in the model: as the summary, with the models within, their backends and their sizes in bytes, as JSON, that of
 * `metalearners inspect --json`; the caller frees it. Takes the time of writing the model. @since 0.9
 */
MTLR_API mtlr_status mtlr_model_inspect(char **json, const mtlr_model *model, mtlr_error **error);

/** What was worth telling about the fit: a JSON list of texts; the caller frees it. @since 0.9 */
MTLR_API mtlr_status mtlr_model_warnings(char **json, const mtlr_model *model, mtlr_error **error);

/**
 * Writes the model to a file, which is replaced at once or not at all. A file that is replaced keeps its rights; a new one
 * has those that the umask gives. A link stays a link, and what it points to is replaced.
 *
 * A model holds the outcome and the arm of each row of training, unless it was fitted with `"keep_training": false`: where
 * rows are people, the file needs the protection of the data.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_save(const mtlr_model *model, const char *path, mtlr_error **error);

/**
 * Reads a model from a file that this or an older version wrote; the caller frees it. Of a file that does not begin as
 * models do no more than the beginning is read, whatever its size. @since 0.9
 */
MTLR_API mtlr_status mtlr_model_load(mtlr_model **out, const char *path, mtlr_error **error);

/** The bytes that mtlr_model_save() writes; the caller hands them back to mtlr_bytes_free(). @since 0.9 */
MTLR_API mtlr_status mtlr_model_to_bytes(uint8_t **bytes, int64_t *length, const mtlr_model *model,
                                         mtlr_error **error);

/** Reads a model from `length` bytes; the caller frees it. @since 0.9 */
MTLR_API mtlr_status mtlr_model_from_bytes(mtlr_model **out, const uint8_t *bytes, int64_t length,
                                           mtlr_error **error);

/** Frees a model. @since 0.9 */
MTLR_API void mtlr_model_free(mtlr_model *model);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_MODEL_H */
