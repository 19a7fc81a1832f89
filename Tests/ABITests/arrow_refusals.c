/* Structures of the Arrow C Data Interface that cannot be: each is an error, and is released all the same. */
#include "arrow_producer.h"

#define BAD MTLR_INVALID_ARGUMENT
#define DATA MTLR_INVALID_DATA

static double some[4] = {1, 2, 3, 4};
static const int32_t text_starts[] = {0, 1, 2, 3, 4};

/* A table of a number "x" and a text "k" of four rows, one thing of it changed. */
#define CHANGED(status, change)                                                                                      \
    do {                                                                                                             \
        table made;                                                                                                  \
        begin(&made, 4);                                                                                             \
        add(&made, "x", "g", 0, 2, NULL, some, NULL);                                                                \
        add(&made, "k", "u", 0, 3, NULL, text_starts, "abca");                                                       \
        const int index = add(&made, "d", "i", 0, 2, NULL, text_starts, NULL);                                       \
        add_levels(&made, index, "u", 4, text_starts, "abcd");                                                       \
        change;                                                                                                      \
        mtlr_arrow_table *arrow = (mtlr_arrow_table *)&t;                                                            \
        FAILS(status, import(&arrow, &made, &error));                                                                \
        CHECK(arrow == NULL);                                                                                        \
        all_released();                                                                                              \
    } while (0)

static void refusals(void) {
    CHANGED(DATA, made.schema.format = NULL);
    CHANGED(DATA, made.schema.n_children = -1);
    CHANGED(DATA, made.schema.n_children = INT64_MAX);
    CHANGED(DATA, made.schema.children = NULL);
    CHANGED(DATA, made.column_pointers[1] = NULL);
    CHANGED(DATA, made.array.n_children = 1);
    CHANGED(DATA, made.array.children = NULL);
    CHANGED(DATA, made.child_pointers[0] = NULL);
    CHANGED(DATA, made.array.length = -1);
    CHANGED(DATA, made.array.length = 5);
    CHANGED(DATA, made.array.length = INT64_MAX);
    CHANGED(DATA, made.array.offset = -1);
    CHANGED(DATA, made.array.offset = 1);
    CHANGED(DATA, made.array.offset = INT64_MAX);
    CHANGED(DATA, made.array.null_count = 9);
    CHANGED(DATA, made.array.n_buffers = 0);
    CHANGED(DATA, (made.own[0] = "\x07", made.array.null_count = 1));
    for (int index = 0; index < 3; index++) {
        CHANGED(DATA, made.columns[index].format = NULL);
        CHANGED(DATA, made.columns[index].name = "\xff");
        CHANGED(DATA, made.children[index].length = 3);
        CHANGED(DATA, made.children[index].length = -1);
        CHANGED(DATA, made.children[index].offset = -1);
        CHANGED(DATA, made.children[index].offset = INT64_MAX);
        CHANGED(DATA, made.children[index].null_count = -2);
        CHANGED(DATA, made.children[index].null_count = 5);
        CHANGED(DATA, made.children[index].null_count = 1);
        CHANGED(DATA, made.children[index].n_buffers = 1);
        CHANGED(DATA, made.children[index].n_buffers = -1);
        CHANGED(DATA, made.children[index].n_buffers = 7);
        CHANGED(DATA, made.children[index].buffers = NULL);
        CHANGED(DATA, made.children[index].n_children = -3);
        CHANGED(DATA, made.buffers[index][1] = NULL);
    }
    const char *const unknown[] = {"", "q", "tdD", "d:10,2", "+l", "z", "vz", "gg", "\xff"};
    for (int index = 0; index < 9; index++) CHANGED(MTLR_UNSUPPORTED, made.columns[0].format = unknown[index]);
    CHANGED(DATA, made.columns[1].name = "x");
    CHANGED(DATA, made.buffers[0][1] = (const void *)(UINTPTR_MAX - 7));
    /* Texts that are nowhere, go backwards or are none. */
    static const int32_t backwards[] = {0, 1, 0, 3, 4}, below[] = {-1, 1, 2, 3, 4};
    CHANGED(DATA, made.buffers[1][1] = backwards);
    CHANGED(DATA, made.buffers[1][1] = below);
    CHANGED(DATA, made.buffers[1][2] = NULL);
    CHANGED(DATA, made.buffers[1][2] = "ab\xff"
                                       "c");
    static const uint8_t far_view[4][16] = {{200, 0, 0, 0, 'a', 'b', 'c', 'd', 7}};
    static const int64_t sizes[] = {100};
    CHANGED(DATA, (made.columns[1].format = "vu", made.buffers[1][1] = far_view, made.buffers[1][2] = sizes));
    CHANGED(DATA, (made.columns[1].format = "vu", made.children[1].n_buffers = 4, made.buffers[1][1] = far_view,
                   made.buffers[1][2] = "abc", made.buffers[1][3] = sizes));
    /* Dictionaries. */
    CHANGED(DATA, made.children[2].dictionary = NULL);
    CHANGED(DATA, made.columns[2].format = "g");
    CHANGED(DATA, made.columns[2].format = "u");
    CHANGED(DATA, made.dictionaries[2].length = 3);
    CHANGED(DATA, made.dictionaries[2].length = -1);
    CHANGED(DATA, made.dictionaries[2].n_buffers = 2);
    CHANGED(DATA, made.levels[2].format = NULL);
    CHANGED(MTLR_UNSUPPORTED, made.levels[2].format = "+s");
    CHANGED(MTLR_UNSUPPORTED, made.levels[2].dictionary = made.levels);
    static const int32_t negative[] = {0, -1, 2, 3};
    CHANGED(DATA, made.buffers[2][1] = negative);
    /* Integers that doubles cannot tell apart, beside missing ones. */
    static const int64_t wide[] = {1, (INT64_C(1) << 53) + 1, 3, 4};
    CHANGED(DATA, (made.columns[0].format = "l", made.buffers[0][1] = wide, made.buffers[0][0] = "\x07",
                   made.children[0].null_count = 1));
}

