/* Registries: base learners that this program implements, and plug-ins from files. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <metalearners_plugin.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trial.h"

#define BAD MTLR_INVALID_ARGUMENT

static trial t;
static mtlr_error *error = NULL;

/* ------------------------------------------------------------------------- a base learner: weighted means --- */

typedef struct means {
    int fits, estimators, models, releases, inside;
    int fails;
    pthread_mutex_t lock;
    /* Where calls are to be made, if that matters, and how many were made elsewhere. */
    int has_home, elsewhere;
    pthread_t home;
} means;

struct mtlr_plugin_estimator {
    double shift;
};
struct mtlr_plugin_model {
    int64_t outputs;
    double value[8];
};

static void count(means *m, int *counter, int by) {
    pthread_mutex_lock(&m->lock);
    *counter += by;
    m->elsewhere += m->has_home && !pthread_equal(m->home, pthread_self());
    pthread_mutex_unlock(&m->lock);
}

static mtlr_plugin_status create(void *payload, const mtlr_plugin_spec *spec, mtlr_plugin_estimator **estimator,
                                 mtlr_plugin_error *failure) {
    (void)failure;
    *estimator = malloc(sizeof **estimator);
    (*estimator)->shift = mtlr_plugin_parameter(spec, "shift")->number;
    count(payload, &((means *)payload)->estimators, 1);
    return MTLR_PLUGIN_OK;
}

static void free_estimator(void *payload, mtlr_plugin_estimator *estimator) {
    count(payload, &((means *)payload)->estimators, -1);
    free(estimator);
}

