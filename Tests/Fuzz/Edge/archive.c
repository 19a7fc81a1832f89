#include "input.h"
#include "trial.h"

/* One spec for each kind of model: what is in a file depends on learner, backend, outcome and intervals. */
static const char *const specs[FUZZ_MODEL_COUNT] = {
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"intervals\": {\"method\": \"analytic\"}, " TRIAL_LINEAR "}",
    "{" TRIAL_DATA ", \"learner\": \"x\", \"prediction\": \"mean\", " TRIAL_LINEAR "}",
    "{" TRIAL_DATA ", \"learner\": \"s\", \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 3,"
    " \"min_leaf_size\": 3}, \"effect\": {\"backend\": \"constant\"}}, \"cross_fitting\": {\"folds\": 2}}",
    "{" TRIAL_DATA ", \"learner\": \"r\", \"models\": {\"outcome\": {\"backend\": \"lasso\"}, \"effect\": {\"backend\":"
    " \"forest\", \"trees\": 4}}, \"cross_fitting\": {\"folds\": 2}}",
    "{\"data\": {\"treatment\": \"w\", \"outcome\": \"group\"}, \"learner\": \"t\", \"keep_training\": false,"
    " \"models\": {\"outcome\": {\"backend\": \"logistic\"}, \"propensity\": {\"backend\": \"trees\", \"trees\": 2}},"
    " \"cross_fitting\": {\"folds\": 2}}",
    "{" TRIAL_DATA ", \"learner\": \"ensemble\", \"ensemble\": {\"members\": [\"t\", \"r\"]}, " TRIAL_LINEAR "}",
    "{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"elastic_net\"}, \"propensity\":"
    " {\"backend\": \"logistic\", \"calibration\": \"isotonic\"}}, \"cross_fitting\": {\"folds\": 2, \"repeats\": 2}}",
    "{" TRIAL_DATA "}",
};

/* The models in bytes, each made when it is first asked for. */
static struct { uint8_t *bytes; size_t count; } models[FUZZ_MODEL_COUNT];

const uint8_t *fuzz_model(int number, size_t *count) {
    if (!models[number].bytes) {
        static trial t;
        int64_t length = 0;
        trial_make(&t, number == 1 ? 3 : 2);
        mtlr_model *model = trial_fit(&t, specs[number]);
        REQUIRE(mtlr_model_to_bytes(&models[number].bytes, &length, model, NULL) == MTLR_OK);
        models[number].count = (size_t)length;
        mtlr_model_free(model);
    }
    *count = models[number].count;
    return models[number].bytes;
}

/* Writes the checksum that the format has at its end. */
static void seal(uint8_t *bytes, size_t count) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t index = 0; index + 8 < count; index++) hash = (hash ^ bytes[index]) * UINT64_C(0x100000001B3);
    for (size_t index = 0; index < 8; index++) bytes[count - 8 + index] = (uint8_t)(hash >> (8 * index));
}

/* A place in a file: near the beginning, where the structure is, or anywhere. */
static size_t place(fuzz_input *in, size_t count) { return count ? (size_t)fuzz_word(in, 3) % count : 0; }

/* A copy of a valid model with changes: bytes, numbers, pieces taken out, doubled, or put in from another model. */
static uint8_t *changed(fuzz_input *in, size_t *count) {
    size_t base = 0;
    const uint8_t *model = fuzz_model(fuzz_below(in, FUZZ_MODEL_COUNT), &base);
    size_t room = base + (1 << 16), length = base;
    uint8_t *bytes = fuzz_memory(in, room);
    memcpy(bytes, model, base);
    for (int change = 0; change < 16 && fuzz_left(in) > 0; change++) {
        int kind = fuzz_below(in, 6);
        size_t at = place(in, length);
        if (kind < 3) {
            int width = kind == 0 ? 1 : kind == 1 ? 4 : 8;
            uint64_t value = kind == 2 ? (uint64_t)fuzz_awkward(in) : fuzz_word(in, width);
            for (int index = 0; index < width && at < length; index++) bytes[at++] = (uint8_t)(value >> (8 * index));
            continue;
        }
        const uint8_t *source = model;
        size_t source_count = base, piece = (size_t)fuzz_word(in, 2);
        if (kind == 3) {
            if (piece > length - at) piece = length - at;
            memmove(bytes + at, bytes + at + piece, length - at - piece);
            length -= piece;
            continue;
        }
        if (kind == 5) source = fuzz_model(fuzz_below(in, FUZZ_MODEL_COUNT), &source_count);
        size_t from = place(in, source_count);
        if (piece > source_count - from) piece = source_count - from;
        if (piece > room - length) piece = room - length;
        memmove(bytes + at + piece, bytes + at, length - at);
        memcpy(bytes + at, source + from, piece);
        length += piece;
    }
    *count = length;
    return bytes;
}

void fuzz_archive(const uint8_t *bytes, size_t count) {
    static trial t;
    if (!t.table.rows) trial_make(&t, 2);
    fuzz_input in = fuzz_begin(bytes, count);
    uint8_t *file;
    if (count >= 8 && memcmp(bytes, "MTLRCATE", 8) == 0) {
        file = fuzz_memory(&in, count);
        memcpy(file, bytes, count);
    } else {
        file = changed(&in, &count);
    }
    if (count >= 8) seal(file, count);
    mtlr_error *error = NULL;
    mtlr_model *model = NULL;
    mtlr_status status = mtlr_model_from_bytes(&model, file, (int64_t)count, &error);
    if (fuzz_agrees(status, model != NULL, error)) {
        uint8_t *written = NULL;
        int64_t length = 0;
        trial_use(model, &t.table);
        error = NULL;
        REQUIRE(mtlr_model_to_bytes(&written, &length, model, &error) == MTLR_OK);
        mtlr_model_free(model);
        /* What it writes, it reads. */
        REQUIRE(mtlr_model_from_bytes(&model, written, length, &error) == MTLR_OK);
        mtlr_bytes_free(written);
    } else {
        REQUIRE(status == MTLR_CORRUPT_MODEL || status == MTLR_INCOMPATIBLE_MODEL || status == MTLR_UNSUPPORTED);
    }
    mtlr_model_free(model);
    fuzz_end(&in);
}
