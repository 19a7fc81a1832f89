/*
 * metalearners/data.h: views of numbers in the caller's memory, and the datasets that are made of them.
 */
#ifndef METALEARNERS_DATA_H
#define METALEARNERS_DATA_H

#include "arrow.h"
#include "common.h"
#include "execution.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------- Views of data --- */

/** The type of numbers in memory. Values are frozen; new ones may be added. @since 0.9 */
typedef int32_t mtlr_dtype;

/** double @since 0.9 */
#define MTLR_FLOAT64 ((mtlr_dtype)1)
/** float @since 0.9 */
#define MTLR_FLOAT32 ((mtlr_dtype)2)
/** int64_t @since 0.9 */
#define MTLR_INT64 ((mtlr_dtype)3)
/** int32_t @since 0.9 */
#define MTLR_INT32 ((mtlr_dtype)4)
/** int16_t @since 0.9 */
#define MTLR_INT16 ((mtlr_dtype)5)
/** int8_t @since 0.9 */
#define MTLR_INT8 ((mtlr_dtype)6)
/** uint8_t, also bool @since 0.9 */
#define MTLR_UINT8 ((mtlr_dtype)7)
/** uint16_t @since 0.9 */
#define MTLR_UINT16 ((mtlr_dtype)8)
/** uint32_t @since 0.9 */
#define MTLR_UINT32 ((mtlr_dtype)9)
/** uint64_t @since 0.9 */
#define MTLR_UINT64 ((mtlr_dtype)10)

/**
 * A named column in the caller's memory: numbers, or codes of a category. The layout is frozen.
 *
 * Of floating-point numbers NaN is missing. Where `levels` is given, the numbers must be of an integer type and
 * are codes into the levels, 0 to level_count - 1; a negative code is missing, and a code of level_count or more is
 * MTLR_INVALID_DATA, in training and in prediction. (R and Julia count codes from 1: subtract 1.) Of a column without
 * levels that is a treatment, a cluster or a category, MTLR_INT64 and MTLR_UINT64 numbers are told apart and printed in
 * full. Numbers need not be aligned. Integers that may be missing have a `validity` in the table.
 * @since 0.9
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
 * @since 0.9
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
 * @since 0.9
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
 * A table: the columns of a matrix, then columns of their own, then those of a sparse matrix, then those that came by
 * Arrow; any may be absent. Start from MTLR_TABLE_INIT.
 *
 * A table has at most 2^31 - 1 rows and 2^20 columns.
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
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
    /**
     * For each of `columns`, which values are there: a bit for each row, that of row 0 the lowest bit of the first byte, 1
     * where there is a value (Arrow's bitmap); NULL for a column whose values are all there. NULL for no such column.
     * A column with missing values is copied: as doubles, or as codes where it has levels. Integers of more than 53 bits
     * beside missing ones are MTLR_INVALID_DATA.
     */
    const uint8_t *const *validity;
    /** Columns that came by Arrow, as many rows as `rows`; NULL for none. They are never copied: see arrow.h. */
    const mtlr_arrow_table *arrow;
} mtlr_table;

/** An empty table of the right size. @since 0.9 */
#define MTLR_TABLE_INIT {sizeof(mtlr_table), 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL}

/* ------------------------------------------------------------------------------------------- Datasets --- */

/** Checked rows to learn from. Immutable; may be shared between threads. @since 0.9 */
typedef struct mtlr_dataset mtlr_dataset;

/** Copy what the dataset needs: the table may change or go once the call has returned. @since 0.9 */
#define MTLR_DATASET_COPY ((uint32_t)0)

/**
 * Point into the caller's numbers instead of copying them, where possible. They must neither move nor change
 * until mtlr_dataset_free() has returned for the dataset, and mtlr_study_free() and mtlr_tuning_free() for every study and
 * search made of it. The table itself, names and levels are copied in any case.
 * @since 0.9
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
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_dataset_create(mtlr_dataset **out, const mtlr_table *table, const char *spec,
                                         uint32_t flags, mtlr_error **error);

/**
 * Makes a dataset of the rows that one of several processes holds. All processes call this with tables of the same columns and
 * the same spec; one may have no rows at all.
 *
 * They agree on the levels of categories, on the arms and the classes of the outcome, on clusters, whose rows may be in several
 * processes, and on the scale of weights. The dataset is for mtlr_model_fit() with the same processes. Where one process gets an
 * error, all do.
 *
 * @param execution  `collective` must not be NULL.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_dataset_create_part(mtlr_dataset **out, const mtlr_table *table, const char *spec, uint32_t flags,
                                              const mtlr_execution *execution, mtlr_error **error);

/* --------------------------------------------------------------------------- Rows that are read batch by batch --- */