static mtlr_plugin_status fit(void *payload, const mtlr_plugin_estimator *estimator, const mtlr_plugin_task *task,
                              const mtlr_plugin_execution *execution, mtlr_plugin_model **model,
                              mtlr_plugin_error *failure) {
    means *m = payload;
    count(m, &m->fits, 1);
    if (m->fails) {
        snprintf(failure->text, failure->capacity, "the host program says no");
        return MTLR_PLUGIN_NUMERICAL_FAILURE;
    }
    /* One call at a time is what MTLR_PLUGIN_SERIAL asks for: no lock needed here. */
    m->inside++;
    if (m->inside != 1 || !execution->progress(execution->host, 0, 1)) return MTLR_PLUGIN_INTERNAL_FAULT;
    mtlr_plugin_model *made = calloc(1, sizeof *made);
    double total = 0;
    made->outputs = task->class_count ? task->class_count : 1;
    for (int64_t i = 0; i < task->row_count; i++) {
        double w = task->weights ? task->weights[task->rows[i]] : 1, y = task->target[task->rows[i]];
        total += w;
        if (task->class_count) made->value[(int)y] += w;
        else made->value[0] += w * (y + estimator->shift);
    }
    for (int64_t k = 0; k < made->outputs; k++) made->value[k] /= total;
    *model = made;
    count(m, &m->models, 1);
    m->inside--;
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status predict(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_table *features,
                                  const int32_t *rows, int64_t row_count, double *predictions,
                                  const mtlr_plugin_execution *execution, mtlr_plugin_error *failure) {
    (void)payload, (void)features, (void)rows, (void)execution, (void)failure;
    for (int64_t i = 0; i < row_count * model->outputs; i++) predictions[i] = model->value[i % model->outputs];
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status serialise(void *payload, const mtlr_plugin_model *model, const mtlr_plugin_sink *sink,
                                    mtlr_plugin_error *failure) {
    (void)payload, (void)failure;
    sink->write(sink->host, model, sizeof *model);
    return MTLR_PLUGIN_OK;
}

static mtlr_plugin_status deserialise(void *payload, const void *bytes, size_t length, const char *version,
                                      mtlr_plugin_model **model, mtlr_plugin_error *failure) {
    (void)failure;
    if (length != sizeof **model || strcmp(version, "3") != 0) return MTLR_PLUGIN_CORRUPT_MODEL;
    *model = malloc(length);
    memcpy(*model, bytes, length);
    count(payload, &((means *)payload)->models, 1);
    return MTLR_PLUGIN_OK;
}

static void free_model(void *payload, mtlr_plugin_model *model) {
    count(payload, &((means *)payload)->models, -1);
    free(model);
}

static void release(void *payload) { ((means *)payload)->releases++; }

static mtlr_plugin_vtable table_of(means *payload) {
    mtlr_plugin_vtable table;
    memset(&table, 0, sizeof table);
    table.struct_size = sizeof table;
    table.abi_version = MTLR_PLUGIN_ABI_VERSION;
    table.capabilities = MTLR_PLUGIN_CAN_REGRESSION | MTLR_PLUGIN_CAN_BINARY | MTLR_PLUGIN_CAN_MULTICLASS |
                         MTLR_PLUGIN_CAN_WEIGHTS | MTLR_PLUGIN_CAN_CATEGORICALS | MTLR_PLUGIN_CAN_MISSING_VALUES;
    table.flags = MTLR_PLUGIN_SERIAL;
    table.name = "means";
    table.version = "3";
    table.summary = "weighted means, by this program";
    table.parameters = "[{\"name\": \"shift\", \"summary\": \"what is added\", \"default\": 0}]";
    table.payload = payload;
    table.create = create;
    table.free_estimator = free_estimator;
    table.fit = fit;
    table.predict = predict;
    table.serialise = serialise;
    table.deserialise = deserialise;
    table.free_model = free_model;
    table.release = release;
    return table;
}

/* ---------------------------------------------------------------------------------------------------- tests --- */

#define SPEC(learner, backend)                                                                                         \
    "{" TRIAL_DATA ", \"learner\": \"" learner "\", \"models\": {\"outcome\": {\"backend\": \"" backend                \
    "\"}, \"propensity\": {\"backend\": \"logistic\"}, \"effect\": {\"backend\": \"" backend                           \
    "\"}}, \"cross_fitting\": {\"folds\": 3}}"

static mtlr_dataset *dataset = NULL;

static void refusals(void) {
    mtlr_registry *registry = NULL, *none = (mtlr_registry *)dataset;
    mtlr_model *model = (mtlr_model *)&t;
    char *json = (char *)&t;
    const uint8_t byte = 'M';
    mtlr_plugin_vtable table = table_of(NULL);
    FAILS(BAD, mtlr_registry_create(NULL, &error));
    CHECK(mtlr_registry_create(NULL, NULL) == BAD);
    SUCCEEDS(mtlr_registry_create(&registry, &error));
    CHECK(registry != NULL);
    mtlr_registry *const bad[] = {NULL, none, (mtlr_registry *)((char *)registry + 1)};
    for (int index = 0; index < 3; index++) {
        FAILS(BAD, mtlr_registry_load_plugin(bad[index], "knn.so", &error));
        FAILS(BAD, mtlr_registry_add_callbacks(bad[index], &table, &error));
        json = (char *)&t;
        FAILS(BAD, mtlr_registry_backends(&json, bad[index], &error));
        CHECK(json == NULL);
        FAILS(BAD, mtlr_registry_resolve_spec(&json, bad[index], NULL, &error));
        model = (mtlr_model *)&t;
        FAILS(BAD, mtlr_registry_load_model(&model, bad[index], "none.mtlr", &error));
        CHECK(model == NULL);
        FAILS(BAD, mtlr_registry_read_model(&model, bad[index], &byte, 1, &error));
    }
    FAILS(BAD, mtlr_registry_load_plugin(registry, NULL, &error));
    FAILS(BAD, mtlr_registry_load_plugin(registry, "", &error));
    FAILS(BAD, mtlr_registry_load_plugin(registry, "\xFF", &error));
    FAILS_SAYING(MTLR_INPUT_OUTPUT, "/no/such.so", mtlr_registry_load_plugin(registry, "/no/such.so", &error));
    FAILS(MTLR_UNSUPPORTED, mtlr_registry_load_plugin(registry, "registry.txt", &error));
    FAILS(BAD, mtlr_registry_add_callbacks(registry, NULL, &error));
    CHECK(mtlr_registry_load_plugin(NULL, NULL, NULL) == BAD && mtlr_registry_add_callbacks(NULL, NULL, NULL) == BAD);
    FAILS(BAD, mtlr_registry_backends(NULL, registry, &error));
    FAILS(BAD, mtlr_registry_resolve_spec(NULL, registry, "{}", &error));
    FAILS(MTLR_INVALID_SPEC, mtlr_registry_resolve_spec(&json, registry, "{", &error));
    FAILS(BAD, mtlr_registry_load_model(NULL, registry, "none.mtlr", &error));
    FAILS(BAD, mtlr_registry_load_model(&model, registry, NULL, &error));
    FAILS(MTLR_INPUT_OUTPUT, mtlr_registry_load_model(&model, registry, "none.mtlr", &error));
    FAILS(BAD, mtlr_registry_read_model(NULL, registry, &byte, 1, &error));
    FAILS(BAD, mtlr_registry_read_model(&model, registry, NULL, 1, &error));
    FAILS(BAD, mtlr_registry_read_model(&model, registry, &byte, -1, &error));
    FAILS(MTLR_CORRUPT_MODEL, mtlr_registry_read_model(&model, registry, &byte, 1, &error));
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.registry = none;
    FAILS(BAD, mtlr_model_fit(&model, dataset, SPEC("t", "ridge"), &execution, &error));
    mtlr_registry_free(none);
    mtlr_registry_free(NULL);
    CHECK(mtlr_dataset_rows(dataset) == TRIAL_ROWS);
    mtlr_registry_free(registry);
}

static void tables(void) {
    mtlr_registry *registry = NULL;
    means m;
    memset(&m, 0, sizeof m);
    SUCCEEDS(mtlr_registry_create(&registry, &error));
    mtlr_plugin_vtable table = table_of(&m);
    table.abi_version = 0;
    FAILS_SAYING(MTLR_UNSUPPORTED, "version 0", mtlr_registry_add_callbacks(registry, &table, &error));
    table = table_of(&m);
    table.struct_size--;
    FAILS_SAYING(BAD, "struct_size", mtlr_registry_add_callbacks(registry, &table, &error));
    table = table_of(&m);
    table.fit = NULL;
    FAILS_SAYING(BAD, "'fit'", mtlr_registry_add_callbacks(registry, &table, &error));
    table = table_of(&m);
    table.name = "ridge";
    FAILS_SAYING(BAD, "taken", mtlr_registry_add_callbacks(registry, &table, &error));
    table = table_of(&m);
    SUCCEEDS(mtlr_registry_add_callbacks(registry, &table, &error));
    FAILS_SAYING(BAD, "taken", mtlr_registry_add_callbacks(registry, &table, &error));
    CHECK(m.releases == 0);
    mtlr_registry_free(registry);
    CHECK(m.releases == 1);
}

static void callbacks(void) {
    mtlr_registry *registry = NULL;
    mtlr_model *model = NULL, *copy = NULL;
    uint8_t *bytes = NULL;
    int64_t length = 0;
    char *json = NULL;
    double effects[TRIAL_ROWS], again[TRIAL_ROWS];
    means m;
    memset(&m, 0, sizeof m);
    pthread_mutex_init(&m.lock, NULL);
    mtlr_plugin_vtable table = table_of(&m);
    SUCCEEDS(mtlr_registry_create(&registry, &error));
    SUCCEEDS(mtlr_registry_add_callbacks(registry, &table, &error));
    memset(&table, 0, sizeof table); /* copied */
    SUCCEEDS(mtlr_registry_backends(&json, registry, &error));
    CHECK(strstr(json, "\"means\"") && strstr(json, "\"callbacks\"") && strstr(json, "\"shift\""));
    CHECK(strstr(json, "\"common\"") && strstr(json, "\"ridge\""));
    mtlr_string_free(json);
    SUCCEEDS(mtlr_registry_resolve_spec(&json, registry, SPEC("dr", "means"), &error));
    CHECK(strstr(json, "\"shift\": 0"));
    mtlr_string_free(json);
    SUCCEEDS(mtlr_registry_resolve_spec(&json, registry, NULL, &error));
    mtlr_string_free(json);
    CHECK(m.estimators == 0);

    FAILS_SAYING(MTLR_INVALID_SPEC, "means", mtlr_model_fit(&model, dataset, SPEC("dr", "means"), NULL, &error));
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.registry = registry;
    execution.threads = 4;
    SUCCEEDS(mtlr_model_fit(&model, dataset, SPEC("dr", "means"), &execution, &error));
    CHECK(m.fits > 6 && m.estimators == 0 && m.models > 0);
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    CHECK(effects[0] == effects[TRIAL_ROWS - 1]);
    SUCCEEDS(mtlr_model_to_bytes(&bytes, &length, model, &error));
    SUCCEEDS(mtlr_model_save(model, "means.mtlr", &error));
    FAILS_SAYING(MTLR_UNSUPPORTED, "'means' 3", mtlr_model_from_bytes(&copy, bytes, length, &error));
    CHECK(copy == NULL);
    FAILS_SAYING(MTLR_UNSUPPORTED, "add_callbacks", mtlr_model_load(&copy, "means.mtlr", &error));
    SUCCEEDS(mtlr_registry_read_model(&copy, registry, bytes, length, &error));
    SUCCEEDS(mtlr_model_predict(again, TRIAL_ROWS, NULL, copy, &t.table, NULL, NULL, &error));
    CHECK(memcmp(effects, again, sizeof effects) == 0);
    mtlr_model_free(copy);
    SUCCEEDS(mtlr_registry_load_model(&copy, registry, "means.mtlr", &error));
    mtlr_bytes_free(bytes);
    remove("means.mtlr");

    m.fails = 1;
    mtlr_model *failed = (mtlr_model *)&t;
    FAILS_SAYING(MTLR_NUMERICAL_FAILURE, "the host program says no",
                 mtlr_model_fit(&failed, dataset, SPEC("t", "means"), &execution, &error));
    CHECK(failed == NULL);

    /* A structure without its last members was never released. */
    m.fails = 0;
    execution.struct_size = offsetof(mtlr_execution, registry);
    FAILS_SAYING(BAD, "struct_size", mtlr_model_fit(&failed, dataset, SPEC("t", "means"), &execution, &error));

    /* Models outlive the registry, and the payload lives as long as they. */
    mtlr_registry_free(registry);
    CHECK(m.releases == 0);
    mtlr_model_free(model);
    SUCCEEDS(mtlr_model_predict(again, TRIAL_ROWS, NULL, copy, &t.table, NULL, NULL, &error));
    CHECK(memcmp(effects, again, sizeof effects) == 0 && m.releases == 0);
    mtlr_model_free(copy);
    CHECK(m.releases == 1 && m.models == 0);
    pthread_mutex_destroy(&m.lock);
}

static int32_t go_on(void *payload) {
    (void)payload;
    return 0;
}

/* A base learner that lives on one thread is called there, whatever threads work. */
static void caller_thread(void) {
    mtlr_registry *registry = NULL;
    mtlr_model *model = NULL, *one = NULL;
    static double effects[TRIAL_ROWS], again[TRIAL_ROWS];
    means m;
    memset(&m, 0, sizeof m);
    pthread_mutex_init(&m.lock, NULL);
    m.has_home = 1;
    m.home = pthread_self();
    mtlr_plugin_vtable table = table_of(&m);
    table.flags = MTLR_PLUGIN_CALLER_THREAD;
    SUCCEEDS(mtlr_registry_create(&registry, &error));
    SUCCEEDS(mtlr_registry_add_callbacks(registry, &table, &error));
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.registry = registry;
    execution.threads = 4;
    execution.poll = go_on;
    SUCCEEDS(mtlr_model_fit(&model, dataset, SPEC("dr", "means"), &execution, &error));
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, &error));
    mtlr_study *study = NULL;
    mtlr_analysis *answer = NULL;
    SUCCEEDS(mtlr_study_create(&study, model, dataset, NULL, &execution, &error));
    SUCCEEDS(mtlr_analysis_run(&answer, study, "\"aipw\"", &execution, &error));
    mtlr_analysis_free(answer);
    mtlr_study_free(study);
    CHECK(m.fits > 6 && m.elsewhere == 0);
    /* One thread is the caller's own. */
    execution.poll = NULL;
    execution.threads = 1;
    SUCCEEDS(mtlr_model_fit(&one, dataset, SPEC("dr", "means"), &execution, &error));
    SUCCEEDS(mtlr_model_predict(again, TRIAL_ROWS, NULL, one, &t.table, NULL, &execution, &error));
    CHECK(memcmp(effects, again, sizeof effects) == 0 && m.elsewhere == 0);
    mtlr_model_free(one);
    /* Without either it is refused, unless the caller's own thread happens to do it all. */
    execution.threads = 4;
    const mtlr_status status = mtlr_model_fit(&one, dataset, SPEC("dr", "means"), &execution, &error);
    CHECK(status == MTLR_OK || (status == MTLR_UNSUPPORTED && strstr(mtlr_error_message(error), "poll")));
    mtlr_error_free(error);
    error = NULL;
    mtlr_model_free(one);
    mtlr_model_free(model);
    mtlr_registry_free(registry);
    CHECK(m.releases == 1 && m.models == 0 && m.estimators == 0);
    pthread_mutex_destroy(&m.lock);
}

