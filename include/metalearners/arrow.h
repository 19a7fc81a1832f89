/*
 * metalearners/arrow.h: tables of the Arrow C Data Interface, as pyarrow, polars, DuckDB, pandas and R's arrow hand them over.
 */
#ifndef METALEARNERS_ARROW_H
#define METALEARNERS_ARROW_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- The structures of Arrow's specification --- */

/* https://arrow.apache.org/docs/format/CDataInterface.html; the guards are those that it prescribes, so that other headers
   may define the same structures. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* ---------------------------------------------------------------------------------------- Arrow tables --- */

/**
 * Columns that came by Arrow: a member of mtlr_table, wherever one is taken. Immutable; may be shared between threads.
 *
 * Numbers stay where they are: integers of all widths, single and double precision, without nulls, in one chunk. Nulls,
 * several chunks, bools and half precision are copied once. Dictionaries, texts, large texts and text views are
 * categories, whose levels are the different texts (those of a dictionary in its order, others sorted). Columns of null
 * are missing throughout. A column of any other format (dates, decimals, lists) is MTLR_UNSUPPORTED.
 *
 * Datasets and studies that are made of the columns keep them alive: this object may be freed at once, whether or not a
 * dataset copies (MTLR_DATASET_COPY). Arrow's release functions are called once for each structure, on whichever thread
 * lets go of it last; where a call fails, before it returns.
 * @since 0.9
 */
typedef struct mtlr_arrow_table mtlr_arrow_table;

/**
 * Takes a table out of an array: of a structure (format "+s") each child is a column, any other array is the only column.
 *
 * Both structures are taken over, also where the call fails: their `release` is NULL when it returns.
 *
 * MTLR_INVALID_DATA where what they describe cannot be: a negative length, buffers that are missing or too many, a
 * format that is NULL, text that is not UTF-8, an index beyond its dictionary.
 *
 * @param out     the table; the caller frees it.
 * @param schema  the names and types of the columns. A column without a name is called "x0", "x1", ... by its place.
 * @param array   the numbers. That buffers are as long as they must be is the caller's promise, as everywhere in Arrow.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_arrow_table_create(mtlr_arrow_table **out, struct ArrowSchema *schema,
                                             struct ArrowArray *array, mtlr_error **error);

/**
 * The same of a stream, which is read to its end: its arrays are the chunks of the table. The stream is taken over. What
 * its functions report as an error is MTLR_INPUT_OUTPUT.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_arrow_table_from_stream(mtlr_arrow_table **out, struct ArrowArrayStream *stream,
                                                  mtlr_error **error);

/** How many rows there are. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_arrow_table_rows(const mtlr_arrow_table *table);

/** How many columns there are. 0 for NULL. @since 0.9 */
MTLR_API int64_t mtlr_arrow_table_column_count(const mtlr_arrow_table *table);

/** The name of a column, from 0; NULL where there is none. Lives as long as the table. @since 0.9 */
MTLR_API const char *mtlr_arrow_table_column_name(const mtlr_arrow_table *table, int64_t column);

/** Frees a table. @since 0.9 */
MTLR_API void mtlr_arrow_table_free(mtlr_arrow_table *table);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_ARROW_H */
