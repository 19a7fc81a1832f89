/* Rows that are read batch by batch. */
#include <math.h>

#include "arrow_producer.h"
#include "fixture.h"

#define DATA "\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"keep_training\": false"
#define TREES "{\"backend\": \"trees\", \"trees\": 5, \"min_leaf_size\": 5}"
#define TREE_SPEC                                                                                                           \
    "{" DATA ", \"learner\": \"dr\", \"models\": {\"outcome\": " TREES ", \"propensity\": " TREES                  \
    ", \"effect\": " TREES "}, \"cross_fitting\": {\"folds\": 3}}"

/* Hands the trial over in batches of `size` rows. */
typedef struct reader {
    int size, row, readings, batches;
    /* The reading (from 1) and the batch (from 0) in which something is wrong, and what. */
    int bad_reading, bad_batch;
    enum { NOTHING, FAILS_THERE, ENDS_THERE, CHANGES, LACKS_A_COLUMN, IS_NO_TABLE } fault;
    mtlr_column columns[TRIAL_COLUMNS];
    double other[TRIAL_ROWS];
    const mtlr_cancel_token *cancels;
} reader;

static int32_t restart(void *payload) {
    reader *r = payload;
    r->row = 0;
    r->batches = 0;
    r->readings++;
    return r->fault == FAILS_THERE && r->bad_batch < 0 && r->readings == r->bad_reading ? 5 : 0;
}

static int32_t next(void *payload, mtlr_table *batch) {
    reader *r = payload;
    if (batch->struct_size != sizeof(mtlr_table) || batch->columns || batch->rows) return 9;
    int fault = r->readings == r->bad_reading && r->batches == r->bad_batch ? r->fault : NOTHING;
    if (fault == FAILS_THERE) return -1;
    if (r->row == TRIAL_ROWS || fault == ENDS_THERE) return 0;
    if (r->cancels && r->readings == 2) mtlr_cancel_token_cancel(r->cancels);
    /* Every other batch is empty. */
    int rows = r->batches++ % 2 ? 0 : r->size;
    if (rows > TRIAL_ROWS - r->row) rows = TRIAL_ROWS - r->row;
    memcpy(r->columns, t.columns, sizeof t.columns);
    r->columns[0].data = t.x0 + r->row;
    r->columns[1].data = t.x1 + r->row;
    r->columns[2].data = t.group + r->row;
    r->columns[3].data = t.w + r->row;
    r->columns[4].data = t.y + r->row;
    if (fault == CHANGES) {
        for (int row = 0; row < rows; row++) r->other[row] = 1 - t.x1[r->row + row];
        r->columns[1].data = r->other;
    }
    batch->rows = rows;
    batch->columns = r->columns;
    batch->column_count = fault == LACKS_A_COLUMN ? 4 : TRIAL_COLUMNS;
    if (fault == IS_NO_TABLE) batch->rows = -4;
    r->row += rows;
    return 1;
}

static const char *last_error(void *payload) {
    (void)payload;
    return "the disk is gone";
}

static mtlr_row_source source_of(reader *r) {
    mtlr_row_source source = MTLR_ROW_SOURCE_INIT;
    source.payload = r;
    source.restart = restart;
    source.next = next;
    return source;
}

/* Models of batches of any size are that of the table. */
static void same_model(int arms) {
    trial_make(&t, arms);
    t.x1[17] = NAN;
    t.group[3] = -1;
    mtlr_dataset *whole = make_dataset(TREE_SPEC, MTLR_DATASET_COPY);
    mtlr_model *reference = fit(whole, TREE_SPEC, 1);
    const int sizes[] = {1, 7, 100, TRIAL_ROWS};
    for (int index = 0; index < 4; index++) {
        reader r = {.size = sizes[index]};
        mtlr_row_source source = source_of(&r);
        mtlr_execution execution = MTLR_EXECUTION_INIT;
        execution.threads = 1 + index % 2;
        mtlr_dataset *dataset = NULL;
        SUCCEEDS(mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, &execution, &error));
        CHECK(r.readings == 3);
        CHECK(mtlr_dataset_rows(dataset) == TRIAL_ROWS && mtlr_dataset_covariate_count(dataset) == 3);
        mtlr_model *model = fit(dataset, TREE_SPEC, 2);
        CHECK(same_bytes(reference, model));
        mtlr_model_free(model);
        FAILS_SAYING(MTLR_UNSUPPORTED, "these can: trees", mtlr_model_fit(&model, dataset, TRIAL_SPEC, NULL, &error));
        CHECK(model == NULL);
        mtlr_dataset_free(dataset);
    }
    mtlr_model_free(reference);
    mtlr_dataset_free(whole);
}

/* Batches by Arrow, each of which goes once the next one is asked for. */
typedef struct arrow_reader {
    int row;
    mtlr_arrow_table *held;
} arrow_reader;

static int32_t arrow_restart(void *payload) {
    ((arrow_reader *)payload)->row = 0;
    return 0;
}

