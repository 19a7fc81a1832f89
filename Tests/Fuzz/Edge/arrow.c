#include "input.h"
#include "trial.h"
#include "views.h"

enum { WIDTH = 4 };

static int made, released;

static void release_schema(struct ArrowSchema *schema) {
    REQUIRE(schema->release == release_schema);
    released++;
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    REQUIRE(array->release == release_array);
    released++;
    array->release = NULL;
}

/* A number that no length, offset or count can be, or the right one. */
static int64_t spoilt(fuzz_input *in, int64_t right) {
    if (fuzz_byte(in) < 250) return right;
    const int64_t number = fuzz_awkward(in);
    return number < 0 || number > UINT32_MAX ? number : right;
}

/* Bytes of any value. */
static uint8_t *anything(fuzz_input *in, int64_t size) {
    uint8_t *block = fuzz_memory(in, (size_t)size);
    const int kind = fuzz_byte(in);
    for (int64_t index = 0; index < size; index++) block[index] = kind < 128 ? (uint8_t)(index * kind) : fuzz_byte(in);
    return block;
}

/* Offsets of texts of 0 to 2 bytes, of which some may be negative or go backwards. */
static void *starts(fuzz_input *in, int64_t count, int is_long, int64_t *end) {
    uint8_t *block = fuzz_memory(in, (size_t)(count + 1) * (is_long ? 8 : 4));
    int64_t place = 0;
    for (int64_t index = 0; index <= count; index++) {
        const int kind = fuzz_byte(in);
        int64_t number = kind < 250 ? place : -(int64_t)kind;
        const int32_t narrow = (int32_t)number;
        if (is_long) memcpy(block + 8 * index, &number, 8);
        else memcpy(block + 4 * index, &narrow, 4);
        if (index < count) place += kind % 3;
    }
    *end = place;
    return block;
}

static const char *const names[] = {"x0", "x1", "group", "w", "y"};
static const char *const formats[] = {"g", "f", "l", "L", "i", "I", "s", "S", "c", "C", "e", "b", "n", "u", "U", "vu"};
static const int64_t sizes[] = {8, 8, 8, 8, 4, 4, 2, 2, 1, 1, 2};

/* An array of `count` values in memory that is just as large, and its schema. */
static void fill(fuzz_input *in, struct ArrowSchema *schema, struct ArrowArray *array, int64_t count, int depth) {
    const int kind = fuzz_below(in, 16), other = fuzz_byte(in);
    const void **buffers = fuzz_memory(in, 8 * sizeof *buffers);
    const int64_t offset = fuzz_below(in, 3), all = count + offset;
    *schema = (struct ArrowSchema){other < 250 ? formats[kind] : fuzz_name(in, formats, 16), NULL, NULL, 0, 0, NULL, NULL, NULL, NULL};
    *array = (struct ArrowArray){spoilt(in, count), 0, spoilt(in, offset), 2, 0, buffers, NULL, NULL, NULL, NULL};
    if (schema->format && strcmp(schema->format, formats[kind])) schema->format = "?";
    if (fuzz_below(in, 2)) {
        buffers[0] = anything(in, (all + 7) / 8);
        array->null_count = -1;
    }
    int64_t end = 0;
    switch (kind) {
    case 11: buffers[1] = anything(in, (all + 7) / 8); break;
    case 12: array->n_buffers = 0; break;
    case 13:
    case 14:
        buffers[1] = starts(in, all, kind == 14, &end);
        buffers[2] = anything(in, end);
        array->n_buffers = 3;
        break;
    case 15: {
        int64_t *lengths = fuzz_memory(in, 8);
        lengths[0] = fuzz_below(in, 40);
        buffers[1] = anything(in, 16 * all);
        buffers[2] = anything(in, lengths[0]);
        buffers[3] = lengths;
        array->n_buffers = 4;
        break;
    }
    default: buffers[1] = anything(in, sizes[kind] * all);
    }
    if (kind > 1 && kind < 10 && depth && fuzz_below(in, 2)) {
        schema->dictionary = fuzz_memory(in, sizeof *schema);
        array->dictionary = fuzz_memory(in, sizeof *array);
        fill(in, schema->dictionary, array->dictionary, fuzz_below(in, 8), depth - 1);
        if (fuzz_byte(in) == 255) array->dictionary = NULL;
    }
    switch (fuzz_byte(in)) {
    case 255: array->n_buffers = kind == 15 ? -1 : fuzz_awkward(in) | 8; break;
    case 254: array->buffers = NULL; break;
    case 253: buffers[1] = NULL; break;
    case 252: array->n_children = -1; break;
    case 251: array->null_count = spoilt(in, 0); break;
    default: break;
    }
}

void fuzz_arrow(const uint8_t *bytes, size_t count) {
    static trial t;
    static mtlr_model *model;
    if (!model) {
        trial_make(&t, 2);
        model = trial_fit(&t, TRIAL_SPEC);
    }
    fuzz_input in = fuzz_begin(bytes, count);
    const int64_t rows = fuzz_below(&in, 41);
    const int columns = fuzz_below(&in, WIDTH + 1);
    struct ArrowSchema schema = {"+s", "", NULL, 0, spoilt(&in, columns), NULL, NULL, release_schema, NULL};
    struct ArrowArray array = {spoilt(&in, rows), 0, 0, 1, columns, NULL, NULL, NULL, release_array, NULL};
    const void *own[1] = {NULL};
    array.buffers = own;
    schema.children = fuzz_memory(&in, WIDTH * sizeof *schema.children);
    array.children = fuzz_memory(&in, WIDTH * sizeof *array.children);
    for (int index = 0; index < columns; index++) {
        schema.children[index] = fuzz_memory(&in, sizeof schema);
        array.children[index] = fuzz_memory(&in, sizeof array);
        fill(&in, schema.children[index], array.children[index], rows, 2);
        schema.children[index]->name = fuzz_name(&in, names, 5);
        if (fuzz_byte(&in) == 255) schema.children[index] = NULL;
        if (fuzz_byte(&in) == 255) array.children[index] = NULL;
    }
    made += 2;
    mtlr_error *error = NULL;
    mtlr_arrow_table *arrow = NULL;
    const mtlr_status status = mtlr_arrow_table_create(&arrow, &schema, &array, &error);
    REQUIRE(!schema.release && !array.release);
    if (fuzz_agrees(status, arrow != NULL, error)) {
        REQUIRE(mtlr_arrow_table_rows(arrow) == rows && mtlr_arrow_table_column_count(arrow) == columns);
        mtlr_table table = t.table;
        table.rows = rows;
        table.column_count = fuzz_below(&in, 2) ? table.column_count : 0;
        table.arrow = arrow;
        fuzz_use_table(&in, &table, TRIAL_SPEC, model);
    }
    mtlr_arrow_table_free(arrow);
    REQUIRE(made == released);
    fuzz_end(&in);
}
