/*
 * metalearners.h: heterogeneous treatment effects by meta-learners, from C.
 *
 * Link with -lmetalearners. Written in C99; usable from C++ and from every language that calls C.
 *
 * Contents
 *   1. Versions            5. Execution, progress, cancellation
 *   2. Status and errors   6. Datasets
 *   3. Strings and bytes   7. Models
 *   4. Views of data       8. Specs and backends
 *                          9. Registries: plug-ins and base learners of your own
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
 *   - "@since" names the version of the library that brought a symbol. Within a major version nothing is removed
 *     or changed, and values are never given another meaning.
 */
#ifndef METALEARNERS_H
#define METALEARNERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------ 1. Versions --- */

/** The version of this header. @since 1.0 */
#define MTLR_VERSION_MAJOR 1
#define MTLR_VERSION_MINOR 0
#define MTLR_VERSION_PATCH 0

/** The version of the binary interface that this header describes: major * 1000 + minor. @since 1.0 */
#define MTLR_ABI_VERSION 1000

/**
 * The version of the binary interface of the library that is linked, as MTLR_ABI_VERSION counts it.
 *
 * A program may use a library whose major version (the thousands) is that of its header and whose minor version
 * is not lower.
 * @since 1.0
 */
int32_t mtlr_abi_version(void);

/** The version of the library that is linked, such as "1.0.0". Never NULL. @since 1.0 */
const char *mtlr_version(void);

/* --------------------------------------------------------------------------------- 2. Status and errors --- */

/** The outcome of a call: MTLR_OK or what went wrong. Values are frozen; new ones may be added. @since 1.0 */
typedef int32_t mtlr_status;

/** The call did what it says. @since 1.0 */
#define MTLR_OK ((mtlr_status)0)
/** An argument is unusable: a NULL, a wrong size, a value out of its range. @since 1.0 */
#define MTLR_INVALID_ARGUMENT ((mtlr_status)1)
/** The spec is wrong: no JSON, an unknown key, a value of the wrong type or out of its range. @since 1.0 */
#define MTLR_INVALID_SPEC ((mtlr_status)2)
/** The data cannot be used: missing outcomes, one arm only, a missing column. @since 1.0 */
#define MTLR_INVALID_DATA ((mtlr_status)3)
/** Understood, but beyond this backend, learner or build. @since 1.0 */
#define MTLR_UNSUPPORTED ((mtlr_status)4)
/** A file cannot be read or written. @since 1.0 */
#define MTLR_INPUT_OUTPUT ((mtlr_status)5)
/** A model is damaged: cut short, altered, or no model at all. @since 1.0 */
#define MTLR_CORRUPT_MODEL ((mtlr_status)6)
/** A model was written by a newer version than this one. @since 1.0 */
#define MTLR_INCOMPATIBLE_MODEL ((mtlr_status)7)
/** A computation broke down. @since 1.0 */
#define MTLR_NUMERICAL_FAILURE ((mtlr_status)8)
/** A callback or another thread asked to stop. @since 1.0 */
#define MTLR_CANCELLED ((mtlr_status)9)
/** There is not enough memory. @since 1.0 */
#define MTLR_OUT_OF_MEMORY ((mtlr_status)10)
/** A fault of the library; please report it. @since 1.0 */
#define MTLR_INTERNAL_FAULT ((mtlr_status)11)

/** The name of a status, such as "invalid_spec"; "unknown" for a value that is none. Never NULL. @since 1.0 */
const char *mtlr_status_name(mtlr_status status);

/** What went wrong, where, and what to do about it. Belongs to the caller. @since 1.0 */
typedef struct mtlr_error mtlr_error;

/** The status that the failed call returned; MTLR_OK for NULL. @since 1.0 */
mtlr_status mtlr_error_status(const mtlr_error *error);

/** The whole message in one line: the place, the problem and the remedy. NULL for NULL. @since 1.0 */
const char *mtlr_error_message(const mtlr_error *error);

/** The place: a path in the spec ("models.outcome.trees"), a column, a file. NULL where there is none. @since 1.0 */
const char *mtlr_error_location(const mtlr_error *error);

/** The problem alone, without place and remedy. NULL for NULL. @since 1.0 */
const char *mtlr_error_problem(const mtlr_error *error);