static int32_t arrow_next(void *payload, mtlr_table *batch) {
    arrow_reader *r = payload;
    mtlr_arrow_table_free(r->held);
    r->held = NULL;
    if (r->row == TRIAL_ROWS) return 0;
    int rows = TRIAL_ROWS - r->row < 50 ? TRIAL_ROWS - r->row : 50;
    static table made;
    begin(&made, rows);
    add(&made, "x1", "g", 0, 2, NULL, t.x1 + r->row, NULL);
    if (import(&r->held, &made, NULL)) return 3;
    static mtlr_column columns[4];
    columns[0] = t.columns[0];
    columns[0].data = t.x0 + r->row;
    columns[1] = t.columns[2];
    columns[1].data = t.group + r->row;
    columns[2] = t.columns[3];
    columns[2].data = t.w + r->row;
    columns[3] = t.columns[4];
    columns[3].data = t.y + r->row;
    batch->rows = rows;
    batch->columns = columns;
    batch->column_count = 4;
    batch->arrow = r->held;
    r->row += rows;
    return 1;
}

static void arrow_batches(void) {
    trial_make(&t, 2);
    arrow_reader r = {0, NULL};
    mtlr_row_source source = MTLR_ROW_SOURCE_INIT;
    source.payload = &r;
    source.restart = arrow_restart;
    source.next = arrow_next;
    mtlr_dataset *dataset = NULL;
    SUCCEEDS(mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    CHECK(r.held == NULL && mtlr_dataset_covariate_count(dataset) == 3);
    all_released();
    mtlr_dataset_free(dataset);
}

static void faults(void) {
    trial_make(&t, 2);
    mtlr_dataset *dataset;
    const struct {
        int fault, batch;
        mtlr_status status;
        const char *says;
    } cases[] = {
        {FAILS_THERE, -1, MTLR_INPUT_OUTPUT, "restart returned 5"}, {FAILS_THERE, 2, MTLR_INPUT_OUTPUT, "next returned -1"},
        {ENDS_THERE, 2, MTLR_INVALID_DATA, "first reading had 240"}, {CHANGES, 2, MTLR_INVALID_DATA, "column 'x1'"},
        {LACKS_A_COLUMN, 2, MTLR_INVALID_DATA, "column 'y'"},        {IS_NO_TABLE, 2, MTLR_INVALID_ARGUMENT, "rows is -4"},
    };
    for (int index = 0; index < 6; index++) {
        for (int reading = 1; reading <= 3; reading++) {
            /* What the first reading gives is right by definition. */
            if (reading == 1 && (cases[index].fault == ENDS_THERE || cases[index].fault == CHANGES)) continue;
            reader r = {.size = 100, .bad_reading = reading, .bad_batch = cases[index].batch};
            memcpy(&r.fault, &cases[index].fault, sizeof r.fault);
            mtlr_row_source source = source_of(&r);
            dataset = (mtlr_dataset *)&t;
            FAILS_SAYING(cases[index].status, cases[index].says,
                         mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
            CHECK(dataset == NULL && r.readings == reading);
        }
    }
    reader r = {.size = 100, .bad_reading = 1, .bad_batch = 0, .fault = FAILS_THERE};
    mtlr_row_source source = source_of(&r);
    source.last_error = last_error;
    FAILS_SAYING(MTLR_INPUT_OUTPUT, "the disk is gone", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
}

static void arguments(void) {
    trial_make(&t, 2);
    reader r = {.size = 100};
    mtlr_row_source source = source_of(&r);
    mtlr_dataset *dataset = NULL;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "out", mtlr_dataset_create_streamed(NULL, &source, TREE_SPEC, NULL, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "source", mtlr_dataset_create_streamed(&dataset, NULL, TREE_SPEC, NULL, &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create_streamed(&dataset, &source, NULL, NULL, &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_dataset_create_streamed(&dataset, &source, "{}", NULL, &error));
    source.struct_size = 8;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "struct_size", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    source = source_of(&r);
    source.next = NULL;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "source.next", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    source = source_of(&r);
    source.restart = NULL;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "source.restart", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    source = source_of(&r);
    source.reserved = 1;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "reserved", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    const int32_t bins[] = {-1, 1, 70000};
    for (int index = 0; index < 3; index++) {
        source = source_of(&r);
        source.max_bins = bins[index];
        FAILS_SAYING(MTLR_INVALID_ARGUMENT, "max_bins", mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    }
    /* Other bins than those of the models. */
    source.max_bins = 20;
    SUCCEEDS(mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, NULL, &error));
    mtlr_model *model = NULL;
    FAILS_SAYING(MTLR_UNSUPPORTED, "max_bins", mtlr_model_fit(&model, dataset, TREE_SPEC, NULL, &error));
    mtlr_dataset_free(dataset);
}

static void cancellation(void) {
    trial_make(&t, 2);
    mtlr_cancel_token *token = NULL;
    SUCCEEDS(mtlr_cancel_token_create(&token, &error));
    reader r = {.size = 100, .cancels = token};
    mtlr_row_source source = source_of(&r);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.cancel_token = token;
    mtlr_dataset *dataset = NULL;
    FAILS(MTLR_CANCELLED, mtlr_dataset_create_streamed(&dataset, &source, TREE_SPEC, &execution, &error));
    CHECK(r.readings == 2);
    mtlr_cancel_token_free(token);
}

int main(void) {
    same_model(2);
    same_model(3);
    arrow_batches();
    faults();
    arguments();
    cancellation();
    return finish("streamed");
}
