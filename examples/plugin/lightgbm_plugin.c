/*
 * lightgbm_plugin.c: LightGBM as a base learner for metalearners, through LightGBM's C interface.
 *
 *   make
 *   METALEARNERS_LIGHTGBM=.../lightgbm/lib/lib_lightgbm.so metalearners backends --plugin ./lightgbm_plugin.so
 *
 * LightGBM (Ke et al. 2017; 3.3 or newer) is found when the first estimator is made: the path in METALEARNERS_LIGHTGBM
 * and nowhere else, if that is set; then the Python package in the active virtual environment; then the system's.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>

#include "lightgbm_library.h"
#include "lightgbm_parameters.h"

/* ----------------------------------------------------------------------------------------------- estimators --- */

struct mtlr_plugin_estimator {
    int trees;
    double l1, min_split_gain, row_sample;
    char *parameters; /* as LightGBM reads them: "name=value name=value" */
};

static void free_estimator(void *payload, mtlr_plugin_estimator *estimator) {
    (void)payload;
    free(estimator->parameters);
    free(estimator);
}

static mtlr_plugin_status create(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **out,
                                 mtlr_plugin_error *error) {
    pthread_once(&once, find_library);
    if (*problem) return fail(error, MTLR_PLUGIN_UNSUPPORTED, "%s", problem);
    mtlr_plugin_estimator *estimator = calloc(1, sizeof *estimator);
    char *text = calloc(1, 1);
    if (!estimator || !text) {
        free(estimator), free(text);
        return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for an estimator");
    }
    estimator->trees = (int)number(spec, "trees");
    estimator->l1 = number(spec, "l1");
    estimator->min_split_gain = number(spec, "min_split_gain");
    estimator->row_sample = number(spec, "row_sample");
    int leaves = (int)number(spec, "max_leaves"), depth = (int)number(spec, "max_depth");
    text = append(text,
                  "learning_rate=%.17g num_leaves=%d max_depth=%d min_data_in_leaf=%d min_sum_hessian_in_leaf=%.17g"
                  " lambda_l2=%.17g max_bin=%d feature_fraction=%.17g cat_smooth=%.17g cat_l2=%.17g deterministic=true"
                  " force_col_wise=true feature_pre_filter=false boost_from_average=true verbosity=0",
                  number(spec, "learning_rate"), leaves ? leaves : 131072, depth ? depth : -1,
                  (int)number(spec, "min_leaf_size"), number(spec, "min_child_weight"), number(spec, "l2"),
                  (int)number(spec, "max_bins"), number(spec, "column_sample"), number(spec, "category_smoothing"),
                  number(spec, "category_l2"));
    mtlr_plugin_status status = append_engine(&text, mtlr_plugin_parameter(spec, "engine")->text, error);
    if (status == MTLR_PLUGIN_OK && leaves == 0 && depth == 0)
        status = fail(error, MTLR_PLUGIN_INVALID_SPEC, "max_depth: neither max_depth nor max_leaves limits the trees");
    if (status == MTLR_PLUGIN_OK && leaves == 1)
        status = fail(error, MTLR_PLUGIN_INVALID_SPEC, "max_leaves: is 1, must be 0 (no limit) or at least 2");
    if (status == MTLR_PLUGIN_OK && !text) status = fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for parameters");
    estimator->parameters = text;
    if (status == MTLR_PLUGIN_OK) *out = estimator;
    else free_estimator(payload, estimator);
    return status;
}

/* ----------------------------------------------------------------------------------------------------- data --- */

/* What a fit holds besides its data. */
typedef struct fitting {
    const mtlr_plugin_task *task;
    char *parameters;
    float *label, *weight, *gradient, *hessian;
    double *score, *features;
    double offset, scale; /* labels are (target - offset) * scale: about 1, so that single precision serves any unit */
    handle dataset, booster;
} fitting;

static void end(fitting *f) {
    if (f->booster) lgbm.booster_free(f->booster);
    if (f->dataset) lgbm.dataset_free(f->dataset);
    free(f->parameters), free(f->label), free(f->weight), free(f->gradient), free(f->hessian), free(f->score);
    free(f->features);
}

static double weight_of(const mtlr_plugin_task *task, int64_t i) {
    return task->weights ? task->weights[task->rows[i]] : 1;
}