/** What to do about it. NULL where nothing is known to help. @since 1.0 */
const char *mtlr_error_remedy(const mtlr_error *error);

/** Frees an error. @since 1.0 */
void mtlr_error_free(mtlr_error *error);

/* --------------------------------------------------------------------------------- 3. Strings and bytes --- */

/** Frees a text that the library returned as `char *`. @since 1.0 */
void mtlr_string_free(char *text);

/** Frees bytes that mtlr_model_to_bytes() returned. @since 1.0 */
void mtlr_bytes_free(uint8_t *bytes);

/* ------------------------------------------------------------------------------------- 4. Views of data --- */

/** The type of numbers in memory. Values are frozen; new ones may be added. @since 1.0 */
typedef int32_t mtlr_dtype;

/** double @since 1.0 */
#define MTLR_FLOAT64 ((mtlr_dtype)1)
/** float @since 1.0 */
#define MTLR_FLOAT32 ((mtlr_dtype)2)
/** int64_t @since 1.0 */
#define MTLR_INT64 ((mtlr_dtype)3)
/** int32_t @since 1.0 */
#define MTLR_INT32 ((mtlr_dtype)4)
/** int16_t @since 1.0 */
#define MTLR_INT16 ((mtlr_dtype)5)
/** int8_t @since 1.0 */
#define MTLR_INT8 ((mtlr_dtype)6)
/** uint8_t, also bool @since 1.0 */
#define MTLR_UINT8 ((mtlr_dtype)7)

/**
 * A named column in the caller's memory: numbers, or codes of a category. The layout is frozen.
 *
 * Of floating-point numbers NaN is missing. Where `levels` is given, the numbers must be of an integer type and
 * are codes into the levels, 0 to level_count - 1; a negative code is missing, and a code of level_count or more is
 * MTLR_INVALID_DATA, in training and in prediction. (R and Julia count codes from 1: subtract 1.) Of a column without
 * levels that is a treatment, a cluster or a category, MTLR_INT64 numbers are told apart and printed in full.
 * Numbers need not be aligned.
 * @since 1.0
 */
typedef struct mtlr_column {
    /** The name, unique within its table. */
    const char *name;
    /** The number of the first row; may be NULL only where there are no rows. */
    const void *data;
    /** Bytes from one row to the next, negative for a column that runs backwards; 0 for numbers side by side. */
    int64_t stride;
    /** The names of the levels; NULL for a column of numbers. */
    const char *const *levels;
    /** How many levels there are; 0 where `levels` is NULL. */
    int64_t level_count;
    /** The type of the numbers. */
    mtlr_dtype dtype;
    /** Must be 0. */
    int32_t reserved;
} mtlr_column;

/**
 * A dense matrix in the caller's memory, by rows or by columns. The layout is frozen.
 *
 * By rows without gaps: both strides 0. By columns without gaps: row_stride is the size of a number and
 * column_stride is rows times that. NaN is missing.
 * @since 1.0
 */
typedef struct mtlr_matrix {
    /** The number in the first row and the first column; may be NULL only where the matrix is empty. */
    const void *data;
    /** How many rows there are: those of its table. */
    int64_t rows;
    /** How many columns there are. */
    int64_t columns;
    /** Bytes from one row to the next; 0 for `columns` numbers. */
    int64_t row_stride;
    /** Bytes from one column to the next; 0 for one number. */
    int64_t column_stride;
    /** The type of the numbers. */
    mtlr_dtype dtype;
    /** Must be 0. */
    int32_t reserved;
} mtlr_matrix;

/**
 * A matrix most of whose numbers are 0, in compressed rows (CSR), as SciPy, Eigen and Matrix::RsparseMatrix have it. The
 * layout is frozen.
 *
 * The numbers of row r stand from row_starts[r] up to, not including, row_starts[r + 1]. Starts begin with 0 and never
 * fall. Within a row columns may stand in any order, but none twice. What is not stored is 0; nothing can be missing,
 * and numbers are finite. Zeros may be stored. Numbers need not be aligned.
 * @since 1.0
 */
