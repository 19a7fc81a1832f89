/*
 * metalearners_plugin.h: a base learner of your own for metalearners, in C or any language that can pass for it.
 *
 * A plug-in is a shared library that exports one function, mtlr_plugin_v1(), which returns a table of functions.
 * It includes this header and links with nothing of ours. The same table, filled by a program that uses
 * metalearners.h, registers a base learner that the program itself implements: mtlr_registry_add_callbacks().
 *
 * Contents
 *   1. Versions and status      4. Running: threads, progress, cancellation
 *   2. Data                     5. Parameters
 *   3. The task                 6. The table of functions
 *                               7. Reading data and parameters
 *
 * Rules
 *   - "The host" is the library that calls; "the plug-in" is who fills the table, also where that is a program.
 *   - Functions that can fail return MTLR_PLUGIN_OK or the status that says what went wrong, and then write one
 *     line on it into the error. On failure outputs are ignored, and nothing that was made may be left behind.
 *   - What the host hands in is borrowed for the length of the call: keep no pointer, write to no input.
 *   - What the plug-in makes (estimators, models) belongs to the host, which hands it back to be freed, once.
 *     What is in the table must not change, and must live as long as the process (or, with `release`, until then).
 *   - Threads: any function may be called on any thread, and several at once, also with the same estimator or the
 *     same model; only `free` functions are called once nobody uses the object any more. A plug-in that cannot do
 *     that sets MTLR_PLUGIN_SERIAL or MTLR_PLUGIN_CALLER_THREAD. Use at most as many threads as mtlr_plugin_execution.threads says.
 *   - The same task, parameters and seed must give the same model, to the bit, whatever the threads; and a model
 *     read back must predict what it did before. Draw random numbers from the task's seed alone.
 *   - In numbers NaN is missing, in codes a negative one is; a plug-in without the capability never sees either.
 *     Infinite numbers are numbers.
 *   - No exception and no longjmp may leave a function; the process must not be ended. (The host checks what can
 *     be checked: results that are not finite, too few or too many, unknown statuses. It cannot catch a crash.)
 *   - A library is never unloaded.
 *   - Structures with `struct_size` grow at their end, so that a newer host works with an older plug-in and the other
 *     way round: before using a member that came later than 0.9, see whether `struct_size` covers it.
 */
#ifndef METALEARNERS_PLUGIN_H
#define METALEARNERS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------ 1. Versions and status --- */

/** The version of the interface that this header describes. A host takes tables of its own version alone. */
#define MTLR_PLUGIN_ABI_VERSION 1

/** The outcome of a call. The values are those of mtlr_status in metalearners.h. @since 0.9 */
typedef int32_t mtlr_plugin_status;

/** Done. @since 0.9 */
#define MTLR_PLUGIN_OK ((mtlr_plugin_status)0)
/** An argument cannot be used, such as features of another shape than those trained on. @since 0.9 */
#define MTLR_PLUGIN_INVALID_ARGUMENT ((mtlr_plugin_status)1)
/** The parameters cannot be used. @since 0.9 */
#define MTLR_PLUGIN_INVALID_SPEC ((mtlr_plugin_status)2)
/** The data cannot be used. @since 0.9 */
#define MTLR_PLUGIN_INVALID_DATA ((mtlr_plugin_status)3)
/** Beyond this plug-in, or something that it needs is not installed. @since 0.9 */
#define MTLR_PLUGIN_UNSUPPORTED ((mtlr_plugin_status)4)
/** The bytes of a model are damaged. @since 0.9 */
#define MTLR_PLUGIN_CORRUPT_MODEL ((mtlr_plugin_status)6)
/** The bytes of a model are of a newer version. @since 0.9 */
#define MTLR_PLUGIN_INCOMPATIBLE_MODEL ((mtlr_plugin_status)7)
/** A computation broke down. @since 0.9 */
#define MTLR_PLUGIN_NUMERICAL_FAILURE ((mtlr_plugin_status)8)
/** The work was cancelled. @since 0.9 */
#define MTLR_PLUGIN_CANCELLED ((mtlr_plugin_status)9)
/** There is not enough memory. @since 0.9 */
#define MTLR_PLUGIN_OUT_OF_MEMORY ((mtlr_plugin_status)10)
/** A fault of the plug-in itself. @since 0.9 */
#define MTLR_PLUGIN_INTERNAL_FAULT ((mtlr_plugin_status)11)

