#include "input.h"
#include "trial.h"
#include "views.h"

static const int64_t sizes[] = {8, 8, 4, 8, 4, 2, 1, 1, 2, 4, 8};

static int64_t size_of(mtlr_dtype dtype) { return dtype > 0 && dtype < 11 ? sizes[dtype] : 8; }

static mtlr_dtype dtype(fuzz_input *in) {
    int kind = fuzz_byte(in);
    if (kind >= 250 && kind < 253) return MTLR_UINT16 + kind - 250;
    return kind < 250 ? 1 + kind % 7 : (mtlr_dtype)fuzz_awkward(in);
}

/* A number of rows: a few, or one that is refused before anything is read. */
static int64_t rows_of(fuzz_input *in) {
    int kind = fuzz_byte(in);
    if (kind < 250) return kind % 40;
    int64_t rows = fuzz_awkward(in);
    return rows < 0 || rows > INT32_MAX ? rows : 1;
}

/* A stride that the library must refuse, one of a few bytes, or the usual ones. */
static int64_t stride(fuzz_input *in, int64_t usual) {
    int kind = fuzz_byte(in);
    if (kind < 100) return 0;
    if (kind < 200) return usual * (kind % 5 - 2);
    if (kind < 250) return (int8_t)fuzz_byte(in);
    int64_t awkward = fuzz_awkward(in);
    return awkward >= INT64_C(1) << 56 || awkward <= -(INT64_C(1) << 56) ? awkward : 1;
}

static int is_refused(int64_t stride) { return stride >= INT64_C(1) << 56 || stride <= -(INT64_C(1) << 56); }

/* Writes numbers of a type, most of them small: codes, arms, outcomes. */
static void fill(fuzz_input *in, uint8_t *bytes, size_t count, mtlr_dtype dtype) {
    size_t size = (size_t)size_of(dtype);
    int kind = fuzz_below(in, 4), bound = 1 + fuzz_below(in, 8), shift = fuzz_byte(in);
    for (size_t place = 0; place + size <= count; place += size) {
        if (kind == 0) {
            for (size_t index = 0; index < size; index++) bytes[place + index] = fuzz_byte(in);
            continue;
        }
        size_t row = place / size;
        int64_t integer = (int64_t)((row * 7 + (size_t)shift) % (size_t)bound) - (kind == 3);
        double number = (double)integer;
        float small = (float)integer;
        switch (dtype) {
        case MTLR_FLOAT64: memcpy(bytes + place, &number, 8); break;
        case MTLR_FLOAT32: memcpy(bytes + place, &small, 4); break;
        /* The bytes of little-endian integers are those of their first bytes. */
        default: memcpy(bytes + place, &integer, size);
        }
    }
    /* And a few that are anything. */
    for (int times = fuzz_below(in, 4); times > 0 && count >= size; times--) {
        static const double odd[] = {0.0 / 1, 1e308, -1e308, 1e-320, 0.5, 3, 1e154, 2147483648.0};
        size_t place = (size_t)fuzz_byte(in) % (count / size) * size;
        double number = odd[fuzz_below(in, 8)];
        int64_t integer = fuzz_awkward(in);
        int choice = fuzz_below(in, 4);
        uint64_t bits = choice == 1 ? UINT64_C(0x7FF8000000000000) : UINT64_C(0x7FF0000000000000);
        if (choice == 0 && size == 8) memcpy(bytes + place, &number, 8);
        else if (choice < 3 && dtype == MTLR_FLOAT64) memcpy(bytes + place, &bits, 8);
        else memcpy(bytes + place, &integer, size);
    }
}

static const char *const *levels(fuzz_input *in, int64_t *count) {
    static const char *const labels[] = {"a", "b", "c", "none", "low", "high", "0", "1"};
    int kind = fuzz_byte(in);
    *count = 0;
    if (kind < 128) return NULL;
    int actual = kind % 6;
    const char **texts = fuzz_memory(in, (size_t)actual * sizeof *texts);
    for (int index = 0; index < actual; index++) {
        int own = fuzz_byte(in);
        texts[index] = own < 200 ? labels[(index + own) % 8] : fuzz_name(in, labels, 8);
    }
    *count = actual;
    if (kind > 250) {
        int64_t awkward = fuzz_awkward(in);
        if (awkward < 0 || awkward > INT32_MAX) *count = awkward;
    }
    return texts;
}