typedef struct mtlr_sparse_matrix {
    /** Where each row starts, and where the last one ends: rows + 1 integers. */
    const void *row_starts;
    /** The column of each number stored, from 0; may be NULL only where none is. */
    const void *column_indices;
    /** The numbers stored; may be NULL only where there are none. */
    const void *values;
    /** How many rows there are: those of its table. */
    int64_t rows;
    /** How many columns there are. */
    int64_t columns;
    /** How many numbers are stored: the last of row_starts. */
    int64_t value_count;
    /** The type of row_starts and column_indices: MTLR_INT32 or MTLR_INT64. */
    mtlr_dtype index_dtype;
    /** The type of the numbers: MTLR_FLOAT64 or MTLR_FLOAT32. */
    mtlr_dtype dtype;
} mtlr_sparse_matrix;

/**
 * A table: the columns of a matrix, then columns of their own, then those of a sparse matrix; any may be absent. Start
 * from MTLR_TABLE_INIT.
 *
 * A table has at most 2^31 - 1 rows and 2^20 columns.
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 1.0
 */
typedef struct mtlr_table {
    /** sizeof(mtlr_table). */
    size_t struct_size;
    /** How many rows every column has. */
    int64_t rows;
    /** The columns; may be NULL where there are none. */
    const mtlr_column *columns;
    /** How many columns there are, without those of the matrix. */
    int64_t column_count;
    /** More columns, ahead of `columns`; NULL for none. */
    const mtlr_matrix *matrix;
    /** The names of the matrix's columns, one each; NULL for "x0", "x1", ... */
    const char *const *matrix_names;
    /**
     * Sparse columns, after all others; NULL for none. They are turned into columns, so they are copied even where a
     * dataset borrows the rest. Base learners that can do "sparse" (mtlr_backends()) use what is stored alone; all
     * others read the columns as if they were dense, and a warning of the model says so.
     */
    const mtlr_sparse_matrix *sparse;
    /** The names of the sparse columns, one each; NULL for "x0", "x1", ... */
    const char *const *sparse_names;
} mtlr_table;

/** An empty table of the right size. @since 1.0 */
#define MTLR_TABLE_INIT {sizeof(mtlr_table), 0, NULL, 0, NULL, NULL, NULL, NULL}

/* -------------------------------------------------------------- 5. Execution, progress and cancellation --- */

/**
 * Told how far the work is. Returns nonzero to go on and 0 to cancel.
 *
 * It may be called from any thread, also one of the library's own, but never from two at a time, and never after
 * the function that it was given to has returned. `done` of a stage never goes back. While a call lasts, other threads go
 * on working; a callback that falls far behind is not told every number, but always the first and the last one of a stage.
 * It must return normally: no exception, no longjmp.
 * `stage` lives for the length of the call.
 * @since 1.0
 */
typedef int32_t (*mtlr_progress_callback)(void *payload, const char *stage, int64_t done, int64_t total);

/** Lets one thread stop the work of another. May be shared between threads. @since 1.0 */
typedef struct mtlr_cancel_token mtlr_cancel_token;

/** Makes a token that nobody has cancelled. Free it once no call uses it any more. @since 1.0 */
mtlr_status mtlr_cancel_token_create(mtlr_cancel_token **out, mtlr_error **error);

/** Asks the calls that were given the token to stop as soon as they can; they return MTLR_CANCELLED. @since 1.0 */
void mtlr_cancel_token_cancel(const mtlr_cancel_token *token);

/** 1 where the token was cancelled, else 0. @since 1.0 */
int32_t mtlr_cancel_token_is_cancelled(const mtlr_cancel_token *token);

/** Frees a token. @since 1.0 */
void mtlr_cancel_token_free(mtlr_cancel_token *token);

/** Base learners by name: section 9. @since 1.0 */
typedef struct mtlr_registry mtlr_registry;

/**
 * How a computation is run. Nothing here changes its result: not by a bit. (The registry says only where the base
 * learners are found that the spec names.) Where a function takes one, NULL stands for the defaults. Start from
 * MTLR_EXECUTION_INIT.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 1.0
 */