/** Where a function that fails says why: one line of UTF-8, what is wrong and what to do. @since 0.9 */
typedef struct mtlr_plugin_error {
    /** The buffer, never NULL, an empty text at first. Made for snprintf(error->text, error->capacity, ...). */
    char *text;
    /** Bytes of the buffer, the final NUL included: 256 at least. */
    size_t capacity;
} mtlr_plugin_error;

/* --------------------------------------------------------------------------------------------- 2. Data --- */

/** The type of the numbers of a column. @since 0.9 */
typedef int32_t mtlr_plugin_dtype;

/** double; NaN is missing. @since 0.9 */
#define MTLR_PLUGIN_FLOAT64 ((mtlr_plugin_dtype)1)
/** float; NaN is missing. @since 0.9 */
#define MTLR_PLUGIN_FLOAT32 ((mtlr_plugin_dtype)2)
/** int32_t, the code of a category: 0 to level_count - 1, or -1 for missing and never seen. @since 0.9 */
#define MTLR_PLUGIN_CODES ((mtlr_plugin_dtype)4)

/** A column of features. The layout is frozen. @since 0.9 */
typedef struct mtlr_plugin_column {
    /** The number of row 0, aligned; NULL only where the table has no rows. */
    const void *data;
    /** Bytes from one row to the next: a multiple of the number's size, also 0 or negative. */
    int64_t stride;
    /** The type of the numbers. */
    mtlr_plugin_dtype dtype;
    /** How many levels a category has; 0 for numbers. */
    int32_t level_count;
    /** The name, for messages: columns count by position. */
    const char *name;
    /** The names of the levels; NULL for numbers. */
    const char *const *levels;
} mtlr_plugin_column;

/** Features: columns of equal length. @since 0.9 */
typedef struct mtlr_plugin_table {
    /** sizeof(mtlr_plugin_table) as the host knows it. */
    size_t struct_size;
    /** How many rows there are: at most 2^31 - 1. */
    int64_t row_count;
    /** How many columns there are; 0 is possible. */
    int64_t column_count;
    /** The columns; NULL where there are none. */
    const mtlr_plugin_column *columns;
} mtlr_plugin_table;

/* ----------------------------------------------------------------------------------------- 3. The task --- */

/** What is to be estimated. @since 0.9 */
typedef int32_t mtlr_plugin_objective;

/** E[target | X], by squared error. @since 0.9 */
#define MTLR_PLUGIN_REGRESSION ((mtlr_plugin_objective)0)
/** P(target = c | X) for each of class_count classes; targets are 0, 1, ... @since 0.9 */
#define MTLR_PLUGIN_CLASSIFICATION ((mtlr_plugin_objective)1)
/** The tau(X) that minimises the sum of weight * (target - regressor * tau(X))^2, the R-learner's. @since 0.9 */
#define MTLR_PLUGIN_RESIDUAL ((mtlr_plugin_objective)2)

/**
 * What to learn from.
 *
 * Targets, weights, regressors and clusters are as long as the features, and must be read at `rows` only: elsewhere
 * they may be anything.
 * @since 0.9
 */
typedef struct mtlr_plugin_task {
    /** sizeof(mtlr_plugin_task) as the host knows it. */
    size_t struct_size;
    /** The features. */
    const mtlr_plugin_table *features;
    /** The rows to learn from, ascending, each once. */
    const int32_t *rows;
    /** How many rows to learn from: 1 at least. */
    int64_t row_count;
    /** The target, finite. */
    const double *target;
    /**
     * Weights of at least 0, finite, not all 0; NULL where all rows count alike. Sample weights come divided by their
     * mean over all rows that have any, so that a row of weight 1 is one row; those of pseudo-outcomes are multiplied
     * in.
     */
    const double *weights;
    /** The regressor of MTLR_PLUGIN_RESIDUAL, finite, not 0 everywhere; otherwise NULL. */
    const double *regressor;
    /** The cluster of each row, so that held-out shares take whole ones; NULL where rows are independent. */
    const int32_t *clusters;
    /** What is to be estimated. */
    mtlr_plugin_objective objective;
    /** Classes of MTLR_PLUGIN_CLASSIFICATION, 2 at least (some may not occur); otherwise 0. */
    int32_t class_count;
    /** The seed of whatever is drawn at random. */
    uint64_t seed;
} mtlr_plugin_task;

