/*
 * metalearners/export.h: models in other languages.
 */
#ifndef METALEARNERS_EXPORT_H
#define METALEARNERS_EXPORT_H

#include "common.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes what a model predicts of new rows as ONNX, C, SQL, or formulas in JSON, to be computed where the library is not:
 * docs/export.md says what is in them.
 *
 *     mtlr_model_export(&bytes, &length, model, "{\"format\": \"c\", \"name\": \"effect\"}", &error);
 *
 * MTLR_UNSUPPORTED, naming the part, where a model within has no formula (those of plug-ins, XGBoost's linear boosters), for
 * intervals (of either kind) and stability, and for what the language cannot have, such as a NUL in a name. MTLR_INVALID_SPEC for a key or a
 * value that is none. MTLR_INVALID_ARGUMENT for an arm that is none, and for names that the language cannot have.
 *
 * @param bytes    the file; the caller hands it back to mtlr_bytes_free(). Texts are UTF-8 and do not end with NUL.
 * @param length   its length.
 * @param request  JSON: `format` (json, onnx, c, sql), `what` (a list of effects, arm_means, propensities; effects without
 *                 it), `arm`, `baseline`, `scale` (as mtlr_prediction has them), `categories` (onnx: strings, codes), `name`
 *                 (c: the function), `dialect` (sql: duckdb, postgres), `table` (sql). NULL for the formulas of the effects.
 * @since 0.9
 */
MTLR_API mtlr_status mtlr_model_export(uint8_t **bytes, int64_t *length, const mtlr_model *model, const char *request,
                                       mtlr_error **error);

#ifdef __cplusplus
}
#endif

#endif