typedef struct mtlr_execution {
    /** sizeof(mtlr_execution). */
    size_t struct_size;
    /** Threads to use at most, up to 1024; 0 for as many as there are processors. */
    int32_t threads;
    /** Must be 0. */
    int32_t reserved;
    /** Told of the progress; NULL for nobody. */
    mtlr_progress_callback progress;
    /** Handed to `progress`. */
    void *payload;
    /** Stops the work; NULL for nothing. */
    const mtlr_cancel_token *cancel_token;
    /** Where mtlr_model_fit() finds base learners; NULL for those of mtlr_backends(). */
    const mtlr_registry *registry;
    /**
     * Bytes that a fit may take beside the data, as far as is known before; 0 for no limit. Fewer parts run side by side
     * where more would not fit; MTLR_OUT_OF_MEMORY where one does not fit alone.
     */
    int64_t memory_limit;
} mtlr_execution;

/**
 * The defaults: all processors, no progress, no cancellation, the base learners of mtlr_backends(), no limit.
 * @since 1.0
 */
#define MTLR_EXECUTION_INIT {sizeof(mtlr_execution), 0, 0, NULL, NULL, NULL, NULL, 0}

/* ------------------------------------------------------------------------------------------ 6. Datasets --- */

/** Checked rows to learn from. Immutable; may be shared between threads. @since 1.0 */
typedef struct mtlr_dataset mtlr_dataset;

/** Copy what the dataset needs: the table may change or go once the call has returned. @since 1.0 */
#define MTLR_DATASET_COPY ((uint32_t)0)

/**
 * Point into the caller's numbers instead of copying them, where possible. They must neither move nor change
 * until mtlr_dataset_free() has returned. The table itself, names and levels are copied in any case.
 * @since 1.0
 */
#define MTLR_DATASET_BORROW ((uint32_t)1)

/**
 * Makes a dataset of a table.
 *
 * @param out    the dataset; the caller frees it.
 * @param table  all columns: covariates, treatment, outcome and whatever else the spec names.
 * @param spec   JSON; its section "data" says which column plays which part, as in
 *               {"data": {"treatment": "w", "outcome": "y"}}. A whole spec, that of mtlr_model_fit(), will do.
 * @param flags  MTLR_DATASET_COPY or MTLR_DATASET_BORROW.
 * @since 1.0
 */
mtlr_status mtlr_dataset_create(mtlr_dataset **out, const mtlr_table *table, const char *spec, uint32_t flags,
                                mtlr_error **error);

/** How many rows there are, without those that were dropped for want of an outcome. 0 for NULL. @since 1.0 */
int64_t mtlr_dataset_rows(const mtlr_dataset *dataset);

/** How many covariates there are. 0 for NULL. @since 1.0 */
int64_t mtlr_dataset_covariate_count(const mtlr_dataset *dataset);

/** How many arms there are, the control included. 0 for NULL. @since 1.0 */
int64_t mtlr_dataset_arm_count(const mtlr_dataset *dataset);

/** The label of an arm; NULL where there is no such arm. Lives as long as the dataset. @since 1.0 */
const char *mtlr_dataset_arm_label(const mtlr_dataset *dataset, int64_t arm);

/**
 * For each row of the dataset, its row in the table that the dataset was made of, counted from 0.
 *
 * @param source_rows  as many numbers as the dataset has rows.
 * @param length       how many numbers `source_rows` takes; must be mtlr_dataset_rows().
 * @since 1.0
 */
mtlr_status mtlr_dataset_source_rows(int64_t *source_rows, int64_t length, const mtlr_dataset *dataset,
                                     mtlr_error **error);

/**
 * Things worth knowing that are no errors: a JSON list of texts. Columns left out because they look like identifiers, a
 * control that nobody named, small arms, heavy weights, known propensities that do not fit the data. The warnings of
 * a model that is fitted to the dataset begin with them.
 * @since 1.0
 */
mtlr_status mtlr_dataset_warnings(char **json, const mtlr_dataset *dataset, mtlr_error **error);

/** Frees a dataset. Models that were fitted to it live on. @since 1.0 */
void mtlr_dataset_free(mtlr_dataset *dataset);

/* -------------------------------------------------------------------------------------------- 7. Models --- */

/** A fitted model of treatment effects. Immutable; may be shared between threads. @since 1.0 */
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
 * @since 1.0
 */