/* Memory for rows so many bytes apart, and the address of the first. */
static const void *numbers(fuzz_input *in, int64_t rows, int64_t step, mtlr_dtype dtype) {
    int64_t size = size_of(dtype);
    int64_t span = rows > 1 && !is_refused(step) ? step * (rows - 1) : 0;
    int64_t length = (span < 0 ? -span : span) + size;
    if (rows <= 0) return fuzz_below(in, 2) ? NULL : fuzz_memory(in, 0);
    uint8_t *block = fuzz_memory(in, (size_t)length);
    fill(in, block, (size_t)length, dtype);
    return span < 0 ? block - span : block;
}

mtlr_column fuzz_column(fuzz_input *in, int position, int64_t rows) {
    mtlr_column column = {NULL, NULL, 0, NULL, 0, 0, 0};
    int kind = fuzz_byte(in);
    column.name = kind < 200 ? trial_names[position % 5] : fuzz_name(in, trial_names, 5);
    column.dtype = dtype(in);
    column.stride = stride(in, size_of(column.dtype));
    column.levels = levels(in, &column.level_count);
    int64_t few = rows > 0 && rows < 64 ? rows : 0;
    column.data = numbers(in, few, column.stride ? column.stride : size_of(column.dtype), column.dtype);
    if (kind == 199) column.data = NULL;
    if (kind == 198) column.reserved = (int32_t)fuzz_awkward(in);
    if (kind == 197 && !column.levels) column.level_count = fuzz_awkward(in);
    return column;
}

/* A matrix of a few columns, by rows, by columns, backwards or with gaps. */
static mtlr_matrix matrix_of(fuzz_input *in, int64_t rows) {
    mtlr_matrix matrix = {NULL, rows, fuzz_below(in, 6), 0, 0, dtype(in), 0};
    int64_t size = size_of(matrix.dtype), few = rows > 0 && rows < 64 ? rows : 0;
    int kind = fuzz_byte(in);
    if (kind >= 128) {
        matrix.column_stride = stride(in, kind < 192 ? size : size * few);
        matrix.row_stride = stride(in, kind < 192 ? size * matrix.columns : size);
    }
    int64_t step = matrix.column_stride ? matrix.column_stride : size;
    int64_t row_step = matrix.row_stride ? matrix.row_stride : size * matrix.columns;
    int64_t across = matrix.columns > 1 && !is_refused(step) ? step * (matrix.columns - 1) : 0;
    int64_t down = few > 1 && !is_refused(row_step) ? row_step * (few - 1) : 0;
    int64_t low = (across < 0 ? across : 0) + (down < 0 ? down : 0);
    int64_t high = (across > 0 ? across : 0) + (down > 0 ? down : 0) + size;
    uint8_t *block = fuzz_memory(in, (size_t)(high - low));
    fill(in, block, (size_t)(high - low), matrix.dtype);
    matrix.data = block - low;
    if (few == 0 && kind % 2) matrix.data = NULL;
    if (kind == 127) matrix.rows = fuzz_awkward(in);
    if (kind == 126) {
        int64_t awkward = fuzz_awkward(in);
        if (awkward < 0 || awkward > INT64_C(1) << 20) matrix.columns = awkward;
    }
    if (kind == 125) matrix.data = NULL;
    if (kind == 124) matrix.reserved = 1;
    return matrix;
}

