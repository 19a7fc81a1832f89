/*
 * Effects of a coaching programme, from C: reads nothing but metalearners.h.
 *
 *     cc -std=c99 mindset.c $(pkg-config --cflags --libs metalearners) -o mindset && ./mindset
 *
 * Pupils are drawn at random. Coaching helps by 0.5 * motivation, so by 0.25 on average; motivated pupils seek it
 * more often and would do better anyway, so that a plain difference of means overstates what coaching does.
 */
#include <metalearners.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 2000

static double motivation[ROWS], grade[ROWS];
static int8_t school[ROWS], coached[ROWS];
static const char *const schools[] = {"North", "South", "West"};

/* A small generator of uniform numbers in [0, 1), so that the program prints the same everywhere. */
static double uniform(void) {
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) / 9007199254740992.0;
}

static void draw_pupils(void) {
    for (int row = 0; row < ROWS; row++) {
        double noise = uniform() + uniform() + uniform() - 1.5;
        motivation[row] = uniform();
        school[row] = (int8_t)(3 * uniform());
        coached[row] = uniform() < 0.2 + 0.6 * motivation[row];
        grade[row] = 2 * motivation[row] + 0.3 * school[row] + 0.5 * motivation[row] * coached[row] + noise;
    }
}

/* Says what went wrong and ends the program. */
static void stop(mtlr_error *error) {
    fprintf(stderr, "%s\n", mtlr_error_message(error));
    mtlr_error_free(error);
    exit(1);
}

int main(void) {
    mtlr_error *error = NULL;
    draw_pupils();

    /* A table points into our arrays. */
    mtlr_column columns[] = {
        {"motivation", motivation, 0, NULL, 0, MTLR_FLOAT64, 0},
        {"school", school, 0, schools, 3, MTLR_INT8, 0},
        {"coached", coached, 0, NULL, 0, MTLR_INT8, 0},
        {"grade", grade, 0, NULL, 0, MTLR_FLOAT64, 0},
    };
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = ROWS;
    table.columns = columns;
    table.column_count = 4;

    /* The spec is JSON: a DR-learner on linear models. */
    const char *spec = "{\"data\": {\"treatment\": \"coached\", \"outcome\": \"grade\"}, \"learner\": \"dr\","
                       " \"models\": {\"outcome\": {\"backend\": \"ridge\"}, \"effect\": {\"backend\": \"ridge\"}}}";
    mtlr_dataset *dataset;
    if (mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_COPY, &error)) stop(error);
    printf("%" PRId64 " pupils, %" PRId64 " arms\n", mtlr_dataset_rows(dataset), mtlr_dataset_arm_count(dataset));

    mtlr_model *model;
    if (mtlr_model_fit(&model, dataset, spec, NULL, &error)) stop(error);

    mtlr_average_effect effect;
    if (mtlr_model_average_effects(&effect, 1, model, NULL, NULL, &error)) stop(error);
    printf("average effect %.3f, 95 %% interval %.3f to %.3f\n", effect.estimate, effect.lower, effect.upper);

    /* Save, load, and predict two new pupils of the South: outcome and treatment are not needed. */
    const char *path = "mindset.mtlr";
    if (mtlr_model_save(model, path, &error)) stop(error);
    mtlr_model *loaded;
    if (mtlr_model_load(&loaded, path, &error)) stop(error);
    remove(path);

    const double new_motivation[] = {0.1, 0.9};
    const int8_t new_school[] = {1, 1};
    mtlr_column new_columns[] = {
        {"motivation", new_motivation, 0, NULL, 0, MTLR_FLOAT64, 0},
        {"school", new_school, 0, schools, 3, MTLR_INT8, 0},
    };
    mtlr_table new_pupils = MTLR_TABLE_INIT;
    new_pupils.rows = 2;
    new_pupils.columns = new_columns;
    new_pupils.column_count = 2;
    double effects[2], again[2];
    if (mtlr_model_predict(effects, 2, NULL, model, &new_pupils, NULL, NULL, &error)) stop(error);
    if (mtlr_model_predict(again, 2, NULL, loaded, &new_pupils, NULL, NULL, &error)) stop(error);
    printf("effect at motivation 0.1: %.3f, at 0.9: %.3f\n", effects[0], effects[1]);
    printf("the loaded model says %s\n", effects[0] == again[0] && effects[1] == again[1] ? "the same" : "otherwise");

    /* A mistake in the spec is an error that says what to do. */
    mtlr_model *none;
    mtlr_status status = mtlr_model_fit(&none, dataset, "{\"lerner\": \"dr\"}", NULL, &error);
    printf("status %" PRId32 " (%s): %s\n", status, mtlr_status_name(status), mtlr_error_message(error));
    mtlr_error_free(error);

    mtlr_model_free(loaded);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return 0;
}
