/*
 * metalearners/common.h: versions, status and errors, texts and bytes that the library returns.
 */
#ifndef METALEARNERS_COMMON_H
#define METALEARNERS_COMMON_H

#include <stddef.h>
#include <stdint.h>

/**
 * Stands before every function: it is visible outside the library, which nothing else of it is. On Windows a program
 * imports it from the DLL; who builds the library defines MTLR_BUILDING_LIBRARY, and who links it statically
 * MTLR_STATIC. Define MTLR_API yourself, ahead of the header, for anything else.
 */
#ifndef MTLR_API
#if defined(MTLR_STATIC)
#define MTLR_API
#elif defined(_WIN32) && defined(MTLR_BUILDING_LIBRARY)
#define MTLR_API __declspec(dllexport)
#elif defined(_WIN32)
#define MTLR_API __declspec(dllimport)
#elif defined(__GNUC__)
#define MTLR_API __attribute__((visibility("default")))
#else
#define MTLR_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------- Versions --- */

/** The version of this header. @since 0.9 */
#define MTLR_VERSION_MAJOR 0
#define MTLR_VERSION_MINOR 9
#define MTLR_VERSION_PATCH 0

/** The version of the binary interface that this header describes: major * 1000 + minor. @since 0.9 */
#define MTLR_ABI_VERSION 9

/**
 * The version of the binary interface of the library that is linked, as MTLR_ABI_VERSION counts it.
 *
 * Before 1.0 a program needs a library of exactly the version of its header. From then on it may use one whose major
 * version (the thousands) is that of its header and whose minor version is not lower.
 * @since 0.9
 */
MTLR_API int32_t mtlr_abi_version(void);

/** The version of the library that is linked, such as "0.9.0". Never NULL. @since 0.9 */
MTLR_API const char *mtlr_version(void);

/* ---------------------------------------------------------------------------------- Status and errors --- */

/** The outcome of a call: MTLR_OK or what went wrong. Values are frozen; new ones may be added. @since 0.9 */
typedef int32_t mtlr_status;

/** The call did what it says. @since 0.9 */
#define MTLR_OK ((mtlr_status)0)
/** An argument is unusable: a NULL, a wrong size, a value out of its range. @since 0.9 */
#define MTLR_INVALID_ARGUMENT ((mtlr_status)1)
/** The spec is wrong: no JSON, an unknown key, a value of the wrong type or out of its range. @since 0.9 */
#define MTLR_INVALID_SPEC ((mtlr_status)2)
/** The data cannot be used: missing outcomes, one arm only, a missing column. @since 0.9 */
#define MTLR_INVALID_DATA ((mtlr_status)3)
/** Understood, but beyond this backend, learner or build. @since 0.9 */
#define MTLR_UNSUPPORTED ((mtlr_status)4)
/** A file cannot be read or written. @since 0.9 */
#define MTLR_INPUT_OUTPUT ((mtlr_status)5)
/** A model is damaged: cut short, altered, or no model at all. @since 0.9 */
#define MTLR_CORRUPT_MODEL ((mtlr_status)6)
/** A model was written by a newer version than this one. @since 0.9 */
#define MTLR_INCOMPATIBLE_MODEL ((mtlr_status)7)
/** A computation broke down. @since 0.9 */
#define MTLR_NUMERICAL_FAILURE ((mtlr_status)8)
/** A callback or another thread asked to stop. @since 0.9 */
#define MTLR_CANCELLED ((mtlr_status)9)
/** There is not enough memory. @since 0.9 */
#define MTLR_OUT_OF_MEMORY ((mtlr_status)10)
/** A fault of the library; please report it. @since 0.9 */
#define MTLR_INTERNAL_FAULT ((mtlr_status)11)

/** The name of a status, such as "invalid_spec"; "unknown" for a value that is none. Never NULL. @since 0.9 */
MTLR_API const char *mtlr_status_name(mtlr_status status);

/** What went wrong, where, and what to do about it. Belongs to the caller. @since 0.9 */
typedef struct mtlr_error mtlr_error;

/** The status that the failed call returned; MTLR_OK for NULL. @since 0.9 */
MTLR_API mtlr_status mtlr_error_status(const mtlr_error *error);

/** The whole message in one line: the place, the problem and the remedy. NULL for NULL. @since 0.9 */
MTLR_API const char *mtlr_error_message(const mtlr_error *error);

/** The place: a path in the spec ("models.outcome.trees"), a column, a file. NULL where there is none. @since 0.9 */
MTLR_API const char *mtlr_error_location(const mtlr_error *error);

/** The problem alone, without place and remedy. NULL for NULL. @since 0.9 */
MTLR_API const char *mtlr_error_problem(const mtlr_error *error);

/** What to do about it. NULL where nothing is known to help. @since 0.9 */
MTLR_API const char *mtlr_error_remedy(const mtlr_error *error);

/** Frees an error. @since 0.9 */
MTLR_API void mtlr_error_free(mtlr_error *error);

/* ---------------------------------------------------------------------------------- Strings and bytes --- */

/** Frees a text that the library returned as `char *`. @since 0.9 */
MTLR_API void mtlr_string_free(char *text);

/** Frees bytes that mtlr_model_to_bytes() returned. @since 0.9 */
MTLR_API void mtlr_bytes_free(uint8_t *bytes);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_COMMON_H */