const mtlr_table *fuzz_table(fuzz_input *in, int64_t rows) {
    mtlr_table table = MTLR_TABLE_INIT;
    int kind = fuzz_byte(in);
    table.rows = rows;
    if (kind % 3 == 1) {
        mtlr_matrix matrix = matrix_of(in, rows);
        int64_t named = matrix.columns > 0 && matrix.columns < 8 ? matrix.columns : 0;
        mtlr_matrix *place = fuzz_memory(in, sizeof matrix);
        memcpy(place, &matrix, sizeof matrix);
        table.matrix = place;
        if (fuzz_below(in, 2)) {
            const char **names = fuzz_memory(in, (size_t)named * sizeof *names);
            for (int64_t index = 0; index < named; index++) {
                int own = fuzz_byte(in);
                names[index] = own < 128 ? trial_names[(index + own) % 5] : fuzz_name(in, trial_names, 5);
            }
            table.matrix_names = names;
        }
    }
    if (kind % 3 != 2 || kind > 200) {
        int count = kind < 128 ? TRIAL_COLUMNS : fuzz_below(in, 8);
        mtlr_column *columns = fuzz_memory(in, (size_t)count * sizeof *columns);
        for (int index = 0; index < count; index++) columns[index] = fuzz_column(in, index, rows);
        table.columns = columns;
        table.column_count = count;
    }
    if (kind == 255) table.columns = NULL;
    if (kind == 254) {
        int64_t awkward = fuzz_awkward(in);
        if (awkward < 0 || awkward > INT64_C(1) << 20) table.column_count = awkward;
    }
    /* Larger sizes are those of later versions: what follows is read, and must be 0. */
    size_t room = sizeof table;
    if (kind == 253) table.struct_size = (size_t)fuzz_awkward(in);
    if (kind == 252) {
        room = sizeof table + fuzz_byte(in);
        table.struct_size = room;
    } else if (table.struct_size > sizeof table && table.struct_size <= 4096) {
        room = 4096;
    }
    uint8_t *block = fuzz_memory(in, room);
    memcpy(block, &table, sizeof table);
    if (room > sizeof table) block[room - 1] = fuzz_byte(in) % 2;
    return (const mtlr_table *)block;
}

/* Predicts with a view of the results that is as large as the library is told. */
static void predict(fuzz_input *in, const mtlr_model *model, const mtlr_table *table) {
    static const char *const arms[] = {"1", "0", "2", ""};
    mtlr_execution execution = fuzz_execution();
    mtlr_prediction prediction = MTLR_PREDICTION_INIT;
    int kind = fuzz_byte(in);
    prediction.output = kind % 5;
    if (kind >= 64) {
        prediction.scale = fuzz_below(in, 5);
        if (fuzz_below(in, 2)) prediction.arm = fuzz_name(in, arms, 4);
        if (fuzz_below(in, 2)) prediction.baseline = fuzz_name(in, arms, 4);
        prediction.dtype = fuzz_below(in, 4);
        prediction.level = fuzz_below(in, 8) / 4.0 - 0.25;
    }
    if (kind > 250) prediction.output = (int32_t)fuzz_awkward(in);
    if (kind > 245) prediction.rows = fuzz_below(in, 3);
    int64_t columns = 0;
    mtlr_error *error = NULL;
    mtlr_status status = mtlr_model_prediction_columns(&columns, model, &prediction, &error);
    int is_possible = fuzz_agrees(status, status == MTLR_OK, error);
    error = NULL;
    int64_t rows = table->rows > 0 && table->rows < 64 ? table->rows : 0;
    if (prediction.rows == MTLR_TRAINING_ROWS) rows = TRIAL_ROWS;
    if (!is_possible || columns > 64) columns = 1;
    int64_t size = prediction.dtype == MTLR_FLOAT32 ? 4 : 8;
    if (kind > 0 && fuzz_below(in, 4) == 0) {
        prediction.column_stride = stride(in, fuzz_below(in, 2) ? size : size * rows);
        prediction.row_stride = stride(in, fuzz_below(in, 2) ? size : size * columns);
    }
    int64_t step = prediction.column_stride ? prediction.column_stride : size;
    int64_t row_step = prediction.row_stride ? prediction.row_stride : prediction.column_stride ? size : size * columns;
    int64_t across = columns > 1 && !is_refused(step) ? step * (columns - 1) : 0;
    int64_t down = rows > 1 && !is_refused(row_step) ? row_step * (rows - 1) : 0;
    int64_t low = (across < 0 ? across : 0) + (down < 0 ? down : 0);
    int64_t high = (across > 0 ? across : 0) + (down > 0 ? down : 0) + size;
    uint8_t *values = fuzz_memory(in, (size_t)(high - low));
    int64_t length = rows * columns;
    if (kind % 32 == 31) length = fuzz_awkward(in);
    char *warnings = NULL;
    status = mtlr_model_predict(values - low, length, fuzz_below(in, 2) ? &warnings : NULL, model, table,
                                kind == 0 ? NULL : &prediction, &execution, &error);
    fuzz_agrees(status, status == MTLR_OK, error);
    mtlr_string_free(warnings);
}