/* -------------------------------------------------------- 4. Running: threads, progress, cancellation --- */

/** How a call is run: nothing here may change its result. @since 0.9 */
typedef struct mtlr_plugin_execution {
    /** sizeof(mtlr_plugin_execution) as the host knows it. */
    size_t struct_size;
    /** Handed to the functions below. */
    void *host;
    /**
     * Tells how far the call is, and asks whether to go on: nonzero to go on, 0 to stop and return
     * MTLR_PLUGIN_CANCELLED. Cheap; call it once an iteration, on any thread.
     */
    int32_t (*progress)(void *host, int64_t done, int64_t total);
    /** Whether to stop: nonzero where somebody has cancelled the work. Cheap; on any thread. */
    int32_t (*is_cancelled)(void *host);
    /** Something worth telling the user that is no error, such as no convergence; one line. On any thread. */
    void (*warn)(void *host, const char *text);
    /** Threads to use at most: 1 at least. */
    int32_t threads;
    /** 0. */
    int32_t reserved;
} mtlr_plugin_execution;

/** Where the bytes of a model go. @since 0.9 */
typedef struct mtlr_plugin_sink {
    /** Handed to `write`. */
    void *host;
    /** Appends bytes; may be called any number of times within the call of `serialise`. */
    void (*write)(void *host, const void *bytes, size_t count);
} mtlr_plugin_sink;

/* --------------------------------------------------------------------------------------- 5. Parameters --- */

/** What a parameter's value is. @since 0.9 */
typedef int32_t mtlr_plugin_kind;

/** A number, also an integer. @since 0.9 */
#define MTLR_PLUGIN_NUMBER ((mtlr_plugin_kind)1)
/** True or false: `number` is 1 or 0. @since 0.9 */
#define MTLR_PLUGIN_BOOLEAN ((mtlr_plugin_kind)2)
/** Text. @since 0.9 */
#define MTLR_PLUGIN_TEXT ((mtlr_plugin_kind)3)
/** A list or an object: `text` is its JSON. @since 0.9 */
#define MTLR_PLUGIN_JSON ((mtlr_plugin_kind)4)

/** A parameter with its value. The layout is frozen. @since 0.9 */
typedef struct mtlr_plugin_value {
    /** The name. */
    const char *name;
    /** The value where it is text, otherwise its JSON; never NULL. */
    const char *text;
    /** The value where it is a number or a boolean, otherwise NaN. */
    double number;
    /** What the value is. */
    mtlr_plugin_kind kind;
    /** Whether the user has set it: 1, or 0 for the default. */
    int32_t is_set;
} mtlr_plugin_value;

/** Every parameter with its value, defaults filled in and everything checked against `parameters`. @since 0.9 */
typedef struct mtlr_plugin_spec {
    /** sizeof(mtlr_plugin_spec) as the host knows it. */
    size_t struct_size;
    /** The parameters as one JSON object, for those who would rather parse that. */
    const char *json;
    /** The parameters one by one, in the order of `parameters`. */
    const mtlr_plugin_value *values;
    /** How many there are. */
    int64_t value_count;
} mtlr_plugin_spec;

/* ------------------------------------------------------------------------------ 6. The table of functions --- */

/** An estimator: parameters, ready to be fitted to any task. The plug-in says what is in it. @since 0.9 */
typedef struct mtlr_plugin_estimator mtlr_plugin_estimator;

/** A fitted model. The plug-in says what is in it. @since 0.9 */
typedef struct mtlr_plugin_model mtlr_plugin_model;

