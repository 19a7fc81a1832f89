/* Fits to rows that several processes hold; here each process is a thread. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>

#include "fixture.h"

enum { MOST = 3 };

/* What the threads share: each brings its numbers, the last one combines them, and all read the result. */
typedef struct group {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int size, arrived, generation, left;
    const void *brought[MOST];
    char *result;
} group;

typedef struct member {
    group *group;
    int32_t rank;
    /* How many calls succeed before one fails; -1 for all. */
    int allowed;
    int has_left;
} member;

typedef void (*combine_function)(group *g, int64_t count, const int64_t *lengths, int32_t root);

static int32_t exchange(member *m, const void *own, void *target, size_t bytes, int64_t count, const int64_t *lengths,
                        int32_t root, combine_function combine) {
    group *g = m->group;
    if (m->allowed == 0) return 7;
    if (m->allowed > 0) m->allowed--;
    pthread_mutex_lock(&g->lock);
    g->brought[m->rank] = own;
    int generation = g->generation;
    if (++g->arrived == g->size) {
        free(g->result);
        g->result = malloc(bytes + 1);
        combine(g, count, lengths, root);
        g->arrived = 0;
        g->generation++;
        pthread_cond_broadcast(&g->changed);
    }
    while (g->generation == generation && !g->left) pthread_cond_wait(&g->changed, &g->lock);
    int32_t status = g->generation == generation ? 8 : 0;
    if (!status) memcpy(target, g->result, bytes);
    /* Nobody goes on, and changes what it brought, before all have their result: see g->brought. */
    pthread_mutex_unlock(&g->lock);
    return status;
}

static void add_integers(group *g, int64_t count, const int64_t *lengths, int32_t root) {
    (void)lengths, (void)root;
    for (int64_t index = 0; index < count; index++) {
        uint64_t sum = 0;
        for (int rank = 0; rank < g->size; rank++) sum += (uint64_t)((const int64_t *)g->brought[rank])[index];
        memcpy(g->result + 8 * index, &sum, 8);
    }
}

static void add_numbers(group *g, int64_t count, const int64_t *lengths, int32_t root) {
    (void)lengths, (void)root;
    for (int64_t index = 0; index < count; index++) {
        double sum = 0;
        for (int rank = 0; rank < g->size; rank++) sum += ((const double *)g->brought[rank])[index];
        memcpy(g->result + 8 * index, &sum, 8);
    }
}

static void take_largest(group *g, int64_t count, const int64_t *lengths, int32_t root) {
    (void)lengths, (void)root;
    for (int64_t index = 0; index < count; index++) {
        int64_t largest = INT64_MIN;
        for (int rank = 0; rank < g->size; rank++) {
            int64_t value = ((const int64_t *)g->brought[rank])[index];
            if (value > largest) largest = value;
        }
        memcpy(g->result + 8 * index, &largest, 8);
    }
}

static void take_root(group *g, int64_t count, const int64_t *lengths, int32_t root) {
    (void)lengths;
    memcpy(g->result, g->brought[root], (size_t)count);
}

static void join(group *g, int64_t count, const int64_t *lengths, int32_t root) {
    (void)count, (void)root;
    size_t place = 0;
    for (int rank = 0; rank < g->size; rank++) {
        if (lengths[rank]) memcpy(g->result + place, g->brought[rank], (size_t)lengths[rank]);
        place += (size_t)lengths[rank];
    }
}

static int32_t sum_int64(void *payload, int64_t *values, int64_t count) {
    return exchange(payload, values, values, 8 * (size_t)count, count, NULL, 0, add_integers);
}

static int32_t sum_double(void *payload, double *values, int64_t count) {
    return exchange(payload, values, values, 8 * (size_t)count, count, NULL, 0, add_numbers);
}

static int32_t max_int64(void *payload, int64_t *values, int64_t count) {
    return exchange(payload, values, values, 8 * (size_t)count, count, NULL, 0, take_largest);
}

static int32_t broadcast(void *payload, void *bytes, int64_t length, int32_t root) {
    return exchange(payload, bytes, bytes, (size_t)length, length, NULL, root, take_root);
}

