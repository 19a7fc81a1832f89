/* A small producer of tables of the Arrow C Data Interface that counts what is released. */
#ifndef ARROW_PRODUCER_H
#define ARROW_PRODUCER_H

#include "fixture.h"

static int schemas_made, schemas_released, arrays_made, arrays_released;

static inline void release_schema(struct ArrowSchema *schema) {
    schemas_released++;
    schema->release = NULL;
}

static inline void release_array(struct ArrowArray *array) {
    arrays_released++;
    array->release = NULL;
}

enum { MOST = 8 };

/* A table of up to MOST columns. Everything that the structures point to is here. */
typedef struct table {
    struct ArrowSchema schema, columns[MOST], levels[MOST], *column_pointers[MOST];
    struct ArrowArray array, children[MOST], dictionaries[MOST], *child_pointers[MOST];
    const void *own[1], *buffers[MOST][6], *level_buffers[MOST][3];
    int count;
} table;

static inline void begin(table *made, int64_t rows) {
    memset(made, 0, sizeof *made);
    made->schema = (struct ArrowSchema){"+s", "", NULL, 0, 0, made->column_pointers, NULL, release_schema, NULL};
    made->array = (struct ArrowArray){rows, 0, 0, 1, 0, made->own, made->child_pointers, NULL, release_array, NULL};
}

static inline int add(table *made, const char *name, const char *format, int64_t nulls, int64_t count, const void *validity,
               const void *data, const void *more) {
    const int index = made->count++;
    made->buffers[index][0] = validity;
    made->buffers[index][1] = data;
    made->buffers[index][2] = more;
    made->columns[index] = (struct ArrowSchema){format, name, NULL, ARROW_FLAG_NULLABLE, 0, NULL, NULL, NULL, NULL};
    made->children[index] =
        (struct ArrowArray){made->array.length, nulls, 0, count, 0, made->buffers[index], NULL, NULL, NULL, NULL};
    made->column_pointers[index] = made->columns + index;
    made->child_pointers[index] = made->children + index;
    made->schema.n_children = made->array.n_children = made->count;
    return index;
}

static inline void add_levels(table *made, int index, const char *format, int64_t length, const void *first, const void *second) {
    made->level_buffers[index][1] = first;
    made->level_buffers[index][2] = second;
    made->levels[index] = (struct ArrowSchema){format, "", NULL, 0, 0, NULL, NULL, NULL, NULL};
    made->dictionaries[index] =
        (struct ArrowArray){length, 0, 0, second ? 3 : 2, 0, made->level_buffers[index], NULL, NULL, NULL, NULL};
    made->columns[index].dictionary = made->levels + index;
    made->children[index].dictionary = made->dictionaries + index;
}

/* Hands a table over; afterwards both structures are gone from here, whatever came of it. */
static inline mtlr_status import(mtlr_arrow_table **out, table *made, mtlr_error **failure) {
    schemas_made++;
    arrays_made++;
    const mtlr_status status = mtlr_arrow_table_create(out, &made->schema, &made->array, failure);
    CHECK(made->schema.release == NULL && made->array.release == NULL);
    return status;
}

static inline void all_released(void) { CHECK(schemas_released == schemas_made && arrays_released == arrays_made); }

/* The warnings of a dataset of one covariate beside w and y, which must be made; its model's effects are returned. */
static double effects[TRIAL_ROWS];
#define SPEC                                                                                                         \
    "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\"}, \"learner\": \"t\", \"models\": {\"outcome\": "           \
    "{\"backend\": \"trees\", \"trees\": 9}, \"propensity\": \"constant\"}, \"cross_fitting\": {\"folds\": 2}}"

static inline mtlr_status fit_to(const mtlr_table *view, mtlr_error **failure) {
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_status status = mtlr_dataset_create(&dataset, view, SPEC, MTLR_DATASET_COPY, failure);
    if (status == MTLR_OK) status = mtlr_model_fit(&model, dataset, SPEC, NULL, failure);
    if (status == MTLR_OK) status = mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, view, NULL, NULL, failure);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return status;
}

/* w and y of the trial beside an Arrow table. */
static inline mtlr_table beside(const mtlr_arrow_table *arrow) {
    mtlr_table view = MTLR_TABLE_INIT;
    view.rows = TRIAL_ROWS;
    view.columns = t.columns + 3;
    view.column_count = 2;
    view.arrow = arrow;
    return view;
}

/* The effects of the fit to columns of the trial without Arrow, which are kept in `expected`. */
static inline void expect_of_columns(mtlr_column *columns, int count, double expected[TRIAL_ROWS]) {
    mtlr_table plain = MTLR_TABLE_INIT;
    plain.rows = TRIAL_ROWS;
    plain.columns = columns;
    plain.column_count = count;
    SUCCEEDS(fit_to(&plain, &error));
    memcpy(expected, effects, sizeof effects);
}

#endif
