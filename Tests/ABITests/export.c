/* Models in other languages: what comes out is what the name says, and every misuse is an error. */
#include "fixture.h"

static char *text(const mtlr_model *model, const char *request) {
    uint8_t *bytes = NULL;
    int64_t length = -1;
    SUCCEEDS(mtlr_model_export(&bytes, &length, model, request, &error));
    CHECK(bytes && length > 0);
    char *copy = calloc((size_t)length + 1, 1);
    if (bytes && copy) memcpy(copy, bytes, (size_t)length);
    mtlr_bytes_free(bytes);
    return copy;
}

static void says(const mtlr_model *model, const char *request, const char *expected) {
    char *made = text(model, request);
    CHECK(made && strstr(made, expected));
    free(made);
}

int main(void) {
    trial_make(&t, 3);
    mtlr_dataset *dataset = make_dataset(TRIAL_SPEC, MTLR_DATASET_COPY);
    mtlr_model *model = fit(dataset, TRIAL_SPEC, 1);
    says(model, NULL, "\"nodes\"");
    says(model, "{}", "\"unseen_levels\"");
    says(model, "{\"format\": \"json\", \"what\": [\"effects\", \"propensities\"]}", "\"propensity_low\"");
    says(model, "{\"format\": \"c\", \"name\": \"gain\"}", "double gain(const double *x);");
    says(model, "{\"format\": \"sql\"}", "AS \"cate_");
    says(model, "{\"format\": \"sql\", \"dialect\": \"postgres\", \"table\": \"public.t\"}", "FROM \"public\".\"t\"");
    says(model, "{\"format\": \"c\", \"arm\": \"high\", \"baseline\": \"low\"}", "\"cate_high_vs_low\"");
    uint8_t *bytes = NULL;
    int64_t length = 0;
    SUCCEEDS(mtlr_model_export(&bytes, &length, model, "{\"format\": \"onnx\", \"categories\": \"codes\"}", &error));
    /* The first field of a model of ONNX is its version. */
    CHECK(bytes && length > 100 && bytes[0] == 8);
    mtlr_bytes_free(bytes);

    bytes = (uint8_t *)&t;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_export(NULL, &length, model, NULL, &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_export(&bytes, NULL, model, NULL, &error));
    CHECK(bytes == NULL);
    length = 7;
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_export(&bytes, &length, NULL, NULL, &error));
    CHECK(bytes == NULL && length == 0);
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_export(&bytes, &length, (const mtlr_model *)dataset, NULL, &error));
    CHECK(mtlr_model_export(NULL, NULL, NULL, NULL, NULL) == MTLR_INVALID_ARGUMENT);
    FAILS(MTLR_INVALID_SPEC, mtlr_model_export(&bytes, &length, model, "{", &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_model_export(&bytes, &length, model, "[]", &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "format", mtlr_model_export(&bytes, &length, model, "{\"formt\": \"c\"}", &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "format", mtlr_model_export(&bytes, &length, model, "{\"format\": \"pmml\"}", &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "what", mtlr_model_export(&bytes, &length, model, "{\"what\": []}", &error));
    FAILS_SAYING(MTLR_INVALID_SPEC, "what", mtlr_model_export(&bytes, &length, model, "{\"what\": [1]}", &error));
    FAILS_SAYING(MTLR_UNSUPPORTED, "intervals",
                 mtlr_model_export(&bytes, &length, model, "{\"what\": [\"intervals\"]}", &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "arm", mtlr_model_export(&bytes, &length, model, "{\"arm\": \"none\"}", &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "name",
                 mtlr_model_export(&bytes, &length, model, "{\"format\": \"c\", \"name\": \"a b\"}", &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "table",
                 mtlr_model_export(&bytes, &length, model, "{\"format\": \"sql\", \"table\": \"a\\\"b\"}", &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_model_export(&bytes, &length, model, "\xff", &error));
    CHECK(bytes == NULL && length == 0);

    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return finish("export");
}