static int32_t gather(void *payload, const void *bytes, int64_t length, void *all, const int64_t *lengths) {
    member *m = payload;
    size_t total = 0;
    for (int rank = 0; rank < m->group->size; rank++) total += (size_t)lengths[rank];
    CHECK(lengths[m->rank] == length);
    return exchange(payload, bytes, all, total, (int64_t)total, lengths, 0, join);
}

static void leave(void *payload) {
    member *m = payload;
    pthread_mutex_lock(&m->group->lock);
    m->has_left = m->group->left = 1;
    pthread_cond_broadcast(&m->group->changed);
    pthread_mutex_unlock(&m->group->lock);
}

static mtlr_collective collective_of(member *m) {
    mtlr_collective collective = MTLR_COLLECTIVE_INIT;
    collective.rank = m->rank;
    collective.size = m->group->size;
    collective.payload = m;
    collective.sum_int64 = sum_int64;
    collective.sum_double = sum_double;
    collective.max_int64 = max_int64;
    collective.broadcast = broadcast;
    collective.gather = gather;
    collective.leave = leave;
    return collective;
}

/* One process: its rows, what it fits, and what came out. */
typedef struct process {
    member member;
    int64_t first, rows;
    const char *spec;
    int averages;
    mtlr_model *model;
    mtlr_average_effect effect;
    mtlr_status status;
    char message[300];
    pthread_t thread;
} process;

static void keep(process *p, mtlr_status status, mtlr_error *error) {
    p->status = status;
    snprintf(p->message, sizeof p->message, "%s", error ? mtlr_error_message(error) : "");
    mtlr_error_free(error);
}

static void *fit_part(void *argument) {
    process *p = argument;
    mtlr_collective collective = collective_of(&p->member);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 1;
    execution.collective = &collective;
    mtlr_column columns[TRIAL_COLUMNS];
    memcpy(columns, t.columns, sizeof columns);
    columns[0].data = t.x0 + p->first;
    columns[1].data = t.x1 + p->first;
    columns[2].data = t.group + p->first;
    columns[3].data = t.w + p->first;
    columns[4].data = t.y + p->first;
    mtlr_table table = t.table;
    table.columns = columns;
    table.rows = p->rows;
    mtlr_dataset *dataset = NULL;
    mtlr_error *error = NULL;
    mtlr_status status = mtlr_dataset_create_part(&dataset, &table, p->spec, MTLR_DATASET_COPY, &execution, &error);
    if (status == MTLR_OK) {
        CHECK(mtlr_dataset_rows(dataset) == p->rows);
        status = mtlr_model_fit(&p->model, dataset, p->spec, &execution, &error);
    }
    if (status == MTLR_OK && p->averages) {
        status = mtlr_model_average_effects(&p->effect, 1, p->model, NULL, &execution, &error);
    }
    keep(p, status, error);
    mtlr_dataset_free(dataset);
    return NULL;
}

/* Fits on as many threads as there are shares. */
static void fit_parts(process *processes, const int64_t *shares, int size, const char *spec, int failing, int allowed) {
    group g = {.size = size};
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.changed, NULL);
    int64_t first = 0;
    for (int rank = 0; rank < size; rank++) {
        processes[rank] = (process){{&g, rank, rank == failing ? allowed : -1, 0}, first, shares[rank], spec, strstr(spec, "keep_training") == NULL, NULL, {0}, 0, "", 0};
        first += shares[rank];
        CHECK(pthread_create(&processes[rank].thread, NULL, fit_part, &processes[rank]) == 0);
    }
    for (int rank = 0; rank < size; rank++) pthread_join(processes[rank].thread, NULL);
    free(g.result);
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.changed);
}

#define TREES "{\"backend\": \"trees\", \"trees\": 10, \"min_leaf_size\": 10}"
#define TREES_SPEC                                                                                                   \
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"keep_training\": false, \"cross_fitting\": {\"folds\": 3},"             \
    " \"models\": {\"outcome\": " TREES ", \"propensity\": " TREES ", \"effect\": " TREES "}}"

static const int64_t parted[][MOST] = {{120, 120, 0}, {216, 24, 0}, {100, 0, 140}};