static void misuse(void) {
    table made;
    mtlr_arrow_table *arrow = NULL;
    begin(&made, 0);
    FAILS(BAD, mtlr_arrow_table_create(&arrow, NULL, &made.array, &error));
    CHECK(made.array.release == NULL);
    begin(&made, 0);
    FAILS(BAD, mtlr_arrow_table_create(&arrow, &made.schema, NULL, &error));
    CHECK(made.schema.release == NULL);
    begin(&made, 0);
    FAILS(BAD, mtlr_arrow_table_create(NULL, &made.schema, &made.array, &error));
    FAILS(BAD, mtlr_arrow_table_create(&arrow, &made.schema, &made.array, &error));
    CHECK(made.schema.release == NULL && made.array.release == NULL);
    schemas_made += 2;
    arrays_made += 2;
    all_released();
    mtlr_arrow_table_free(NULL);
    CHECK(mtlr_arrow_table_rows(NULL) == 0 && mtlr_arrow_table_column_count(NULL) == 0);
    CHECK(!mtlr_arrow_table_column_name(NULL, 0));

    /* Other numbers of rows, and the same name twice. */
    begin(&made, 4);
    add(&made, "w", "g", 0, 2, NULL, some, NULL);
    SUCCEEDS(import(&arrow, &made, &error));
    mtlr_table view = beside(arrow);
    FAILS_SAYING(BAD, "4", fit_to(&view, &error));
    mtlr_arrow_table_free(arrow);
    mtlr_arrow_table_free(arrow);
    FAILS(BAD, fit_to(&view, &error));
    view.arrow = (const mtlr_arrow_table *)&t;
    FAILS(BAD, fit_to(&view, &error));
    begin(&made, TRIAL_ROWS);
    add(&made, "w", "g", 0, 2, NULL, t.x0, NULL);
    SUCCEEDS(import(&arrow, &made, &error));
    view = beside(arrow);
    FAILS(DATA, fit_to(&view, &error));
    mtlr_arrow_table_free(arrow);
    /* No rows, no columns. */
    begin(&made, 0);
    SUCCEEDS(import(&arrow, &made, &error));
    CHECK(mtlr_arrow_table_rows(arrow) == 0 && mtlr_arrow_table_column_count(arrow) == 0);
    mtlr_arrow_table_free(arrow);
    all_released();
}

int main(void) {
    trial_make(&t, 2);
    refusals();
    misuse();
    return finish("arrow_refusals");
}
