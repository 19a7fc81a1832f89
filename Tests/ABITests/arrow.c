/* Tables of the Arrow C Data Interface: every type, chunks, nulls, dictionaries; each structure is released once. */
#include <math.h>

#include "arrow_producer.h"

#define BAD MTLR_INVALID_ARGUMENT
#define DATA MTLR_INVALID_DATA

/* Numbers of any type give the effects that doubles of the same values give. */
static void numbers(void) {
    static double doubles[TRIAL_ROWS];
    static float floats[TRIAL_ROWS];
    static int64_t longs[TRIAL_ROWS];
    static uint64_t unsigned_longs[TRIAL_ROWS];
    static int32_t ints[TRIAL_ROWS];
    static uint32_t unsigned_ints[TRIAL_ROWS];
    static int16_t shorts[TRIAL_ROWS];
    static uint16_t unsigned_shorts[TRIAL_ROWS], halves[TRIAL_ROWS];
    static int8_t chars[TRIAL_ROWS];
    static uint8_t bytes[TRIAL_ROWS], bits[TRIAL_ROWS / 8 + 1], validity[TRIAL_ROWS / 8 + 1];
    static const uint16_t half_of[] = {0, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700};
    for (int row = 0; row < TRIAL_ROWS; row++) {
        const int value = (int)(8 * t.x1[row]);
        doubles[row] = value;
        floats[row] = (float)value;
        longs[row] = ints[row] = value;
        unsigned_longs[row] = unsigned_ints[row] = (uint32_t)value;
        shorts[row] = (int16_t)value;
        unsigned_shorts[row] = (uint16_t)value;
        chars[row] = (int8_t)value;
        bytes[row] = (uint8_t)value;
        halves[row] = half_of[value];
        if (value > 3) bits[row / 8] |= (uint8_t)(1 << row % 8);
        if (value != 5) validity[row / 8] |= (uint8_t)(1 << row % 8);
    }
    const struct {
        const char *format;
        const void *data;
    } all[] = {{"g", doubles},       {"f", floats}, {"l", longs}, {"L", unsigned_longs}, {"i", ints}, {"I", unsigned_ints},
               {"s", shorts},        {"S", unsigned_shorts}, {"c", chars}, {"C", bytes}, {"e", halves}};
    static double expected[2][TRIAL_ROWS];
    for (int nulls = 0; nulls < 2; nulls++) {
        for (int index = 0; index < (int)(sizeof all / sizeof *all); index++) {
            table made;
            begin(&made, TRIAL_ROWS);
            add(&made, "x", all[index].format, nulls ? -1 : 0, 2, validity, all[index].data, NULL);
            mtlr_arrow_table *arrow = NULL;
            SUCCEEDS(import(&arrow, &made, &error));
            CHECK(mtlr_arrow_table_rows(arrow) == TRIAL_ROWS && mtlr_arrow_table_column_count(arrow) == 1);
            CHECK(strcmp(mtlr_arrow_table_column_name(arrow, 0), "x") == 0 && !mtlr_arrow_table_column_name(arrow, 1));
            const mtlr_table view = beside(arrow);
            SUCCEEDS(fit_to(&view, &error));
            if (!index) memcpy(expected[nulls], effects, sizeof effects);
            CHECK(memcmp(effects, expected[nulls], sizeof effects) == 0);
            mtlr_arrow_table_free(arrow);
            all_released();
        }
    }
    CHECK(memcmp(expected[0], expected[1], sizeof effects) != 0);

    /* Bools are 0 and 1, and a column of its own is one without a structure. */
    mtlr_column column = {"x", bytes, 0, NULL, 0, MTLR_UINT8, 0};
    for (int row = 0; row < TRIAL_ROWS; row++) bytes[row] = bytes[row] > 3;
    mtlr_column columns[] = {column, t.columns[3], t.columns[4]};
    expect_of_columns(columns, 3, expected[0]);
    table made;
    begin(&made, TRIAL_ROWS);
    add(&made, "x", "b", 0, 2, NULL, bits, NULL);
    made.columns[0].release = release_schema;
    made.children[0].release = release_array;
    mtlr_arrow_table *arrow = NULL;
    schemas_made++;
    arrays_made++;
    SUCCEEDS(mtlr_arrow_table_create(&arrow, made.columns, made.children, &error));
    const mtlr_table view = beside(arrow);
    SUCCEEDS(fit_to(&view, &error));
    CHECK(memcmp(effects, expected[0], sizeof effects) == 0);
    mtlr_arrow_table_free(arrow);
    all_released();
}

