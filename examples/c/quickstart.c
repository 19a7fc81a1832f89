#include <metalearners.h>
#include <stdio.h>

int main(void)
{
    /* Age, arm (0 or 1) and outcome of 40 people: any number of columns will do. */
    double age[40], arm[40], score[40], effects[40];
    for (int i = 0; i < 40; i++) {
        age[i] = 20 + i % 8;
        arm[i] = i % 2;
        score[i] = 0.1 * age[i] + arm[i] * (1 + 0.2 * (i % 5));
    }
    mtlr_column columns[] = {
        {"age", age, 0, NULL, 0, MTLR_FLOAT64, 0},
        {"coached", arm, 0, NULL, 0, MTLR_FLOAT64, 0},
        {"score", score, 0, NULL, 0, MTLR_FLOAT64, 0},
    };
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = 40;
    table.columns = columns;
    table.column_count = 3;
    const char *spec = "{\"data\": {\"treatment\": \"coached\", \"outcome\": \"score\"}, \"learner\": \"dr\","
                       " \"models\": {\"outcome\": \"ridge\", \"effect\": \"ridge\"}}";

    mtlr_error *error = NULL;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL;
    mtlr_average_effect ate;
    int ok = mtlr_dataset_create(&dataset, &table, spec, MTLR_DATASET_COPY, &error) == MTLR_OK
        && mtlr_model_fit(&model, dataset, spec, NULL, &error) == MTLR_OK
        && mtlr_model_predict(effects, 40, NULL, model, &table, NULL, NULL, &error) == MTLR_OK
        && mtlr_model_average_effects(&ate, 1, model, NULL, NULL, &error) == MTLR_OK;
    if (ok)
        printf("ATE %.3f (%.3f to %.3f); first person %.3f\n", ate.estimate, ate.lower, ate.upper, effects[0]);
    else
        fprintf(stderr, "%s\n", mtlr_error_message(error));

    mtlr_error_free(error);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return ok ? 0 : 1;
}