static double slope_of(const mtlr_plugin_task *task, int64_t i) {
    return task->objective == MTLR_PLUGIN_RESIDUAL ? task->regressor[task->rows[i]] : 1;
}

/* The mean, or the constant effect, as a start; then labels, with a power of two that brings them to about 1. */
static void centre(fitting *f) {
    const mtlr_plugin_task *task = f->task;
    double total = 0, sum = 0, largest = 0;
    double start = task->objective == MTLR_PLUGIN_RESIDUAL ? 0 : task->target[task->rows[0]];
    for (int64_t i = 0; i < task->row_count; i++) {
        double w = weight_of(task, i), r = slope_of(task, i);
        total += w * r * r;
        sum += w * r * (task->target[task->rows[i]] - r * start);
    }
    f->offset = total > 0 ? start + sum / total : start;
    for (int64_t i = 0; i < task->row_count; i++) {
        if (weight_of(task, i) > 0)
            largest = fmax(largest, fabs(task->target[task->rows[i]] - slope_of(task, i) * f->offset));
    }
    int exponent = 0;
    if (largest > 0 && isfinite(largest)) frexp(largest, &exponent);
    f->scale = largest > 0 ? ldexp(1, -exponent) : 1;
    for (int64_t i = 0; i < task->row_count; i++) {
        double label = (task->target[task->rows[i]] - slope_of(task, i) * f->offset) * f->scale;
        f->label[i] = weight_of(task, i) > 0 ? (float)label : 0;
    }
}

/* LightGBM takes no table without columns: it gets one of zeros. */
static int width_of(int64_t columns) { return columns > 0 ? (int)columns : 1; }

/* Values of listed rows as doubles, column by column where `by_row` is 0. */
static void gather(const mtlr_plugin_table *features, const int32_t *rows, int64_t first, int64_t count, int by_row,
                   double *target) {
    int64_t columns = features->column_count;
    if (columns == 0) memset(target, 0, (size_t)count * sizeof(double));
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < count; i++) {
            int64_t row = rows ? rows[first + i] : first + i;
            target[by_row ? i * columns + j : j * count + i] = mtlr_plugin_number(&features->columns[j], row);
        }
    }
}

static mtlr_plugin_status make_dataset(fitting *f, mtlr_plugin_error *error) {
    const mtlr_plugin_task *task = f->task;
    const mtlr_plugin_table *table = task->features;
    const char *separator = " categorical_feature=";
    for (int64_t j = 0; j < table->column_count; j++) {
        if (table->columns[j].dtype != MTLR_PLUGIN_CODES) continue;
        f->parameters = append(f->parameters, "%s%d", separator, (int)j);
        separator = ",";
    }
    f->features = malloc(sizeof(double) * (size_t)(task->row_count * width_of(table->column_count)));
    if (!f->parameters || !f->features) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for the features");
    gather(table, task->rows, 0, task->row_count, 0, f->features);
    *unknown = 0;
    int rows = (int)task->row_count, failed = lgbm.dataset_create(
                                         f->features, FLOAT64, rows, width_of(table->column_count), 0, f->parameters,
                                         NULL, &f->dataset);
    if (*unknown) return fail(error, MTLR_PLUGIN_INVALID_SPEC, "engine.%s: LightGBM knows no such parameter", unknown);
    if (failed) return engine_failure(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "read the features");
    free(f->features);
    f->features = NULL;
    if (lgbm.dataset_set(f->dataset, "label", f->label, rows, FLOAT32) ||
        (f->weight && lgbm.dataset_set(f->dataset, "weight", f->weight, rows, FLOAT32)))
        return engine_failure(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "take labels and weights");
    return MTLR_PLUGIN_OK;
}

/* ------------------------------------------------------------------------------------------------------ fit --- */

struct mtlr_plugin_model {
    handle booster;
    char *text;     /* the booster's */
    int outputs, columns;
    double offset, scale;
};

static void free_model(void *payload, mtlr_plugin_model *model) {
    (void)payload;
    if (!model) return;
    if (model->booster) lgbm.booster_free(model->booster);
    free(model->text);
    free(model);
}

