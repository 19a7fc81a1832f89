/*
 * metalearners/registry.h: specs, base learners, plug-ins and base learners of your own.
 */
#ifndef METALEARNERS_REGISTRY_H
#define METALEARNERS_REGISTRY_H

#include "common.h"
#include "execution.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------------------------- Specs and backends --- */

/**
 * Checks a spec and fills in every default.
 *
 * @param json  the whole spec as JSON; the caller frees it.
 * @param spec  JSON, such as {"learner": "t"}; NULL for the defaults.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_spec_resolve(char **json, const char *spec, mtlr_error **error);

/**
 * The base learners as JSON, that of `metalearners backends --json`: {"backends": [{"name", "summary", "version",
 * "location", "capabilities"}, ...]}; the caller frees it. Those built in, then the plug-ins that the environment
 * variable METALEARNERS_PLUGIN_PATH named when the process first asked for a base learner; "problems" lists those that
 * could not be loaded. @since 0.9
 */
MTLR_API mtlr_status mtlr_backends(char **json, mtlr_error **error);

/* ------------------------------------------------- Registries: plug-ins and base learners of your own --- */

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

/** Makes a registry with the base learners of mtlr_backends(). @since 0.9 */
MTLR_API mtlr_status mtlr_registry_create(mtlr_registry **out, mtlr_error **error);

/**
 * Adds the base learner of the plug-in in a shared library, which is never unloaded.
 *
 * MTLR_INPUT_OUTPUT where there is no such file; MTLR_UNSUPPORTED where it is no plug-in, or one for another version of
 * the plug-in interface; MTLR_INVALID_ARGUMENT where its table is faulty or its name is taken. The same library twice
 * is once.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_registry_load_plugin(mtlr_registry *registry, const char *path, mtlr_error **error);

/**
 * Adds a base learner that the caller implements: the table that a plug-in would return, with `payload` for whatever
 * its functions need to know.
 *
 * With MTLR_PLUGIN_CALLER_THREAD in its `flags` the functions are called on the thread that called the library, where
 * that call has a `poll` in its execution; without one it must use one thread.
 *
 * Otherwise the functions are called on threads of the library too, several at once, while a function that uses the registry runs
 * and when a model is predicted or freed. With MTLR_PLUGIN_SERIAL in its `flags` they are called one at a time, though
 * still on any thread: a lock that they take (Python's, for example) must not be held by whoever called the library.
 * They must not call a function of this library that would call them again.
 *
 * The table is copied, but for its texts, which the library has read when the call returns. `release`, where it is set,
 * is called once with `payload`, when the registry and every model that the base learner fitted are freed; never where
 * this function fails.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_registry_add_callbacks(mtlr_registry *registry, const struct mtlr_plugin_vtable *table,
                                                 mtlr_error **error);

/**
 * The base learners of a registry as JSON, as mtlr_backends() has them, each with "parameters" and with "common", how
 * it follows the parameters that base learners have in common; the caller frees it. @since 0.9
 */
MTLR_API mtlr_status mtlr_registry_backends(char **json, const mtlr_registry *registry, mtlr_error **error);

/** As mtlr_spec_resolve(), with the base learners of a registry. @since 0.9 */
MTLR_API mtlr_status mtlr_registry_resolve_spec(char **json, const mtlr_registry *registry, const char *spec,
                                                mtlr_error **error);

/** As mtlr_model_load(), for models of the base learners of a registry. @since 0.9 */
MTLR_API mtlr_status mtlr_registry_load_model(mtlr_model **out, const mtlr_registry *registry, const char *path,
                                              mtlr_error **error);

/** As mtlr_model_from_bytes(), for models of the base learners of a registry. @since 0.9 */
MTLR_API mtlr_status mtlr_registry_read_model(mtlr_model **out, const mtlr_registry *registry, const uint8_t *bytes,
                                              int64_t length, mtlr_error **error);

/** Frees a registry. Models that were fitted or read with it live on. @since 0.9 */
MTLR_API void mtlr_registry_free(mtlr_registry *registry);

#ifdef __cplusplus
}
#endif

#endif /* METALEARNERS_REGISTRY_H */