/**
 * Rows that do not fit into memory, or that are not to fill it: functions that read them batch by batch, from the beginning as often as
 * they are asked to. Start from MTLR_ROW_SOURCE_INIT.
 *
 * Each time they must be the same rows in the same order; how many a batch has may differ. All batches have the same columns in the same
 * order, each of numbers or each with levels; the levels may be others in every batch. The functions are called one at a time, on the
 * thread that made the call or, where its execution has a `poll`, on another one, and never after the call has returned. They must return
 * normally: no exception, no longjmp.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
 */
typedef struct mtlr_row_source {
    /** sizeof(mtlr_row_source). */
    size_t struct_size;
    /** Handed to every function. */
    void *payload;
    /** Begins anew: the next batch is the first one. 0 for success; anything else ends the call with MTLR_INPUT_OUTPUT. */
    int32_t (*restart)(void *payload);
    /**
     * Fills in the members of `batch`, which was set to MTLR_TABLE_INIT, and returns 1; returns 0 where there are no more rows, and
     * anything else where they cannot be read, which ends the call with MTLR_INPUT_OUTPUT. A batch may have no rows. What it points to
     * must stay until `restart` or `next` is called again, or the call has returned.
     */
    int32_t (*next)(void *payload, mtlr_table *batch);
    /** Why a function has just failed; NULL for no text, and where there is no such function. Borrowed until the next call. */
    const char *(*last_error)(void *payload);
    /** How many bins a column of numbers has at most: the `max_bins` of every model. 0 for 255, which is the default of models. */
    int32_t max_bins;
    /** Must be 0. */
    int32_t reserved;
} mtlr_row_source;

/** No functions yet. @since 0.9 */
#define MTLR_ROW_SOURCE_INIT {sizeof(mtlr_row_source), NULL, NULL, NULL, NULL, 0, 0}

/**
 * Makes a dataset of rows that are read batch by batch. Of covariates nothing is kept but the bins that trees use: a byte for each
 * number, two where there are more than 255 bins.
 *
 * The rows are read three times. A fit gives the model that a fit to one table of all rows gives, to the byte. It takes learners whose
 * base learners are "trees" with as many bins; other learners, searches, and studies that are given the dataset are MTLR_UNSUPPORTED.
 * MTLR_INVALID_DATA where a later reading gives other rows than the first one.
 *
 * @param out        the dataset; the caller frees it.
 * @param source     borrowed for the call.
 * @param spec       as that of mtlr_dataset_create().
 * @param execution  threads, progress (stage "rows") and cancellation; NULL for the defaults.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_dataset_create_streamed(mtlr_dataset **out, const mtlr_row_source *source, const char *spec,
                                                  const mtlr_execution *execution, mtlr_error **error);

/**
 * Tells the other processes that this one cannot take part in what they do together or are about to do: their calls end with this
 * error, which names the process. For what goes wrong outside of such a call, such as a file that cannot be read.
 *
 * @param kind       What their calls return, such as MTLR_INVALID_DATA; not MTLR_OK.
 * @param problem    What is wrong; not NULL.
 * @param execution  `collective` must not be NULL.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_collective_refuse(mtlr_status kind, const char *problem, const mtlr_execution *execution,
                                            mtlr_error **error);

/** How many rows there are (of a part: in this process), without those that were dropped because they have no outcome. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_dataset_rows(const mtlr_dataset *dataset);

/** How many covariates there are. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_dataset_covariate_count(const mtlr_dataset *dataset);

/** How many arms there are, the control included. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_dataset_arm_count(const mtlr_dataset *dataset);

/** The label of an arm; NULL where there is no such arm. Lives as long as the dataset. @since 0.9 */
MTLR_API const char *mtlr_dataset_arm_label(const mtlr_dataset *dataset, int64_t arm);

/**
 * For each row of the dataset, its row in the table that the dataset was made of, counted from 0.
 *
 * @param source_rows  as many numbers as the dataset has rows.
 * @param length       how many numbers `source_rows` takes; must be mtlr_dataset_rows().
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_dataset_source_rows(int64_t *source_rows, int64_t length, const mtlr_dataset *dataset,
                                              mtlr_error **error);

/**
 * Things worth knowing that are no errors: a JSON list of texts. Columns left out because they look like identifiers, a
 * control that nobody named, small arms, heavy weights, known propensities that do not fit the data. The warnings of
 * a model that is fitted to the dataset begin with them.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_dataset_warnings(char **json, const mtlr_dataset *dataset, mtlr_error **error);

/** Frees a dataset. Models that were fitted to it live on. @since 0.9 */
MTLR_API void mtlr_dataset_free(mtlr_dataset *dataset);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_DATA_H */
