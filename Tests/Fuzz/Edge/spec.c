#include "input.h"
#include "trial.h"

void fuzz_spec(const uint8_t *bytes, size_t count) {
    static trial t;
    if (!t.table.rows) trial_make(&t, 2);
    fuzz_input in = fuzz_begin(bytes, count);
    const char *spec = fuzz_text(&in, count);
    mtlr_error *error = NULL;
    char *resolved = NULL, *again = NULL;
    if (fuzz_agrees(mtlr_spec_resolve(&resolved, spec, &error), resolved != NULL, error)) {
        error = NULL;
        REQUIRE(mtlr_spec_resolve(&again, resolved, &error) == MTLR_OK);
        REQUIRE(strcmp(resolved, again) == 0);
    }
    error = NULL;
    mtlr_dataset *dataset = NULL;
    mtlr_status status = mtlr_dataset_create(&dataset, &t.table, spec, MTLR_DATASET_BORROW, &error);
    fuzz_agrees(status, dataset != NULL, error);
    error = NULL;
    if (dataset) {
        char *warnings = NULL;
        fuzz_agrees(mtlr_dataset_warnings(&warnings, dataset, &error), warnings != NULL, error);
        mtlr_string_free(warnings);
        for (int64_t arm = 0; arm < mtlr_dataset_arm_count(dataset); arm++) {
            REQUIRE(mtlr_dataset_arm_label(dataset, arm) != NULL);
        }
    }
    mtlr_dataset_free(dataset);
    mtlr_string_free(resolved);
    mtlr_string_free(again);
    fuzz_end(&in);
}
