/*
 * metalearners/execution.h: threads, progress, cancellation and the limit of memory.
 */
#ifndef METALEARNERS_EXECUTION_H
#define METALEARNERS_EXECUTION_H

#include "collective.h"
#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Told how far the work is. Returns nonzero to go on and 0 to cancel.
 *
 * Without a `poll` it may be called from any thread, also one of the library's own, but never from two at a time, and never after
 * the function that it was given to has returned. `done` of a stage never goes back. While a call lasts, other threads go
 * on working; a callback that falls far behind is not told every number, but always the first and the last one of a stage.
 * It must return normally: no exception, no longjmp.
 * `stage` lives for the length of the call.
 * @since 0.9
 */
typedef int32_t (*mtlr_progress_callback)(void *payload, const char *stage, int64_t done, int64_t total);

/**
 * Asked whether to go on, on the thread that made the call, while that call works: twenty times a second. Returns 0 to go on
 * and nonzero to cancel: where a language handles Ctrl-C on its own thread alone, this is where it looks for one.
 *
 * It must return normally: no exception, no longjmp.
 * @since 0.9
 */
typedef int32_t (*mtlr_poll_callback)(void *payload);

/** Lets one thread stop the work of another. May be shared between threads. @since 0.9 */
typedef struct mtlr_cancel_token mtlr_cancel_token;

/** Makes a token that nobody has cancelled. Free it once no call uses it any more. @since 0.9 */
MTLR_API mtlr_status mtlr_cancel_token_create(mtlr_cancel_token **out, mtlr_error **error);

/** Asks the calls that were given the token to stop as soon as they can; they return MTLR_CANCELLED. @since 0.9 */
MTLR_API void mtlr_cancel_token_cancel(const mtlr_cancel_token *token);

/** 1 where the token was cancelled, else 0. @since 0.9 */
MTLR_API int32_t mtlr_cancel_token_is_cancelled(const mtlr_cancel_token *token);

/** Frees a token. @since 0.9 */
MTLR_API void mtlr_cancel_token_free(mtlr_cancel_token *token);

/** Base learners by name: see registry.h. @since 0.9 */
typedef struct mtlr_registry mtlr_registry;

/**
 * How a computation is run. Nothing here changes its result: not by a bit. (The registry says only where the base
 * learners are found that the spec names.) Where a function takes one, NULL stands for the defaults. Start from
 * MTLR_EXECUTION_INIT.
 *
 * The structure may grow at its end: bytes that this version does not know must be 0.
 * @since 0.9
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
    /** Handed to `progress` and to `poll`. */
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
    /**
     * Asked on the calling thread while the work goes on; NULL for nobody. With it `progress` is told on the calling thread
     * as well, and the work itself is done on others.
     */
    mtlr_poll_callback poll;
    /**
     * Joins the processes that hold parts of the rows, for mtlr_dataset_create_part(), mtlr_model_fit() and average effects over the
     * rows of training; NULL where one process holds all rows. Borrowed for the call.
     */
    const mtlr_collective *collective;
} mtlr_execution;

/**
 * The defaults: all processors, no progress, no cancellation, the base learners of mtlr_backends(), no limit, no poll, no other
 * processes.
 * @since 0.9
 */
#define MTLR_EXECUTION_INIT {sizeof(mtlr_execution), 0, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL}

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_EXECUTION_H */