mtlr_status mtlr_model_fit(mtlr_model **out, const mtlr_dataset *dataset, const char *spec,
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
 * @since 1.0
 */
mtlr_status mtlr_model_fit_reusing(mtlr_model **out, const mtlr_dataset *dataset, const char *spec,
                                   const mtlr_model *nuisances, const mtlr_execution *execution,
                                   mtlr_error **error);

/** How many arms there are, the control included. 0 for NULL. @since 1.0 */
int64_t mtlr_model_arm_count(const mtlr_model *model);

/** The label of an arm; NULL where there is no such arm. Lives as long as the model. @since 1.0 */
const char *mtlr_model_arm_label(const mtlr_model *model, int64_t arm);

/** How many rows the model was fitted to. 0 for NULL. @since 1.0 */
int64_t mtlr_model_training_rows(const mtlr_model *model);

/** What a prediction is of. Values are frozen; new ones may be added. @since 1.0 */
typedef int32_t mtlr_output;

/** The effect of an arm against another. One column a contrast. @since 1.0 */
#define MTLR_EFFECTS ((mtlr_output)0)
/** The mean of the outcome in each arm (a probability for a binary outcome). One column an arm. @since 1.0 */
#define MTLR_ARM_MEANS ((mtlr_output)1)
/** The probability of each arm, within the bounds of the overlap policy. One column an arm. @since 1.0 */
#define MTLR_PROPENSITIES ((mtlr_output)2)
/** The effects with the ends of their intervals. Three columns a contrast: effect, lower, upper. @since 1.0 */
#define MTLR_INTERVALS ((mtlr_output)3)
/** The standard deviation of the effects over the models of the folds. One column a contrast. @since 1.0 */
#define MTLR_STABILITY ((mtlr_output)4)

/** What effects are measured as. Values are frozen; new ones may be added. @since 1.0 */
typedef int32_t mtlr_effect_scale;

/** As the spec of the model says. @since 1.0 */
#define MTLR_SCALE_OF_SPEC ((mtlr_effect_scale)0)
/** The difference of two means. @since 1.0 */
#define MTLR_SCALE_DIFFERENCE ((mtlr_effect_scale)1)
/** The ratio of two means: the relative risk of a binary outcome, the rate ratio of a count. @since 1.0 */
#define MTLR_SCALE_RATIO ((mtlr_effect_scale)2)
/** The ratio of two odds. @since 1.0 */
#define MTLR_SCALE_ODDS_RATIO ((mtlr_effect_scale)3)

/** Predict the rows of the table as new ones. @since 1.0 */
#define MTLR_NEW_ROWS ((int32_t)0)
/** Predict the rows that the model was fitted to: out of fold. @since 1.0 */
#define MTLR_TRAINING_ROWS ((int32_t)1)

/**
 * What to predict, and how to lay it out. Where a function takes one, NULL stands for the effects of every arm against
 * control in new rows, as doubles row by row. Start from MTLR_PREDICTION_INIT.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 1.0
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

/** Effects against control, of new rows, as doubles row by row. @since 1.0 */
#define MTLR_PREDICTION_INIT {sizeof(mtlr_prediction), 0, 0, NULL, NULL, 0, 0, NULL, 0, 0, 0}

/**
 * How many columns a prediction has: what mtlr_model_predict() writes for each row.
 *
 * @param count       the number.
 * @param prediction  what to predict; NULL for the effects of every arm against control.
 * @since 1.0
 */
mtlr_status mtlr_model_prediction_columns(int64_t *count, const mtlr_model *model, const mtlr_prediction *prediction,
                                          mtlr_error **error);

/** The names of these columns, such as "cate" and "cate_lower": a JSON list; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_prediction_names(char **json, const mtlr_model *model, const mtlr_prediction *prediction,
                                        mtlr_error **error);

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
 * @since 1.0
 */
mtlr_status mtlr_model_predict(void *values, int64_t length, char **warnings, const mtlr_model *model,
                               const mtlr_table *table, const mtlr_prediction *prediction,
                               const mtlr_execution *execution, mtlr_error **error);

/**
 * The effects in the rows that the model was fitted to, each by models that never saw the row (out of fold).
 *
 * @param effects  mtlr_model_training_rows() * (arms - 1) numbers, row by row, in the order of the dataset (times the
 *                 classes of an outcome of several).
 * @param length   how many numbers `effects` takes; must be just that many.
 * @since 1.0
 */
mtlr_status mtlr_model_training_effects(double *effects, int64_t length, const mtlr_model *model,
                                        mtlr_error **error);

/** Over whom an effect is averaged. Values are frozen; new ones may be added. @since 1.0 */
typedef int32_t mtlr_estimand;

/** Everybody: the average treatment effect. @since 1.0 */
#define MTLR_ATE ((mtlr_estimand)0)
/** Those who were treated: the average treatment effect on the treated. @since 1.0 */
#define MTLR_ATT ((mtlr_estimand)1)

/** The average effect of an arm against control. The layout is frozen. @since 1.0 */
typedef struct mtlr_average_effect {
    /** The arm, from 1. */
    int32_t arm;
    /** Over whom the effect is averaged. */
    mtlr_estimand estimand;
    /** The estimate, in units of the outcome. */
    double estimate;
    /** Its standard error, robust to clusters where there are any. */
    double std_error;
    /** The lower end of the 95 % confidence interval. */
    double lower;
    /** The upper end of the 95 % confidence interval. */
    double upper;
    /** The two-sided p-value of no effect. */
    double p_value;
} mtlr_average_effect;

/**
 * The average effect of each arm against control, doubly robust (AIPW).
 *
 * @param effects  arms - 1 structures, by arm from 1; for an outcome of several classes that many for each, within an arm
 *                 by class.
 * @param count    how many structures `effects` takes; must be just that many.
 * @param dataset  the rows to average over; NULL for those that the model was fitted to.
 * @since 1.0
 */
mtlr_status mtlr_model_average_effects(mtlr_average_effect *effects, int64_t count, const mtlr_model *model,
                                       const mtlr_dataset *dataset, mtlr_estimand estimand,
                                       const mtlr_execution *execution, mtlr_error **error);

/** The same as JSON, that of `metalearners ate --json`; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_average_effects_json(char **json, const mtlr_model *model, const mtlr_dataset *dataset,
                                            mtlr_estimand estimand, const mtlr_execution *execution,
                                            mtlr_error **error);

/** The spec that the model was fitted by, with every default, as JSON; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_spec(char **json, const mtlr_model *model, mtlr_error **error);

/** What the model is: learner, rows, arms, columns, overlap, as JSON; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_summary(char **json, const mtlr_model *model, mtlr_error **error);

/**
 * What is in the model: as the summary, with the models within, their backends and their sizes in bytes, as JSON, that of
 * `metalearners inspect --json`; the caller frees it. Takes the time of writing the model. @since 1.0
 */
mtlr_status mtlr_model_inspect(char **json, const mtlr_model *model, mtlr_error **error);

/** What was worth telling about the fit: a JSON list of texts; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_warnings(char **json, const mtlr_model *model, mtlr_error **error);

/**
 * Writes the model to a file, which is replaced at once or not at all. A file that is replaced keeps its rights; a new one
 * has those that the umask gives. A link stays a link, and what it points to is replaced.
 *
 * A model holds the outcome and the arm of each row of training, unless it was fitted with `"keep_training": false`: where
 * rows are people, the file needs the protection of the data.
 * @since 1.0
 */
mtlr_status mtlr_model_save(const mtlr_model *model, const char *path, mtlr_error **error);

/**
 * Reads a model from a file that this or an older version wrote; the caller frees it. Of a file that does not begin as
 * models do no more than the beginning is read, whatever its size. @since 1.0
 */
mtlr_status mtlr_model_load(mtlr_model **out, const char *path, mtlr_error **error);

/** The bytes that mtlr_model_save() writes; the caller hands them back to mtlr_bytes_free(). @since 1.0 */
mtlr_status mtlr_model_to_bytes(uint8_t **bytes, int64_t *length, const mtlr_model *model, mtlr_error **error);

/** Reads a model from `length` bytes; the caller frees it. @since 1.0 */
mtlr_status mtlr_model_from_bytes(mtlr_model **out, const uint8_t *bytes, int64_t length, mtlr_error **error);

/** Frees a model. @since 1.0 */
void mtlr_model_free(mtlr_model *model);

/* -------------------------------------------------------------------------------- 8. Specs and backends --- */

/**
 * Checks a spec and fills in every default.
 *
 * @param json  the whole spec as JSON; the caller frees it.
 * @param spec  JSON, such as {"learner": "t"}; NULL for the defaults.
 * @since 1.0
 */
mtlr_status mtlr_spec_resolve(char **json, const char *spec, mtlr_error **error);

/**
 * The base learners as JSON, that of `metalearners backends --json`: {"backends": [{"name", "summary", "version",
 * "location", "capabilities"}, ...]}; the caller frees it. Those built in, then the plug-ins that the environment
 * variable METALEARNERS_PLUGIN_PATH named when the process first asked for a base learner; "problems" lists those that
 * could not be loaded. @since 1.0
 */
mtlr_status mtlr_backends(char **json, mtlr_error **error);

/* --------------------------------------------- 9. Registries: plug-ins and base learners of your own --- */

/*
 * A registry holds base learners by name: those of mtlr_backends(), and what is added to it. Adding changes no fit
 * that has begun. A registry may be shared between threads, also while one of them adds to it.
 *
 * Models keep what they need of a registry: it may be freed before them.
 *
 * A plug-in runs in this process with all its rights. Load what you would also link; a spec with a list "plugins" does
 * load code, so take such specs from yourself only. Model files never load anything.
 */

/** The table of functions that a plug-in is; see metalearners_plugin.h, which also documents how it is called. */
struct mtlr_plugin_vtable;

/** Makes a registry with the base learners of mtlr_backends(). @since 1.0 */
mtlr_status mtlr_registry_create(mtlr_registry **out, mtlr_error **error);

/**
 * Adds the base learner of the plug-in in a shared library, which is never unloaded.
 *
 * MTLR_INPUT_OUTPUT where there is no such file; MTLR_UNSUPPORTED where it is no plug-in, or one for another version of
 * the plug-in interface; MTLR_INVALID_ARGUMENT where its table is faulty or its name is taken. The same library twice
 * is once.
 * @since 1.0
 */
mtlr_status mtlr_registry_load_plugin(mtlr_registry *registry, const char *path, mtlr_error **error);

/**
 * Adds a base learner that the caller implements: the table that a plug-in would return, with `payload` for whatever
 * its functions need to know.
 *
 * The functions are called on threads of the library too, several at once, while a function that uses the registry runs
 * and when a model is predicted or freed. With MTLR_PLUGIN_SERIAL in its `flags` they are called one at a time, though
 * still on any thread: a lock that they take (Python's, for example) must not be held by whoever called the library.
 * They must not call a function of this library that would call them again.
 *
 * The table is copied, but for its texts, which the library has read when the call returns. `release`, where it is set,
 * is called once with `payload`, when the registry and every model that the base learner fitted are freed; never where
 * this function fails.
 * @since 1.0
 */
mtlr_status mtlr_registry_add_callbacks(mtlr_registry *registry, const struct mtlr_plugin_vtable *table,
                                        mtlr_error **error);

/**
 * The base learners of a registry as JSON, as mtlr_backends() has them, each with "parameters" and with "common", how
 * it follows the parameters that base learners have in common; the caller frees it. @since 1.0
 */
mtlr_status mtlr_registry_backends(char **json, const mtlr_registry *registry, mtlr_error **error);

/** As mtlr_spec_resolve(), with the base learners of a registry. @since 1.0 */
mtlr_status mtlr_registry_resolve_spec(char **json, const mtlr_registry *registry, const char *spec,
                                       mtlr_error **error);

/** As mtlr_model_load(), for models of the base learners of a registry. @since 1.0 */
mtlr_status mtlr_registry_load_model(mtlr_model **out, const mtlr_registry *registry, const char *path,
                                     mtlr_error **error);

/** As mtlr_model_from_bytes(), for models of the base learners of a registry. @since 1.0 */
mtlr_status mtlr_registry_read_model(mtlr_model **out, const mtlr_registry *registry, const uint8_t *bytes,
                                     int64_t length, mtlr_error **error);

/** Frees a registry. Models that were fitted or read with it live on. @since 1.0 */
void mtlr_registry_free(mtlr_registry *registry);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_H */
