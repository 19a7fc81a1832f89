/*
 * knn.c: a base learner for metalearners in C99: the weighted mean of the k nearest neighbours.
 *
 *   cc -std=c99 -O2 -fPIC -shared -I../../include knn.c -lm -o knn.so
 *   metalearners backends --plugin ./knn.so
 *
 * docs/plugins.md goes through it.
 */
#include <math.h>
#include <metalearners_plugin.h>
#include <stdio.h>
#include <stdlib.h>

/* What the two opaque types of the header are is up to us. */
struct mtlr_plugin_estimator {
    int64_t neighbours;
};
struct mtlr_plugin_model { /* one piece of memory, so that writing it is one line */
    int64_t neighbours, rows, columns;
    double numbers[]; /* by column: 1 / standard deviation; by row: target, weight, scaled features */
};

static mtlr_plugin_status fail(mtlr_plugin_error *error, mtlr_plugin_status status, const char *why) {
    snprintf(error->text, error->capacity, "%s", why);
    return status;
}

static size_t size_of(int64_t rows, int64_t columns) {
    return sizeof(mtlr_plugin_model) + sizeof(double) * (size_t)(columns + rows * (columns + 2));
}

/* Parameters come checked against the table's list, with defaults filled in. */
static mtlr_plugin_status create(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **estimator,
                                 mtlr_plugin_error *error) {
    (void)payload;
    *estimator = malloc(sizeof **estimator);
    if (!*estimator) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for an estimator");
    (*estimator)->neighbours = (int64_t)mtlr_plugin_parameter(spec, "neighbours")->number;
    return MTLR_PLUGIN_OK;
}

static void free_estimator(void *payload, mtlr_plugin_estimator *estimator) { (void)payload, free(estimator); }

static void free_model(void *payload, mtlr_plugin_model *model) { (void)payload, free(model); }

static double weight_of(const mtlr_plugin_task *task, int64_t i) {
    return task->weights ? task->weights[task->rows[i]] : 1;
}

/* 1 / standard deviation of a column over the task's rows, brought to a size at which nothing overflows. */
static double scale_of(const mtlr_plugin_column *column, const mtlr_plugin_task *task) {
    double largest = 0, weight = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < task->row_count; i++)
        largest = fmax(largest, fabs(mtlr_plugin_number(column, task->rows[i])));
    if (!(largest > 1e-300) || isinf(largest)) return 0;
    for (int64_t i = 0; i < task->row_count; i++) {
        weight += weight_of(task, i);
        mean += weight_of(task, i) * (mtlr_plugin_number(column, task->rows[i]) / largest);
    }
    for (int64_t i = 0; i < task->row_count; i++) {
        double off = mtlr_plugin_number(column, task->rows[i]) / largest - mean / weight;
        square += weight_of(task, i) * off * off;
    }
    double deviation = sqrt(square / weight);
    return deviation > 1e-12 ? 1 / deviation / largest : 0;
}

static mtlr_plugin_status fit(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **out,
                              mtlr_plugin_error *error) {
    int64_t columns = task->features->column_count, rows = task->row_count;
    mtlr_plugin_model *model = malloc(size_of(rows, columns));
    if (!model) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for the rows");
    model->neighbours = estimator->neighbours;
    model->rows = rows;
    model->columns = columns;
    double *points = model->numbers + columns;
    for (int64_t i = 0; i < rows; i++) {
        points[i * (columns + 2)] = task->target[task->rows[i]];
        points[i * (columns + 2) + 1] = weight_of(task, i);
    }
    for (int64_t j = 0; j < columns; j++) {
        const mtlr_plugin_column *column = &task->features->columns[j];
        if (!execution->progress(execution->host, j, columns)) {
            free_model(payload, model);
            return fail(error, MTLR_PLUGIN_CANCELLED, "cancelled");
        }
        model->numbers[j] = scale_of(column, task);
        for (int64_t i = 0; i < rows; i++)
            points[i * (columns + 2) + 2 + j] = model->numbers[j] * mtlr_plugin_number(column, task->rows[i]);
    }
    *out = model;
    return MTLR_PLUGIN_OK;
}