void fuzz_use_table(fuzz_input *in, const mtlr_table *table, const char *spec, const mtlr_model *model) {
    mtlr_execution execution = fuzz_execution();
    mtlr_dataset *datasets[2] = {NULL, NULL};
    for (uint32_t flags = MTLR_DATASET_COPY; flags <= MTLR_DATASET_BORROW; flags++) {
        mtlr_error *error = NULL;
        mtlr_status status = mtlr_dataset_create(&datasets[flags], table, spec, flags, &error);
        fuzz_agrees(status, datasets[flags] != NULL, error);
    }
    REQUIRE((datasets[0] == NULL) == (datasets[1] == NULL));
    if (datasets[0]) {
        int64_t rows = mtlr_dataset_rows(datasets[0]);
        REQUIRE(rows == mtlr_dataset_rows(datasets[1]) && rows <= table->rows);
        int64_t *source = fuzz_memory(in, (size_t)rows * sizeof *source);
        REQUIRE(mtlr_dataset_source_rows(source, rows, datasets[0], NULL) == MTLR_OK);
        for (int64_t row = 0; row < rows; row++) REQUIRE(source[row] >= 0 && source[row] < table->rows);
        char *warnings = NULL;
        REQUIRE(mtlr_dataset_warnings(&warnings, datasets[0], NULL) == MTLR_OK);
        mtlr_string_free(warnings);
        if (fuzz_below(in, 2)) {
            mtlr_error *error = NULL;
            mtlr_model *fitted = NULL;
            mtlr_status status = mtlr_model_fit(&fitted, datasets[1], spec, &execution, &error);
            if (fuzz_agrees(status, fitted != NULL, error)) predict(in, fitted, table);
            mtlr_model_free(fitted);
        }
    }
    mtlr_dataset_free(datasets[0]);
    mtlr_dataset_free(datasets[1]);
    predict(in, model, table);
}

void fuzz_views(const uint8_t *bytes, size_t count) {
    static mtlr_model *model;
    if (!model) {
        static trial t;
        trial_make(&t, 2);
        model = trial_fit(&t, TRIAL_SPEC);
    }
    static const char *const specs[] = {
        "{" TRIAL_DATA ", \"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"constant\"}, \"propensity\":"
        " {\"backend\": \"constant\"}, \"effect\": {\"backend\": \"constant\"}}, \"cross_fitting\": {\"folds\": 2}}",
        TRIAL_SPEC,
        "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"weight\": \"x1\", \"cluster\": \"group\","
        " \"missing_outcome\": \"drop\", \"missing_values\": [2]}, \"learner\": \"s\", \"models\": {\"outcome\":"
        " {\"backend\": \"trees\", \"trees\": 2, \"min_leaf_size\": 1}}, \"cross_fitting\": {\"folds\": 2}}",
        "{\"data\": {\"treatment\": \"group\", \"outcome\": \"w\", \"outcome_type\": \"classes\"}, \"learner\": \"t\","
        " \"models\": {\"outcome\": {\"backend\": \"logistic\"}, \"propensity\": {\"backend\": \"constant\"}},"
        " \"cross_fitting\": {\"folds\": 2}}",
    };
    fuzz_input in = fuzz_begin(bytes, count);
    const char *spec = specs[fuzz_below(&in, 4)];
    const mtlr_table *table = fuzz_table(&in, rows_of(&in));
    fuzz_use_table(&in, table, spec, model);
    fuzz_end(&in);
}