/* Dictionaries, texts, large texts and views are the same category; offsets and chunks change nothing. */
static void categories(void) {
    mtlr_column columns[] = {t.columns[2], t.columns[3], t.columns[4]};
    static double expected[TRIAL_ROWS];
    expect_of_columns(columns, 3, expected);

    /* Two rows that nobody asks for come first. */
    enum { ALL = TRIAL_ROWS + 2 };
    static int32_t starts[ALL + 1];
    static int64_t large_starts[ALL + 1];
    static char letters[ALL];
    static uint8_t codes[ALL], views[ALL][16];
    static const int32_t level_starts[] = {0, 1, 2, 3};
    static const int64_t sizes[] = {0};
    for (int row = 0; row < ALL; row++) {
        codes[row] = (uint8_t)(row < 2 ? 0 : t.group[row - 2]);
        letters[row] = (char)('a' + codes[row]);
        starts[row + 1] = row + 1;
        large_starts[row + 1] = row + 1;
        views[row][0] = 1;
        views[row][4] = (uint8_t)letters[row];
    }
    for (int kind = 0; kind < 4; kind++) {
        for (int above = 0; above < 2; above++) {
            table made;
            begin(&made, TRIAL_ROWS);
            const char *const formats[] = {"C", "u", "U", "vu"};
            const void *const data[] = {codes, starts, large_starts, views};
            const int64_t counts[] = {2, 3, 3, 3};
            const int index = add(&made, "group", formats[kind], 0, counts[kind], NULL, data[kind], kind == 3 ? (const void *)sizes : letters);
            if (kind == 0) add_levels(&made, index, "u", 3, level_starts, "abc");
            /* The offset is that of the structure or of the column. */
            made.array.offset = above ? 2 : 0;
            made.children[index].offset = above ? 0 : 2;
            made.children[index].length = above ? ALL : TRIAL_ROWS;
            mtlr_arrow_table *arrow = NULL;
            SUCCEEDS(import(&arrow, &made, &error));
            const mtlr_table view = beside(arrow);
            SUCCEEDS(fit_to(&view, &error));
            CHECK(memcmp(effects, expected, sizeof effects) == 0);
            mtlr_arrow_table_free(arrow);
            all_released();
        }
    }
}

/* ---------------------------------------------------------------------------------------------- Streams --- */

static int streams_released;

typedef struct stream {
    table chunks[3];
    int next, count, fails_at;
    struct ArrowArrayStream stream;
} stream;

static int get_schema(struct ArrowArrayStream *from, struct ArrowSchema *out) {
    stream *own = from->private_data;
    if (own->fails_at == -1) return 5;
    *out = own->chunks[0].schema;
    schemas_made++;
    return 0;
}

static int get_next(struct ArrowArrayStream *from, struct ArrowArray *out) {
    stream *own = from->private_data;
    if (own->next == own->fails_at) return 5;
    memset(out, 0, sizeof *out);
    if (own->next == own->count) return 0;
    *out = own->chunks[own->next++].array;
    arrays_made++;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *from) {
    stream *own = from->private_data;
    return own->fails_at ? "the disk is gone" : NULL;
}

static void release_stream(struct ArrowArrayStream *from) {
    streams_released++;
    from->release = NULL;
}

/* x0 and group of the trial in three chunks, the middle one empty; the dictionaries differ. */
static void make_stream(stream *made) {
    static const int32_t starts[] = {0, 1, 2, 3};
    static int8_t codes[TRIAL_ROWS];
    memset(made, 0, sizeof *made);
    made->fails_at = -2;
    made->count = 3;
    const int firsts[] = {0, 100, 100}, rows[] = {100, 0, TRIAL_ROWS - 100};
    for (int chunk = 0; chunk < 3; chunk++) {
        table *own = made->chunks + chunk;
        begin(own, rows[chunk]);
        add(own, "x0", "g", 0, 2, NULL, t.x0 + firsts[chunk], NULL);
        const int index = add(own, "group", "c", 0, 2, NULL, codes + firsts[chunk], NULL);
        add_levels(own, index, "u", 3, starts, chunk ? "cba" : "abc");
    }
    for (int row = 0; row < TRIAL_ROWS; row++) codes[row] = (int8_t)(row < 100 ? t.group[row] : 2 - t.group[row]);
    made->stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, made};
}