static mtlr_plugin_status load(mtlr_plugin_model *model, mtlr_plugin_status status, mtlr_plugin_error *error) {
    int iterations, columns = 0, classes = 0;
    if (lgbm.load(model->text, &iterations, &model->booster)) return engine_failure(error, status, "read its trees");
    if (lgbm.feature_count(model->booster, &columns) || lgbm.classes(model->booster, &classes) ||
        columns != width_of(model->columns) || classes != (model->outputs > 2 ? model->outputs : 1))
        return fail(error, status, "the trees are of other columns or classes");
    return MTLR_PLUGIN_OK;
}

/* The booster's text without its parameters, which say how many threads grew it. */
static mtlr_plugin_status take_text(handle booster, char **out, mtlr_plugin_error *error) {
    int64_t length = 0;
    if (lgbm.save(booster, 0, 0, 0, 0, &length, NULL)) return engine_failure(error, MTLR_PLUGIN_INTERNAL_FAULT, "save");
    char *text = malloc((size_t)length + 1);
    if (!text) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for the trees");
    *out = text;
    if (lgbm.save(booster, 0, 0, 0, length + 1, &length, text))
        return engine_failure(error, MTLR_PLUGIN_INTERNAL_FAULT, "save");
    text[length > 0 ? length - 1 : 0] = 0;
    char *from = strstr(text, "\nparameters:\n"), *to = from ? strstr(from, "end of parameters\n") : NULL;
    if (to) memmove(from + 1, to + strlen("end of parameters\n"), strlen(to + strlen("end of parameters\n")) + 1);
    return MTLR_PLUGIN_OK;
}

/* Gradient and Hessian of the sum of w (t - r f)^2 / 2: the R-learner's loss, without any division by r. */
static int update_residual(fitting *f, int *is_finished) {
    const mtlr_plugin_task *task = f->task;
    int64_t count = 0;
    if (lgbm.scores(f->booster, 0, &count, f->score) || count != task->row_count) return -1;
    for (int64_t i = 0; i < count; i++) {
        double w = weight_of(task, i), r = slope_of(task, i);
        f->gradient[i] = (float)(w * r * (r * f->score[i] - (double)f->label[i]));
        f->hessian[i] = (float)(w * r * r);
    }
    return lgbm.update_custom(f->booster, f->gradient, f->hessian, is_finished);
}

static mtlr_plugin_status train(fitting *f, const mtlr_plugin_estimator *estimator,
                                const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    if (lgbm.booster_create(f->dataset, f->parameters, &f->booster))
        return engine_failure(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "start");
    int is_finished = 0;
    for (int tree = 0; tree < estimator->trees && !is_finished; tree++) {
        if (!execution->progress(execution->host, tree, estimator->trees))
            return fail(error, MTLR_PLUGIN_CANCELLED, "cancelled");
        int failed = f->task->objective == MTLR_PLUGIN_RESIDUAL ? update_residual(f, &is_finished)
                                                                 : lgbm.update(f->booster, &is_finished);
        if (failed) return engine_failure(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "grow a tree");
    }
    return MTLR_PLUGIN_OK;
}

/* Parameters of the task, then those of the estimator. Penalties in the target's unit follow its scale. */
static char *task_parameters(const fitting *f, const mtlr_plugin_estimator *estimator, int threads) {
    const mtlr_plugin_task *task = f->task;
    const char *objective = task->objective == MTLR_PLUGIN_RESIDUAL ? "none" : "regression";
    if (task->objective == MTLR_PLUGIN_CLASSIFICATION) objective = task->class_count == 2 ? "binary" : "multiclass";
    char *text = append(calloc(1, 1), "objective=%s num_threads=%d seed=%d lambda_l1=%.17g min_gain_to_split=%.17g %s",
                        objective, threads, (int)((task->seed ^ task->seed >> 32) & 0x7FFFFFFF),
                        estimator->l1 * f->scale, estimator->min_split_gain * f->scale * f->scale,
                        estimator->parameters);
    if (task->class_count > 2) text = append(text, " num_class=%d", (int)task->class_count);
    /* LightGBM does not start on a sample without rows. */
    if (estimator->row_sample < 1 && estimator->row_sample * (double)task->row_count >= 1)
        text = append(text, " bagging_fraction=%.17g bagging_freq=1", estimator->row_sample);
    return text;
}