static void trees_are_those_of_one_process(void) {
    for (int arms = 2; arms <= 3; arms++) {
        trial_make(&t, arms);
        mtlr_dataset *dataset = make_dataset(TREES_SPEC, MTLR_DATASET_COPY);
        mtlr_model *alone = fit(dataset, TREES_SPEC, 1);
        for (int partition = 0; partition < 3; partition++) {
            process processes[MOST];
            int size = partition < 2 ? 2 : 3;
            fit_parts(processes, parted[partition], size, TREES_SPEC, -1, 0);
            for (int rank = 0; rank < size; rank++) {
                CHECK(processes[rank].status == MTLR_OK);
                if (processes[rank].status != MTLR_OK) fprintf(stderr, "%s\n", processes[rank].message);
                CHECK(processes[rank].model && same_bytes(processes[rank].model, alone));
                CHECK(mtlr_model_training_rows(processes[rank].model) == TRIAL_ROWS);
                mtlr_model_free(processes[rank].model);
            }
        }
        mtlr_model_free(alone);
        mtlr_dataset_free(dataset);
    }
}

static void linear_models_are_nearly_those_of_one_process(const char *spec) {
    trial_make(&t, 2);
    mtlr_dataset *dataset = make_dataset(spec, MTLR_DATASET_COPY);
    mtlr_model *alone = fit(dataset, spec, 1);
    static double expected[TRIAL_ROWS], effects[TRIAL_ROWS];
    SUCCEEDS(mtlr_model_predict(expected, TRIAL_ROWS, NULL, alone, &t.table, NULL, NULL, &error));
    mtlr_average_effect average;
    SUCCEEDS(mtlr_model_average_effects(&average, 1, alone, NULL, NULL, &error));
    for (int partition = 0; partition < 3; partition++) {
        process processes[MOST];
        int size = partition < 2 ? 2 : 3;
        fit_parts(processes, parted[partition], size, spec, -1, 0);
        for (int rank = 0; rank < size; rank++) {
            CHECK(processes[rank].status == MTLR_OK);
            if (processes[rank].status != MTLR_OK) fprintf(stderr, "%s\n", processes[rank].message);
            SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, processes[rank].model, &t.table, NULL, NULL, &error));
            for (int row = 0; row < TRIAL_ROWS; row++) {
                double difference = effects[row] - expected[row];
                CHECK(difference < 1e-9 && difference > -1e-9);
            }
            CHECK(fabs(processes[rank].effect.estimate - average.estimate) < 1e-9);
            CHECK(fabs(processes[rank].effect.std_error - average.std_error) < 1e-9);
            mtlr_model_free(processes[rank].model);
        }
    }
    mtlr_model_free(alone);
    mtlr_dataset_free(dataset);
}

/* Wherever a call fails, no process hangs and none gets a model. */
static void a_failing_call_ends_all(void) {
    trial_make(&t, 2);
    for (int allowed = 0; allowed < 400; allowed = allowed < 20 ? allowed + 1 : allowed * 2) {
        process processes[MOST];
        fit_parts(processes, parted[0], 2, TREES_SPEC, 1, allowed);
        for (int rank = 0; rank < 2; rank++) {
            CHECK(processes[rank].status == MTLR_INPUT_OUTPUT);
            CHECK(!processes[rank].model);
            CHECK(strstr(processes[rank].message, "a call of process") != NULL);
        }
        CHECK(processes[1].member.has_left);
    }
}

/* What one process alone does wrong, the others are told. */
static void an_error_of_one_is_told_to_all(void) {
    trial_make(&t, 2);
    t.y[200] = NAN;
    process processes[MOST];
    fit_parts(processes, parted[0], 2, TREES_SPEC, -1, 0);
    CHECK(processes[0].status == MTLR_INVALID_DATA && processes[1].status == MTLR_INVALID_DATA);
    CHECK(strstr(processes[0].message, "process 1 of 2 ended the work") != NULL);
    CHECK(strstr(processes[1].message, "row index 80") != NULL);
    trial_make(&t, 2);
    /* Another spec in each process is no model of either. */
    group g = {.size = 2};
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.changed, NULL);
    for (int rank = 0; rank < 2; rank++) {
        processes[rank] = (process){{&g, rank, -1, 0}, 120 * rank, 120, rank ? TRIAL_SPEC : TREES_SPEC, 0, NULL, {0}, 0, "", 0};
        CHECK(pthread_create(&processes[rank].thread, NULL, fit_part, &processes[rank]) == 0);
    }
    for (int rank = 0; rank < 2; rank++) {
        pthread_join(processes[rank].thread, NULL);
        CHECK(processes[rank].status != MTLR_OK && !processes[rank].model);
    }
    free(g.result);
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.changed);
}

