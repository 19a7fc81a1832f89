/* Thousands of damaged models and specs, drawn from a seed: each is an error or works, none ends the program. */
#include <math.h>

#include "check.h"
#include "trial.h"

static trial t;
static uint64_t state = 20240607;

static uint64_t draw(uint64_t bound) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

/* Writes the checksum that the format has at its end, so that damage gets past it. */
static void seal(uint8_t *bytes, size_t length) {
    if (length < 8) return;
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t index = 0; index + 8 < length; index++) hash = (hash ^ bytes[index]) * UINT64_C(0x100000001B3);
    for (int index = 0; index < 8; index++) bytes[length - 8 + (size_t)index] = (uint8_t)(hash >> (8 * index));
}

/* Loads the bytes; a model that loads is used in every way. Returns whether it loaded. */
static int use(const uint8_t *bytes, size_t length) {
    mtlr_error *error = NULL;
    mtlr_model *model = (mtlr_model *)&t;
    mtlr_status status = mtlr_model_from_bytes(&model, bytes, (int64_t)length, &error);
    CHECK((status == MTLR_OK) == (model != NULL) && (status == MTLR_OK) == (error == NULL));
    if (status != MTLR_OK) {
        CHECK(status == MTLR_CORRUPT_MODEL || status == MTLR_INCOMPATIBLE_MODEL || status == MTLR_UNSUPPORTED);
        mtlr_error_free(error);
        return 0;
    }
    static double effects[8 * TRIAL_ROWS];
    int64_t arms = mtlr_model_arm_count(model);
    int64_t rows = mtlr_model_training_rows(model);
    char *text = NULL;
    mtlr_average_effect averages[8];
    if (arms >= 2 && arms <= 8) {
        (void)mtlr_model_predict(effects, TRIAL_ROWS * (arms - 1), &text, model, &t.table, NULL, NULL, NULL);
        mtlr_string_free(text);
        mtlr_averaging att = MTLR_AVERAGING_INIT;
        att.estimand = MTLR_ATT;
        (void)mtlr_model_average_effects(averages, arms - 1, model, NULL, NULL, NULL);
        (void)mtlr_model_average_effects(averages, arms - 1, model, &att, NULL, NULL);
        for (int64_t c = -1; c <= mtlr_model_class_count(model); c++) (void)mtlr_model_class_label(model, c);
        if (rows >= 0 && rows <= TRIAL_ROWS) {
            (void)mtlr_model_training_effects(effects, rows * (arms - 1), model, NULL);
        }
    }
    if (mtlr_model_summary(&text, model, NULL) == MTLR_OK) mtlr_string_free(text);
    if (mtlr_model_spec(&text, model, NULL) == MTLR_OK) mtlr_string_free(text);
    uint8_t *again = NULL;
    int64_t again_length = 0;
    if (mtlr_model_to_bytes(&again, &again_length, model, NULL) == MTLR_OK) mtlr_bytes_free(again);
    mtlr_model_free(model);
    return 1;
}

/* Changes a few bytes, or a whole number of 4 or 8 bytes to one that breaks arithmetic. */
static void damage(uint8_t *bytes, size_t length) {
    static const uint64_t awkward[] = {0, 1, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 32,
                                       INT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0x7ff0000000000000),
                                       UINT64_C(0x7ff8000000000000), UINT64_C(0x7fefffffffffffff), UINT64_MAX - 7};
    for (uint64_t times = 1 + draw(3); times > 0; times--) {
        size_t place = (size_t)draw(length);
        switch (draw(4)) {
        case 0: bytes[place] ^= (uint8_t)(1u << draw(8)); break;
        case 1: bytes[place] = (uint8_t)draw(256); break;
        default: {
            uint64_t value = awkward[draw(sizeof awkward / sizeof *awkward)];
            size_t width = draw(2) ? 8 : 4;
            for (size_t index = 0; index < width && place + index < length; index++) {
                bytes[place + index] = (uint8_t)(value >> (8 * index));
            }
        }
        }
    }
}