static mtlr_plugin_status fit_model(fitting *f, const mtlr_plugin_estimator *estimator,
                                    const mtlr_plugin_execution *execution, mtlr_plugin_model *model,
                                    mtlr_plugin_error *error) {
    const mtlr_plugin_task *task = f->task;
    size_t rows = (size_t)task->row_count;
    int is_class = task->objective == MTLR_PLUGIN_CLASSIFICATION, is_residual = task->objective == MTLR_PLUGIN_RESIDUAL;
    f->label = malloc(rows * sizeof(float));
    if (task->weights) f->weight = malloc(rows * sizeof(float));
    if (is_residual) {
        f->gradient = malloc(rows * sizeof(float));
        f->hessian = malloc(rows * sizeof(float));
        f->score = malloc(rows * sizeof(double));
    }
    if (!f->label || (task->weights && !f->weight) || (is_residual && (!f->gradient || !f->hessian || !f->score)))
        return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for labels");
    f->offset = 0;
    f->scale = 1;
    if (is_class) {
        for (size_t i = 0; i < rows; i++) f->label[i] = (float)task->target[task->rows[i]];
    } else {
        centre(f);
    }
    for (size_t i = 0; f->weight && i < rows; i++) f->weight[i] = (float)task->weights[task->rows[i]];
    model->outputs = is_class ? task->class_count : 1;
    model->columns = (int)task->features->column_count;
    model->offset = f->offset;
    model->scale = f->scale;
    if (!isfinite(f->offset)) return fail(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "the mean of the target overflows");
    f->parameters = task_parameters(f, estimator, execution->threads);
    mtlr_plugin_status status = make_dataset(f, error);
    if (status == MTLR_PLUGIN_OK) status = train(f, estimator, execution, error);
    if (status == MTLR_PLUGIN_OK) status = take_text(f->booster, &model->text, error);
    return status == MTLR_PLUGIN_OK ? load(model, MTLR_PLUGIN_INTERNAL_FAULT, error) : status;
}

static mtlr_plugin_status fit(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **out,
                              mtlr_plugin_error *error) {
    mtlr_plugin_model *model = calloc(1, sizeof *model);
    if (!model) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for a model");
    lgbm.register_log(listen);
    fitting f = {.task = task};
    mtlr_plugin_status status = fit_model(&f, estimator, execution, model, error);
    end(&f);
    if (status == MTLR_PLUGIN_OK) *out = model;
    else free_model(payload, model);
    return status;
}

/* -------------------------------------------------------------------------------------------------- predict --- */

/* What LightGBM predicts of each row, `width` numbers, block by block. */
static mtlr_plugin_status predict_rows(const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                       const int32_t *rows, int64_t row_count, int kind, int64_t width, double *out,
                                       const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    const int64_t block = 65536;
    int64_t room = row_count < block ? row_count + 1 : block;
    double *values = malloc(sizeof(double) * (size_t)(room * width_of(model->columns)));
    if (!values) return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory to predict with");
    char parameters[64];
    snprintf(parameters, sizeof parameters, "num_threads=%d verbosity=-1", (int)execution->threads);
    mtlr_plugin_status status = MTLR_PLUGIN_OK;
    for (int64_t first = 0; status == MTLR_PLUGIN_OK && first < row_count; first += block) {
        int64_t count = row_count - first < block ? row_count - first : block, length = 0;
        if (!execution->progress(execution->host, first, row_count)) {
            status = fail(error, MTLR_PLUGIN_CANCELLED, "cancelled");
            break;
        }
        gather(features, rows, first, count, 1, values);
        if (lgbm.predict(model->booster, values, FLOAT64, (int)count, width_of(model->columns), 1, kind, 0, -1,
                         parameters, &length, out + first * width) ||
            length != count * width)
            status = engine_failure(error, MTLR_PLUGIN_NUMERICAL_FAILURE, "predict");
    }
    free(values);
    return status;
}

static mtlr_plugin_status predict(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *error) {
    (void)payload;
    mtlr_plugin_status status =
        predict_rows(model, features, rows, row_count, PREDICT_NORMAL, model->outputs > 2 ? model->outputs : 1,
                     predictions, execution, error);
    if (model->outputs == 1) {
        for (int64_t i = 0; i < row_count; i++) predictions[i] = model->offset + predictions[i] / model->scale;
    } else if (model->outputs == 2) {
        /* From the last row on, so that none is overwritten before it is read. */
        for (int64_t i = row_count - 1; i >= 0; i--) {
            double share = predictions[i];
            predictions[2 * i] = 1 - share;
            predictions[2 * i + 1] = share;
        }
    }
    return status;
}