static void *caller_thread_of(void *payload) {
    (void)payload;
    caller_thread();
    return NULL;
}

/* The same where the library moves the work to a thread of its own: in the child of a fork, and on a small stack. */
static void caller_thread_elsewhere(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        failures = 0;
        caller_thread();
        /* Success ends at once: what threads of the parent held is lost to the child, which valgrind would call a leak. */
        if (failures == 0) raise(SIGKILL);
        _exit(1);
    }
    int ended = 0;
    CHECK(child > 0 && waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);

    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
    CHECK(pthread_create(&thread, &attributes, caller_thread_of, NULL) == 0 && pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

static void plugins(void) {
    mtlr_registry *registry = NULL;
    mtlr_model *model = NULL, *copy = NULL;
    char *json = NULL, file[4096], spec[8192];
    double effects[TRIAL_ROWS];
    SUCCEEDS(mtlr_registry_create(&registry, &error));
    SUCCEEDS(mtlr_registry_load_plugin(registry, "./knn.so", &error));
    SUCCEEDS(mtlr_registry_load_plugin(registry, "./knn.so", &error));
    SUCCEEDS(mtlr_registry_backends(&json, registry, &error));
    CHECK(strstr(json, "knn.so") && strstr(json, "\"neighbours\""));
    mtlr_string_free(json);
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.registry = registry;
    /* The trial has categories, which neighbours cannot do, and says who can. */
    FAILS_SAYING(MTLR_UNSUPPORTED, "categoricals",
                 mtlr_model_fit(&model, dataset, SPEC("t", "knn"), &execution, &error));

    mtlr_dataset *numbers = NULL;
    static const char data[] = "{\"data\": {\"treatment\": \"w\", \"outcome\": \"y\", \"exclude\": [\"group\"]}}";
    static const char models[] = "\"learner\": \"r\", \"models\": {\"outcome\": \"knn\", \"propensity\": \"logistic\","
                                 " \"effect\": {\"backend\": \"knn\", \"neighbours\": 40}}";
    SUCCEEDS(mtlr_dataset_create(&numbers, &t.table, data, 0, &error));
    snprintf(spec, sizeof spec, "{%s}", models);
    SUCCEEDS(mtlr_model_fit(&model, numbers, spec, &execution, &error));
    SUCCEEDS(mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, NULL, &error));
    SUCCEEDS(mtlr_model_save(model, "knn.mtlr", &error));
    FAILS_SAYING(MTLR_UNSUPPORTED, "'knn' 1.0.0", mtlr_model_load(&copy, "knn.mtlr", &error));
    SUCCEEDS(mtlr_registry_load_model(&copy, registry, "knn.mtlr", &error));
    mtlr_model_free(copy);
    mtlr_model_free(model);

    /* Named in the spec, and nowhere in what comes of it. */
    CHECK(realpath("knn.so", file) != NULL);
    snprintf(spec, sizeof spec, "{\"plugins\": [\"%s\"], %s}", file, models);
    SUCCEEDS(mtlr_model_fit(&model, numbers, spec, NULL, &error));
    SUCCEEDS(mtlr_model_spec(&json, model, &error));
    CHECK(strstr(json, "\"plugins\": []") && !strstr(json, file));
    mtlr_string_free(json);
    mtlr_model_free(model);
    snprintf(spec, sizeof spec, "{\"plugins\": [\"/no/such.so\"], %s}", models);
    FAILS_SAYING(MTLR_INPUT_OUTPUT, "/no/such.so", mtlr_model_fit(&model, numbers, spec, NULL, &error));
    mtlr_dataset_free(numbers);
    mtlr_registry_free(registry);
    remove("knn.mtlr");
}

int main(void) {
    FILE *text = fopen("registry.txt", "w");
    if (text) fputs("no library\n", text), fclose(text);
    trial_make(&t, 2);
    SUCCEEDS(mtlr_dataset_create(&dataset, &t.table, TRIAL_SPEC, 0, &error));
    refusals();
    tables();
    callbacks();
    caller_thread();
    caller_thread_elsewhere();
    plugins();
    mtlr_dataset_free(dataset);
    remove("registry.txt");
    return finish("registry");
}
