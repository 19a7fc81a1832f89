/* lightgbm_library.h: LightGBM's library, found at run time, and errors that quote it. Part of lightgbm_plugin.c. */
#ifndef LIGHTGBM_LIBRARY_H
#define LIGHTGBM_LIBRARY_H

#include <dlfcn.h>
#include <glob.h>
#include <metalearners_plugin.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT32 = 0, FLOAT64 = 1 };
enum { PREDICT_NORMAL = 0, PREDICT_CONTRIBUTIONS = 3 };

typedef void *handle;

/* The functions of LightGBM's c_api.h that are used here. */
static struct {
    const char *(*last_error)(void);
    int (*register_log)(void (*)(const char *));
    int (*dataset_create)(const void *, int, int32_t, int32_t, int, const char *, handle, handle *);
    int (*dataset_set)(handle, const char *, const void *, int, int);
    int (*dataset_free)(handle);
    int (*booster_create)(handle, const char *, handle *);
    int (*booster_free)(handle);
    int (*update)(handle, int *);
    int (*update_custom)(handle, const float *, const float *, int *);
    int (*scores)(handle, int, int64_t *, double *);
    int (*save)(handle, int, int, int, int64_t, int64_t *, char *);
    int (*load)(const char *, int *, handle *);
    int (*feature_count)(handle, int *);
    int (*classes)(handle, int *);
    int (*predict)(handle, const void *, int, int32_t, int32_t, int, int, int, int, const char *, int64_t *, double *);
    int (*importance)(handle, int, int, double *);
} lgbm;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[512] = ""; /* why LightGBM cannot be used; empty where it can */

static void *open_library(void) {
    const char *path = getenv("METALEARNERS_LIGHTGBM");
    if (path && *path) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *environment = getenv("VIRTUAL_ENV");
    if (environment && *environment) {
        char pattern[4096];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/lib/python3*/site-packages/lightgbm/lib/lib_lightgbm.so", environment);
        void *library = NULL;
        if (glob(pattern, 0, NULL, &found) == 0) {
            library = dlopen(found.gl_pathv[0], RTLD_NOW | RTLD_LOCAL);
            globfree(&found);
        }
        if (library) return library;
    }
    return dlopen("lib_lightgbm.so", RTLD_NOW | RTLD_LOCAL);
}

/* The name of a parameter that LightGBM does not know, noticed while it reads the parameters of this thread. */
static __thread char unknown[128];

static void listen(const char *message) {
    const char *key = "Unknown parameter: ", *place = strstr(message, key);
    if (place && !*unknown) snprintf(unknown, sizeof unknown, "%s", place + strlen(key));
}

static void find_library(void) {
    void *library = open_library();
    if (!library) {
        snprintf(problem, sizeof problem,
                 "LightGBM is not found (%.200s); install it ('pip install lightgbm') and set METALEARNERS_LIGHTGBM to"
                 " the path of its lib_lightgbm.so",
                 dlerror());
        return;
    }
    const struct {
        const char *name;
        void *target;
    } functions[] = {
        {"LGBM_GetLastError", &lgbm.last_error},
        {"LGBM_RegisterLogCallback", &lgbm.register_log},
        {"LGBM_DatasetCreateFromMat", &lgbm.dataset_create},
        {"LGBM_DatasetSetField", &lgbm.dataset_set},
        {"LGBM_DatasetFree", &lgbm.dataset_free},
        {"LGBM_BoosterCreate", &lgbm.booster_create},
        {"LGBM_BoosterFree", &lgbm.booster_free},
        {"LGBM_BoosterUpdateOneIter", &lgbm.update},
        {"LGBM_BoosterUpdateOneIterCustom", &lgbm.update_custom},
        {"LGBM_BoosterGetPredict", &lgbm.scores},
        {"LGBM_BoosterSaveModelToString", &lgbm.save},
        {"LGBM_BoosterLoadModelFromString", &lgbm.load},
        {"LGBM_BoosterGetNumFeature", &lgbm.feature_count},
        {"LGBM_BoosterGetNumClasses", &lgbm.classes},
        {"LGBM_BoosterPredictForMat", &lgbm.predict},
        {"LGBM_BoosterFeatureImportance", &lgbm.importance},
    };
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        void *function = dlsym(library, functions[index].name);
        if (!function) {
            snprintf(problem, sizeof problem, "the LightGBM that was found has no function %s; it must be 3.3 or newer",
                     functions[index].name);
            return;
        }
        memcpy(functions[index].target, &function, sizeof function);
    }
}

static mtlr_plugin_status fail(mtlr_plugin_error *error, mtlr_plugin_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, error->capacity, format, arguments);
    va_end(arguments);
    return status;
}

/* An error that quotes LightGBM. */
static mtlr_plugin_status engine_failure(mtlr_plugin_error *error, mtlr_plugin_status status, const char *action) {
    return fail(error, status, "LightGBM could not %s: %s", action, lgbm.last_error());
}

#endif