static mtlr_plugin_status contributions(void *payload, const mtlr_plugin_model *model,
                                        const mtlr_plugin_table *features, const int32_t *rows, int64_t row_count,
                                        const mtlr_plugin_table *background, double *numbers, int64_t capacity,
                                        int32_t *scale, const mtlr_plugin_execution *execution,
                                        mtlr_plugin_error *error) {
    (void)payload, (void)capacity;
    int64_t width = model->columns + 1, outputs = model->outputs > 2 ? model->outputs : 1;
    *scale = MTLR_PLUGIN_SCALE_PREDICTION;
    if (model->outputs > 1) *scale = outputs == 1 ? MTLR_PLUGIN_SCALE_LOG_ODDS : MTLR_PLUGIN_SCALE_LOG_PROBABILITY;
    if (background)
        return fail(error, MTLR_PLUGIN_UNSUPPORTED, "LightGBM knows contributions without background rows only");
    if (model->columns == 0)
        return fail(error, MTLR_PLUGIN_UNSUPPORTED, "there are no columns that could contribute");
    mtlr_plugin_status status = predict_rows(model, features, rows, row_count, PREDICT_CONTRIBUTIONS, width * outputs,
                                             numbers, execution, error);
    if (model->outputs > 1) return status;
    for (int64_t i = 0; i < row_count * width; i++)
        numbers[i] = numbers[i] / model->scale + ((i + 1) % width ? 0 : model->offset);
    return status;
}

static mtlr_plugin_status importances(void *payload, const mtlr_plugin_model *model, int32_t kind, double *numbers,
                                      int64_t column_count, mtlr_plugin_error *error) {
    (void)payload, (void)column_count;
    if (model->columns == 0) return MTLR_PLUGIN_OK;
    if (kind == MTLR_PLUGIN_IMPORTANCE_COVER)
        return fail(error, MTLR_PLUGIN_UNSUPPORTED, "LightGBM knows no cover of columns");
    if (lgbm.importance(model->booster, 0, kind == MTLR_PLUGIN_IMPORTANCE_GAIN, numbers))
        return engine_failure(error, MTLR_PLUGIN_INTERNAL_FAULT, "say what columns are worth");
    if (kind == MTLR_PLUGIN_IMPORTANCE_GAIN) {
        for (int64_t j = 0; j < column_count; j++) numbers[j] /= model->scale * model->scale;
    }
    return MTLR_PLUGIN_OK;
}

/* ------------------------------------------------------------------------------------------------ the bytes --- */

