/* lightgbm_parameters.h: LightGBM's parameters, a text that grows, read from a spec. Part of lightgbm_plugin.c. */
#ifndef LIGHTGBM_PARAMETERS_H
#define LIGHTGBM_PARAMETERS_H

#include "lightgbm_library.h"

/* Appends to a text that grows; NULL once there was no memory. */
static char *append(char *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t start = text ? strlen(text) : 0;
    int length = vsnprintf(NULL, 0, format, arguments);
    char *longer = text && length >= 0 ? realloc(text, start + (size_t)length + 1) : NULL;
    if (longer) {
        vsnprintf(longer + start, (size_t)length + 1, format, again);
    } else {
        free(text);
    }
    va_end(again);
    va_end(arguments);
    return longer;
}

static const char *blanks(const char *json) { return json + strspn(json, " \t\n"); }

/* Copies a JSON text or number of at most `capacity` - 1 plain bytes; NULL where it is neither. */
static const char *scalar(const char *json, char *target, size_t capacity) {
    size_t length = 0;
    int quoted = *json == '"';
    for (json += quoted; *json && (quoted ? *json != '"' : !strchr(",}", *json)); json++) {
        if (strchr("\\ =\t\n[]{}\"", *json) || length + 1 >= capacity) return NULL;
        target[length++] = *json;
    }
    target[length] = 0;
    return length > 0 && (!quoted || *json == '"') ? json + quoted : NULL;
}

/* Parameters that the plug-in sets itself: given under `engine` they would be set twice. */
static int is_reserved(const char *name) {
    static const char *const names[] = {
        "objective", "num_class", "num_threads", "seed", "num_iterations", "learning_rate", "num_leaves", "max_depth",
        "min_data_in_leaf", "min_sum_hessian_in_leaf", "min_gain_to_split", "lambda_l1", "lambda_l2", "max_bin",
        "bagging_fraction", "feature_fraction", "cat_smooth", "cat_l2", "deterministic", "boost_from_average",
        "categorical_feature", "verbosity", "device_type", "data", "valid", "input_model", "output_model",
        "early_stopping_round", "boosting"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strcmp(name, names[index]) == 0) return 1;
    }
    return 0;
}

/* Appends the flat JSON object `json`. */
static mtlr_plugin_status append_engine(char **text, const char *json, mtlr_plugin_error *error) {
    char name[128], value[256];
    for (json = blanks(json + 1); *json && *json != '}';) {
        const char *next = scalar(json, name, sizeof name);
        if (!next || *json != '"' || *next != ':' || !(next = scalar(blanks(next + 1), value, sizeof value)))
            return fail(error, MTLR_PLUGIN_INVALID_SPEC,
                        "engine: takes names with one text, number or boolean each, without blanks");
        if (is_reserved(name))
            return fail(error, MTLR_PLUGIN_INVALID_SPEC, "engine.%s: is set by the plug-in itself; leave it out", name);
        *text = append(*text, " %s=%s", name, value);
        json = blanks(next + (*next == ','));
    }
    return MTLR_PLUGIN_OK;
}

static double number(const mtlr_plugin_spec *spec, const char *name) {
    return mtlr_plugin_parameter(spec, name)->number;
}

#endif