/** What a plug-in can do: bits, checked by the host before anything is fitted. @since 0.9 */
#define MTLR_PLUGIN_CAN_REGRESSION ((uint32_t)1)
/** Two classes. @since 0.9 */
#define MTLR_PLUGIN_CAN_BINARY ((uint32_t)2)
/** Three classes or more. @since 0.9 */
#define MTLR_PLUGIN_CAN_MULTICLASS ((uint32_t)4)
/** Weights; without this bit, tasks have none. @since 0.9 */
#define MTLR_PLUGIN_CAN_WEIGHTS ((uint32_t)8)
/** Missing values; without this bit, features have none. @since 0.9 */
#define MTLR_PLUGIN_CAN_MISSING_VALUES ((uint32_t)16)
/** Categories; without this bit, columns are numbers. @since 0.9 */
#define MTLR_PLUGIN_CAN_CATEGORICALS ((uint32_t)32)
/** MTLR_PLUGIN_RESIDUAL; without it the R-learner asks for a weighted regression instead. @since 0.9 */
#define MTLR_PLUGIN_CAN_RESIDUAL_LOSS ((uint32_t)64)

/** The host makes one call at a time, of all functions with this table (a lock, for example Python's). @since 0.9 */
#define MTLR_PLUGIN_SERIAL ((uint32_t)1)

/**
 * The host makes calls on the thread that called it, one at a time: for an interpreter that lives on one thread, as R's does. It
 * needs mtlr_execution.poll, so that this thread waits for such calls, or one thread: without, calls are MTLR_PLUGIN_UNSUPPORTED. @since 0.9
 */
#define MTLR_PLUGIN_CALLER_THREAD ((uint32_t)2)

/** What contributions add up to: the prediction. @since 0.9 */
#define MTLR_PLUGIN_SCALE_PREDICTION ((int32_t)0)
/** What contributions add up to: the log odds of class 1 (one output). @since 0.9 */
#define MTLR_PLUGIN_SCALE_LOG_ODDS ((int32_t)1)
/** What contributions add up to: the log probability of each class, but for a constant. @since 0.9 */
#define MTLR_PLUGIN_SCALE_LOG_PROBABILITY ((int32_t)2)

/** An importance: what the model gained by the column. @since 0.9 */
#define MTLR_PLUGIN_IMPORTANCE_GAIN ((int32_t)0)
/** An importance: the weight of the rows that the column decided on. @since 0.9 */
#define MTLR_PLUGIN_IMPORTANCE_COVER ((int32_t)1)
/** An importance: how often the column decides. @since 0.9 */
#define MTLR_PLUGIN_IMPORTANCE_SPLITS ((int32_t)2)

/**
 * The plug-in: who it is, what it can do, and how. Members are set by the plug-in; all must be, but for those that say
 * otherwise. Zero the rest.
 * @since 0.9
 */