/* One line of numbers, then LightGBM's own text. */
static mtlr_plugin_status serialise(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *error) {
    (void)payload, (void)error;
    char line[160];
    int length = snprintf(line, sizeof line, "lightgbm 1 %d %d %a %a\n", model->outputs, model->columns, model->offset,
                          model->scale);
    sink->write(sink->host, line, (size_t)length);
    if (model->text) sink->write(sink->host, model->text, strlen(model->text));
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status deserialise(void *payload, const void *bytes, size_t count, const char *version,
                                      mtlr_plugin_model **out, mtlr_plugin_error *error) {
    (void)version;
    pthread_once(&once, find_library);
    if (*problem) return fail(error, MTLR_PLUGIN_UNSUPPORTED, "%s", problem);
    mtlr_plugin_model *model = calloc(1, sizeof *model);
    char *text = malloc(count + 1);
    if (!model || !text) {
        free(model), free(text);
        return fail(error, MTLR_PLUGIN_OUT_OF_MEMORY, "no memory for the model");
    }
    if (count > 0) memcpy(text, bytes, count);
    text[count] = 0;
    int format = 0, used = 0;
    mtlr_plugin_status status = MTLR_PLUGIN_OK;
    if (sscanf(text, "lightgbm %d %d %d %la %la%n", &format, &model->outputs, &model->columns, &model->offset,
               &model->scale, &used) != 5 ||
        text[used] != '\n' || format != 1 || model->outputs < 1 || model->columns < 0 || model->columns > 1 << 20 ||
        !isfinite(model->offset) || !(model->scale > 0) || strlen(text) != count) {
        status = fail(error, MTLR_PLUGIN_CORRUPT_MODEL, "its first line makes no sense");
    } else {
        memmove(text, text + used + 1, count - (size_t)used);
        model->text = text;
        text = NULL;
        lgbm.register_log(listen);
        status = load(model, MTLR_PLUGIN_CORRUPT_MODEL, error);
    }
    free(text);
    if (status == MTLR_PLUGIN_OK) *out = model;
    else free_model(payload, model);
    return status;
}

/* ------------------------------------------------------------------------------------------------ the table --- */

#define NUMBER(name, summary, value, bounds, engine)                                                                   \
    "{\"name\": \"" name "\", \"summary\": \"" summary "\", \"default\": " value ", " bounds ", \"engine\": \"" engine \
    "\"},"
#define INTEGER(name, summary, value, bounds, engine) NUMBER(name, summary, value, "\"integer\": true, " bounds, engine)
#define NONE(name, note) "{\"name\": \"" name "\", \"mapping\": \"unsupported\", \"note\": \"" note "\"},"
#define AT_LEAST_0 "\"minimum\": 0"
#define SHARE "\"above\": 0, \"maximum\": 1"

static const char parameters[] = "["
    INTEGER("trees", "boosting rounds; one tree each, or one per class", "200", "\"minimum\": 1, \"maximum\": 100000",
           "num_iterations")
    NUMBER("learning_rate", "factor of each tree's leaf values", "0.05", SHARE, "learning_rate")
    INTEGER("max_leaves", "leaves of a tree at most; 0 for no limit", "8", "\"minimum\": 0, \"maximum\": 131072",
           "num_leaves")
    INTEGER("max_depth", "splits from root to leaf at most; 0 for no limit", "0", "\"minimum\": 0, \"maximum\": 255",
           "max_depth")
    INTEGER("min_leaf_size", "rows in a leaf at least", "20", "\"minimum\": 1, \"maximum\": 2147483647",
           "min_data_in_leaf")
    NUMBER("min_child_weight", "sum of Hessians in a leaf at least", "0", AT_LEAST_0, "min_sum_hessian_in_leaf")
    NUMBER("min_split_gain", "what a split must gain at least", "0", AT_LEAST_0, "min_gain_to_split")
    NUMBER("l1", "penalty on the absolute value of leaf values", "0", AT_LEAST_0, "lambda_l1")
    NUMBER("l2", "penalty on the square of leaf values", "1", AT_LEAST_0, "lambda_l2")
    INTEGER("max_bins", "bins of a column at most", "255", "\"minimum\": 2, \"maximum\": 65535", "max_bin")
    NUMBER("row_sample", "share of rows that a tree sees", "1", SHARE, "bagging_fraction")
    NUMBER("column_sample", "share of columns that a tree may use", "1", SHARE, "feature_fraction")
    NUMBER("category_smoothing", "Hessian added to each category before categories are ordered", "10", AT_LEAST_0,
           "cat_smooth")
    NUMBER("category_l2", "what splits of categories add to l2", "10", AT_LEAST_0, "cat_l2")
    NONE("early_stopping", "LightGBM's C interface leaves it to the caller, and this plug-in holds no rows out")
    NONE("validation_share", "this plug-in holds no rows out")
    "{\"name\": \"engine\", \"summary\": \"parameters of LightGBM under its own names\", \"default\": {}}]";

const mtlr_plugin_vtable *mtlr_plugin_v1(void) {
    static const mtlr_plugin_vtable table = {
        .struct_size = sizeof(mtlr_plugin_vtable),
        .abi_version = MTLR_PLUGIN_ABI_VERSION,
        .capabilities = MTLR_PLUGIN_CAN_REGRESSION | MTLR_PLUGIN_CAN_BINARY | MTLR_PLUGIN_CAN_MULTICLASS |
                        MTLR_PLUGIN_CAN_WEIGHTS | MTLR_PLUGIN_CAN_MISSING_VALUES | MTLR_PLUGIN_CAN_CATEGORICALS |
                        MTLR_PLUGIN_CAN_RESIDUAL_LOSS,
        .name = "lightgbm",
        .version = "1.0.0",
        .summary = "gradient-boosted trees by LightGBM, found at run time",
        .parameters = parameters,
        .create = create,
        .free_estimator = free_estimator,
        .fit = fit,
        .predict = predict,
        .serialise = serialise,
        .deserialise = deserialise,
        .free_model = free_model,
        .contributions = contributions,
        .importances = importances,
    };
    return &table;
}
