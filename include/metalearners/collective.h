/*
 * metalearners/collective.h: fits to rows that several processes hold.
 *
 * Every process makes a dataset of its own rows by mtlr_dataset_create_part() and calls mtlr_model_fit() with the same spec; all
 * get the same model. What joins them, such as MPI, is the caller's: a table of functions.
 */
#ifndef METALEARNERS_COLLECTIVE_H
#define METALEARNERS_COLLECTIVE_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What joins processes that each hold some of the rows: how they add numbers up, and what they tell each other.
 *
 * Every function is called by all processes in the same order, by one thread at a time (not always the one that made the call;
 * MPI wants MPI_THREAD_SERIALIZED), and returns once this process has its result: 0 for success, and anything else where it
 * cannot do its work. The call that it was made for then ends with an error in this process, and `leave` is called once, so that
 * the others do not wait for it. Functions must return normally: no exception, no longjmp.
 *
 * The structure and what `payload` points to must live until the calls that they were given to have returned. The structure may
 * grow at its end: bytes that this version does not know must be 0. Start from MTLR_COLLECTIVE_INIT.
 * @since 0.9
 */
typedef struct mtlr_collective {
    /** sizeof(mtlr_collective). */
    size_t struct_size;
    /** The number of this process, from 0; rows count in the order of ranks. */
    int32_t rank;
    /** How many processes there are. */
    int32_t size;
    /** Handed to every function. */
    void *payload;
    /** Replaces each number by its sum over all processes, modulo 2^64. */
    int32_t (*sum_int64)(void *payload, int64_t *values, int64_t count);
    /** Replaces each number by its sum over all processes, added in any order. */
    int32_t (*sum_double)(void *payload, double *values, int64_t count);
    /** Replaces each number by the largest of all processes. */
    int32_t (*max_int64)(void *payload, int64_t *values, int64_t count);
    /** Replaces the bytes of every process by those of `root`. */
    int32_t (*broadcast)(void *payload, void *bytes, int64_t length, int32_t root);
    /**
     * Puts the bytes of all processes one after another into `all`, in the order of ranks; `lengths` says how many each process
     * has, that of this one being `length`.
     */
    int32_t (*gather)(void *payload, const void *bytes, int64_t length, void *all, const int64_t *lengths);
    /**
     * Says that this process takes part no longer because one of the functions has failed: those of the others should return
     * an error as soon as they can. NULL where the network tells them by itself.
     */
    void (*leave)(void *payload);
} mtlr_collective;

/** No functions yet: rank 0 of 1. @since 0.9 */
#define MTLR_COLLECTIVE_INIT {sizeof(mtlr_collective), 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL}

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_COLLECTIVE_H */