static void streams(void) {
    mtlr_column columns[] = {t.columns[0], t.columns[2], t.columns[3], t.columns[4]};
    static double expected[TRIAL_ROWS];
    expect_of_columns(columns, 4, expected);

    stream made;
    make_stream(&made);
    mtlr_arrow_table *arrow = NULL;
    SUCCEEDS(mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
    CHECK(made.stream.release == NULL && streams_released == 1);
    CHECK(mtlr_arrow_table_rows(arrow) == TRIAL_ROWS && mtlr_arrow_table_column_count(arrow) == 2);
    mtlr_table view = beside(arrow);
    SUCCEEDS(fit_to(&view, &error));
    CHECK(memcmp(effects, expected, sizeof effects) == 0);
    /* A dataset needs the table no more. */
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create(&dataset, &view, SPEC, MTLR_DATASET_BORROW, &error));
    mtlr_arrow_table_free(arrow);
    FAILS(BAD, fit_to(&view, &error));
    mtlr_model *model = fit(dataset, SPEC, 1);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    all_released();

    /* Errors of the stream are those of the call, and everything is released. */
    for (int fails_at = -1; fails_at < 3; fails_at++) {
        make_stream(&made);
        made.fails_at = fails_at;
        if (fails_at) {
            FAILS_SAYING(MTLR_INPUT_OUTPUT, "the disk is gone", mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
        } else {
            FAILS_SAYING(MTLR_INPUT_OUTPUT, "5", mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
        }
        CHECK(arrow == NULL && made.stream.release == NULL && streams_released == fails_at + 3);
        all_released();
    }
    FAILS(BAD, mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
    FAILS(BAD, mtlr_arrow_table_from_stream(&arrow, NULL, &error));
    make_stream(&made);
    FAILS(BAD, mtlr_arrow_table_from_stream(NULL, &made.stream, &error));
    CHECK(made.stream.release == NULL);
    make_stream(&made);
    made.stream.get_next = NULL;
    FAILS(DATA, mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
    make_stream(&made);
    made.stream.get_last_error = NULL;
    made.fails_at = 1;
    FAILS(MTLR_INPUT_OUTPUT, mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
    /* A chunk that is of another kind than the schema. */
    make_stream(&made);
    made.chunks[2].array.n_children = 1;
    FAILS(DATA, mtlr_arrow_table_from_stream(&arrow, &made.stream, &error));
    all_released();
    CHECK(streams_released == 9);
}

/* Bits of validity for columns of numbers and of codes: see mtlr_table. */
static void validity(void) {
    static uint8_t bits[TRIAL_ROWS / 8 + 1];
    static int16_t numbers[TRIAL_ROWS];
    static double doubles[TRIAL_ROWS], expected[TRIAL_ROWS];
    static int32_t codes[TRIAL_ROWS];
    static uint8_t unsigned_codes[TRIAL_ROWS];
    for (int row = 0; row < TRIAL_ROWS; row++) {
        const int there = row % 7 != 2;
        if (there) bits[row / 8] |= (uint8_t)(1 << row % 8);
        numbers[row] = (int16_t)(100 * t.x0[row]);
        doubles[row] = there ? numbers[row] : NAN;
        codes[row] = there ? t.group[row] : -1;
        unsigned_codes[row] = (uint8_t)t.group[row];
    }
    mtlr_column columns[] = {t.columns[0], t.columns[2], t.columns[3], t.columns[4]};
    columns[0].data = doubles;
    columns[1].data = codes;
    mtlr_table view = MTLR_TABLE_INIT;
    view.rows = TRIAL_ROWS;
    view.columns = columns;
    view.column_count = 4;
    SUCCEEDS(fit_to(&view, &error));
    memcpy(expected, effects, sizeof effects);
    columns[0].data = numbers;
    columns[0].dtype = MTLR_INT16;
    columns[1].data = unsigned_codes;
    columns[1].dtype = MTLR_UINT8;
    const uint8_t *const all[] = {bits, bits, NULL, NULL};
    view.validity = all;
    SUCCEEDS(fit_to(&view, &error));
    CHECK(memcmp(effects, expected, sizeof effects) == 0);
    /* A treatment or an outcome that is missing is an error, whatever its type. */
    const uint8_t *const arms[] = {NULL, NULL, bits, NULL};
    view.validity = arms;
    FAILS_SAYING(DATA, "missing", fit_to(&view, &error));
}

int main(void) {
    trial_make(&t, 2);
    numbers();
    categories();
    streams();
    validity();
    return finish("arrow");
}