typedef struct mtlr_plugin_vtable {
    /** sizeof(mtlr_plugin_vtable) as the plug-in knows it. */
    size_t struct_size;
    /** MTLR_PLUGIN_ABI_VERSION. */
    int32_t abi_version;
    /** MTLR_PLUGIN_CAN_* of what it can do: one of the objectives at least. */
    uint32_t capabilities;
    /** MTLR_PLUGIN_SERIAL, MTLR_PLUGIN_CALLER_THREAD, or 0. */
    uint32_t flags;
    /** 0. */
    uint32_t reserved;
    /** The backend's name, as specs have it: a to z, 0 to 9 and _, from a letter on, at most 64. */
    const char *name;
    /** The plug-in's version; stored with every model, and handed to `deserialise`. */
    const char *version;
    /** One line on what it is. */
    const char *summary;
    /**
     * The parameters: a JSON list of objects with
     *   "name"     as specs have it; the common names of docs/plugins.md where one fits;
     *   "summary"  one line on what it means;
     *   "default"  a value; its type (number, boolean, text, list, object) is that of every value;
     *   "integer"  true for numbers without a fraction;
     *   "minimum", "maximum", "above"  bounds of numbers ("above" is a minimum that itself does not count);
     *   "choices"  the texts that are allowed;
     *   "mapping"  "exact" (default), "approximate" or "unsupported", for common names;
     *   "engine"   the engine's own name for it, and "note", what is done instead, or why nothing is.
     * Unsupported ones have a name, a summary and a note alone, and setting one is an error of the host's;
     * setting an approximate one is a warning. Keys that are not listed are refused. "[]" where there are none.
     */
    const char *parameters;
    /** Handed to every function below as its first argument; NULL will do. */
    void *payload;

    /** Makes an estimator of checked parameters. */
    mtlr_plugin_status (*create)(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **estimator,
                                 mtlr_plugin_error *error);
    /** Frees an estimator. */
    void (*free_estimator)(void *payload, mtlr_plugin_estimator *estimator);
    /** Fits a model. */
    mtlr_plugin_status (*fit)(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **model,
                              mtlr_plugin_error *error);
    /**
     * Predicts rows.
     *
     * @param features     columns of the number and kinds trained on (levels may be fewer or more).
     * @param rows         which rows, in any order and any number of times; NULL for all, in order.
     * @param row_count    how many rows to predict; may be 0.
     * @param predictions  row by row: one number, or class_count probabilities that add up to 1. All finite.
     */
    mtlr_plugin_status (*predict)(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *error);
    /** Writes all that prediction needs. Called once, right after a fit. */
    mtlr_plugin_status (*serialise)(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *error);
    /**
     * Reads what `serialise` wrote, on this machine or another.
     *
     * The host keeps a checksum of the bytes. That is no proof against bytes made to deceive: check sizes and
     * indices before they are used.
     * @param version  the plug-in's version that wrote them.
     */
    mtlr_plugin_status (*deserialise)(void *payload, const void *bytes, size_t count, const char *version,
                                      mtlr_plugin_model **model, mtlr_plugin_error *error);
    /** Frees a model. */
    void (*free_model)(void *payload, mtlr_plugin_model *model);

    /**
     * What each column contributes to predictions: optional; NULL where it is not known.
     *
     * @param background      rows that absent columns are replaced from; NULL for what training implies. A plug-in
     *                        that knows one way only returns MTLR_PLUGIN_UNSUPPORTED for the other.
     * @param contributions   row by row and output by output: a number for each column, then the expected value.
     *                        Outputs are those of predictions; one where the scale is log odds.
     * @param capacity        how many numbers `contributions` takes: enough for the outputs of predictions.
     * @param scale           set it: MTLR_PLUGIN_SCALE_*.
     */
    mtlr_plugin_status (*contributions)(void *payload, const mtlr_plugin_model *model,
                                        const mtlr_plugin_table *features, const int32_t *rows, int64_t row_count,
                                        const mtlr_plugin_table *background, double *contributions, int64_t capacity,
                                        int32_t *scale, const mtlr_plugin_execution *execution,
                                        mtlr_plugin_error *error);
    /** How much the model makes of each column, a number each, 0 at least: must be set where `contributions` is. */
    mtlr_plugin_status (*importances)(void *payload, const mtlr_plugin_model *model, int32_t kind, double *importances,
                                      int64_t column_count, mtlr_plugin_error *error);
    /** Optional: called once when the host needs the table no more, with all that it made freed. */
    void (*release)(void *payload);
} mtlr_plugin_vtable;

/**
 * The one function that a plug-in exports. Called once, when the plug-in is loaded; must not fail. The table lives as
 * long as the process.
 * @since 0.9
 */
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const mtlr_plugin_vtable *mtlr_plugin_v1(void);

/* ----------------------------------------------------------------------- 7. Reading data and parameters --- */

/** The number in a row of a column; NaN where it is missing. A category's is its code. @since 0.9 */
static inline double mtlr_plugin_number(const mtlr_plugin_column *column, int64_t row) {
    const char *place = (const char *)column->data + row * column->stride;
    if (column->dtype == MTLR_PLUGIN_FLOAT64) {
        double value;
        memcpy(&value, place, sizeof value);
        return value;
    }
    if (column->dtype == MTLR_PLUGIN_FLOAT32) {
        float value;
        memcpy(&value, place, sizeof value);
        return (double)value;
    }
    int32_t code;
    memcpy(&code, place, sizeof code);
    if (code >= 0) return (double)code;
    const uint64_t bits = UINT64_C(0x7FF8000000000000);
    double missing;
    memcpy(&missing, &bits, sizeof missing);
    return missing;
}

/** The parameter of this name; NULL where there is none. @since 0.9 */
static inline const mtlr_plugin_value *mtlr_plugin_parameter(const mtlr_plugin_spec *spec, const char *name) {
    for (int64_t index = 0; index < spec->value_count; index++) {
        if (strcmp(spec->values[index].name, name) == 0) return &spec->values[index];
    }
    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_PLUGIN_H */