/* The weighted mean of a point's neighbours; a row of weight 0 is nobody's neighbour, and of equals the first is. */
static double mean_near(const mtlr_plugin_model *model, const double *point, double *distance, const double **near) {
    int64_t count = 0, columns = model->columns;
    for (int64_t i = 0; i < model->rows; i++) {
        const double *row = model->numbers + columns + i * (columns + 2);
        if (!(row[1] > 0)) continue;
        double sum = 0;
        for (int64_t j = 0; j < columns; j++) sum += (row[2 + j] - point[j]) * (row[2 + j] - point[j]);
        if (count == model->neighbours && !(sum < distance[count - 1])) continue;
        int64_t place = count < model->neighbours ? count++ : count - 1;
        for (; place > 0 && sum < distance[place - 1]; place--) {
            distance[place] = distance[place - 1];
            near[place] = near[place - 1];
        }
        distance[place] = sum;
        near[place] = row;
    }
    double weight = 0, sum = 0;
    for (int64_t place = 0; place < count; place++) {
        weight += near[place][1];
        sum += near[place][1] * (near[place][0] - near[0][0]); /* differences keep the mean of equals exact */
    }
    return near[0][0] + sum / weight;
}

static mtlr_plugin_status predict(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    (void)payload;
    mtlr_plugin_status status = MTLR_PLUGIN_OK;
    double *point = malloc(sizeof(double) * (size_t)(model->columns + 1));
    double *distance = malloc(sizeof(double) * (size_t)model->neighbours);
    const double **near = malloc(sizeof(double *) * (size_t)model->neighbours);
    if (!point || !distance || !near) status = fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory to predict with");
    for (int64_t i = 0; status == MTLR_PLUGIN_OK && i < row_count; i++) {
        if (!execution->progress(execution->host, i, row_count))
            status = fail(error, MTLR_PLUGIN_CANCELLED, "cancelled");
        for (int64_t j = 0; j < model->columns; j++)
            point[j] = model->numbers[j] * mtlr_plugin_number(&features->columns[j], rows ? rows[i] : i);
        predictions[i] = mean_near(model, point, distance, near);
    }
    free(point), free(distance), free((void *)near);
    return status;
}

/* (A plug-in for machines of both byte orders would write its numbers byte by byte.) */
static mtlr_plugin_status serialise(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *error) {
    (void)payload, (void)error;
    sink->write(sink->host, model, size_of(model->rows, model->columns));
    return MTLR_PLUGIN_OK;
}

/* Nothing is taken for granted of bytes from a file: sizes first, then what predictions rely on. */
static mtlr_plugin_status deserialise(void *payload, const void *bytes, size_t count, const char *version,
                                      mtlr_plugin_model **out, mtlr_plugin_error *error) {
    (void)payload, (void)version;
    const int64_t limit = 100000, most = INT64_C(1) << 30;
    mtlr_plugin_model head;
    if (count < sizeof head) return fail(error, MTLR_PLUGIN_CORRUPT_MODEL, "the bytes end too soon");
    memcpy(&head, bytes, sizeof head);
    if (head.neighbours < 1 || head.neighbours > limit || head.rows < 1 || head.rows > 2 * most || head.columns < 0 ||
        head.columns > most || head.columns > most / head.rows || count != size_of(head.rows, head.columns))
        return fail(error, MTLR_PLUGIN_CORRUPT_MODEL, "the sizes of the model are not those of its bytes");
    mtlr_plugin_model *model = malloc(count);
    if (!model) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for the model");
    memcpy(model, bytes, count);
    const double *rows = model->numbers + model->columns;
    int64_t weighty = 0;
    for (int64_t i = 0; i < model->rows; i++) weighty += rows[i * (model->columns + 2) + 1] > 0;
    if (weighty > 0) return *out = model, MTLR_PLUGIN_OK;
    free(model);
    return fail(error, MTLR_PLUGIN_CORRUPT_MODEL, "no row of the model has a weight");
}

const mtlr_plugin_vtable *mtlr_plugin_v1(void) {
    static const mtlr_plugin_vtable table = {
        .struct_size = sizeof(mtlr_plugin_vtable),
        .abi_version = MTLR_PLUGIN_ABI_VERSION,
        .capabilities = MTLR_PLUGIN_CAN_REGRESSION | MTLR_PLUGIN_CAN_WEIGHTS,
        .name = "knn",
        .version = "1.0.0",
        .summary = "weighted mean of the nearest neighbours, distances in standard deviations",
        .parameters = "[{\"name\": \"neighbours\", \"summary\": \"neighbours to average over\", \"default\": 10,"
                      "  \"integer\": true, \"minimum\": 1, \"maximum\": 100000}]",
        .create = create,
        .free_estimator = free_estimator,
        .fit = fit,
        .predict = predict,
        .serialise = serialise,
        .deserialise = deserialise,
        .free_model = free_model,
    };
    return &table;
}