/* A process that never comes to its dataset tells the others why. */
static void who_cannot_begin_says_so(void) {
    trial_make(&t, 2);
    group g = {.size = 2};
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.changed, NULL);
    process other = {{&g, 0, -1, 0}, 0, 120, TREES_SPEC, 0, NULL, {0}, 0, "", 0};
    CHECK(pthread_create(&other.thread, NULL, fit_part, &other) == 0);
    member own = {&g, 1, -1, 0};
    mtlr_collective collective = collective_of(&own);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.collective = &collective;
    SUCCEEDS(mtlr_collective_refuse(MTLR_INPUT_OUTPUT, "there is no file 'rows.csv'", &execution, &error));
    pthread_join(other.thread, NULL);
    CHECK(other.status == MTLR_INPUT_OUTPUT && !other.model);
    CHECK(strstr(other.message, "process 1 of 2 ended the work") && strstr(other.message, "there is no file 'rows.csv'"));
    free(g.result);
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.changed);
}

static void what_cannot_be_is_refused(void) {
    trial_make(&t, 2);
    process p = {{&(group){.size = 1}, 0, -1, 0}, 0, TRIAL_ROWS, TREES_SPEC, 0, NULL, {0}, 0, "", 0};
    pthread_mutex_init(&p.member.group->lock, NULL);
    pthread_cond_init(&p.member.group->changed, NULL);
    mtlr_collective collective = collective_of(&p.member);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    mtlr_dataset *dataset = NULL, *part = NULL;
    mtlr_model *model = NULL;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "execution.collective",
                 mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, &execution, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "execution.collective",
                 mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, NULL, &error));
    execution.collective = &collective;
    collective.struct_size = 8;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "struct_size", mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, &execution, &error));
    collective = collective_of(&p.member);
    collective.rank = 1;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "rank 1 of 1", mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, &execution, &error));
    collective = collective_of(&p.member);
    collective.gather = NULL;
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "gather", mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, &execution, &error));
    collective = collective_of(&p.member);
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create_part(NULL, &t.table, TREES_SPEC, 0, &execution, &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create_part(&part, NULL, TREES_SPEC, 0, &execution, &error));
    FAILS(MTLR_INVALID_ARGUMENT, mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 9, &execution, &error));
    SUCCEEDS(mtlr_dataset_create_part(&part, &t.table, TREES_SPEC, 0, &execution, &error));
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TREES_SPEC, 0, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "without the other processes",
                 mtlr_model_fit(&model, dataset, TREES_SPEC, &execution, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "part of the rows", mtlr_model_fit(&model, part, TREES_SPEC, NULL, &error));
    FAILS_SAYING(MTLR_UNSUPPORTED, "these can: ",
                 mtlr_model_fit(&model, part, "{\"learner\": \"t\", \"models\": {\"outcome\": \"constant\"}}", &execution, &error));
    FAILS_SAYING(MTLR_UNSUPPORTED, "early_stopping",
                 mtlr_model_fit(&model, part,
                                "{\"learner\": \"t\", \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 9, \"early_stopping\": 5}}}",
                                &execution, &error));
    SUCCEEDS(mtlr_model_fit(&model, part, TREES_SPEC, &execution, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "problem", mtlr_collective_refuse(MTLR_INVALID_DATA, NULL, &execution, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "kind", mtlr_collective_refuse(MTLR_OK, "nothing", &execution, &error));
    FAILS_SAYING(MTLR_INVALID_ARGUMENT, "execution.collective", mtlr_collective_refuse(MTLR_INVALID_DATA, "nothing", NULL, &error));
    mtlr_model_free(model);
    mtlr_dataset_free(part);
    mtlr_dataset_free(dataset);
    free(p.member.group->result);
}

int main(void) {
    trees_are_those_of_one_process();
    linear_models_are_nearly_those_of_one_process(TRIAL_SPEC);
    // Without a learner: auto.
    linear_models_are_nearly_those_of_one_process("{" TRIAL_DATA ", \"cross_fitting\": {\"folds\": 3}}");
    a_failing_call_ends_all();
    an_error_of_one_is_told_to_all();
    who_cannot_begin_says_so();
    what_cannot_be_is_refused();
    return finish("collective");
}