static void models(const char *spec, int arms, int times) {
    mtlr_error *error = NULL;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    uint8_t *bytes = NULL;
    int64_t length = 0;
    trial_make(&t, arms);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, spec, MTLR_DATASET_COPY, &error));
    SUCCEEDS(mtlr_model_fit(&model, dataset, spec, NULL, &error));
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &length, model, &error));
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    if (!bytes) return;
    size_t size = (size_t)length;
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    if (!copy) return;
    CHECK(use(bytes, size));

    /* Cut short: never loads. Every length near the ends, and some between. */
    for (size_t cut = 0; cut < size; cut += cut < 200 || cut + 50 > size ? 1 : 1 + (size_t)draw(size / 100 + 1)) {
        CHECK(!use(bytes, cut));
    }
    /* Altered without a new checksum: never loads. */
    for (int time = 0; time < times / 10; time++) {
        memcpy(copy, bytes, size);
        copy[draw(size)] ^= (uint8_t)(1u << draw(8));
        CHECK(!use(copy, size));
    }
    /* Altered, cut or grown with a checksum that is right. */
    int loaded = 0;
    for (int time = 0; time < times; time++) {
        memcpy(copy, bytes, size);
        size_t count = size;
        if (draw(8) == 0) {
            count = 8 + (size_t)draw(size - 8);
        } else {
            /* Half of the damage goes where the structure is rather than the numbers. */
            damage(copy, draw(2) ? size : size < 4096 ? size : 4096);
        }
        seal(copy, count);
        loaded += use(copy, count);
    }
    printf("hostile: %d of %d altered models still load\n", loaded, times);
    free(copy);
    mtlr_bytes_free(bytes);
}

static void specs(int times) {
    mtlr_error *error = NULL;
    char *spec = NULL;
    SUCCEEDS(mtlr_spec_resolve(&spec, TRIAL_SPEC, &error));
    if (!spec) return;
    size_t length = strlen(spec);
    char *copy = malloc(length + 64);
    CHECK(copy != NULL);
    if (!copy) return;
    static const char *const pieces[] = {"null", "1e999", "-0", "[]", "{}", "\"\"", "99999999999999999999", "true",
                                         "-1", "0", "0.5", "\"dr\"", "[[[", "\\u0000", "\xed\xa0\x80", "\"w\"",
                                         "1e-320", "9223372036854775807", "9223372036854775808", ","};
    trial_make(&t, 2);
    t.table.rows = 60;
    for (int time = 0; time < times; time++) {
        memcpy(copy, spec, length + 1);
        for (uint64_t change = 1 + draw(2); change > 0; change--) {
            size_t place = (size_t)draw(length);
            if (draw(2)) {
                copy[place] = (char)(1 + draw(255));
            } else {
                const char *piece = pieces[draw(sizeof pieces / sizeof *pieces)];
                size_t count = strlen(piece);
                if (place + count <= length) memcpy(copy + place, piece, count);
            }
        }
        /* Values after a colon are replaced whole, so that many documents stay JSON. */
        char *colon = strchr(copy + draw(length), ':');
        if (colon) {
            size_t end = strcspn(colon, ",}]");
            const char *piece = pieces[draw(12)];
            size_t count = strlen(piece);
            if (count + 2 <= end) {
                memset(colon + 1, ' ', end - 1);
                memcpy(colon + 2, piece, count);
            }
        }
        char *resolved = (char *)&t;
        mtlr_status status = mtlr_spec_resolve(&resolved, copy, &error);
        CHECK((status == MTLR_OK) == (resolved != NULL) && (status == MTLR_OK) == (error == NULL));
        /* Without its backend a model is the default one, which may have nothing like a parameter of the other's. */
        CHECK(status == MTLR_OK || status == MTLR_INVALID_SPEC || status == MTLR_INVALID_ARGUMENT ||
              status == MTLR_UNSUPPORTED);
        mtlr_error_free(error);
        error = NULL;
        if (status == MTLR_OK) mtlr_string_free(resolved);
        mtlr_dataset *dataset = NULL;
        status = mtlr_dataset_create(&dataset, &t.table, copy, MTLR_DATASET_BORROW, NULL);
        CHECK((status == MTLR_OK) == (dataset != NULL));
        if (dataset && time % 20 == 0) {
            mtlr_model *model = NULL;
            status = mtlr_model_fit(&model, dataset, copy, NULL, NULL);
            CHECK((status == MTLR_OK) == (model != NULL));
            mtlr_model_free(model);
        }
        mtlr_dataset_free(dataset);
    }
    free(copy);
    mtlr_string_free(spec);
}

int main(int count, char **arguments) {
    /* A number as argument multiplies the work. */
    int factor = count > 1 ? atoi(arguments[1]) : 1;
    if (factor < 1) factor = 1;
    models(TRIAL_SPEC, 2, 2000 * factor);
    models("{" TRIAL_DATA ", \"learner\": \"x\", " TRIAL_MODELS ", \"prediction\": \"mean\"}", 3, 1000 * factor);
    models("{" TRIAL_DATA ", \"learner\": \"s\", \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 5},"
           " \"effect\": {\"backend\": \"constant\"}}, \"cross_fitting\": {\"folds\": 2}}", 2, 1500 * factor);
    specs(3000 * factor);
    return finish("hostile");
}
