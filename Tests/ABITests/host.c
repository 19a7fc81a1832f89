/* Hosts with a locale, limits, signal handlers, a mask and threads of their own: the library leaves all of them alone. */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trial.h"

#define SPEC                                                                                                         \
    "{" TRIAL_DATA ", \"learner\": \"dr\", \"cross_fitting\": {\"folds\": 2}, \"overlap\": {\"policy\": \"clip\","  \
    " \"bounds\": [0.0125, 0.975]}, \"models\": {\"outcome\": {\"backend\": \"trees\", \"trees\": 8, \"learning_rate\": 0.25}," \
    " \"propensity\": {\"backend\": \"logistic\", \"l2\": 1.5e-2}, \"effect\": {\"backend\": \"ridge\"}}}"

static trial t;
static uint8_t *expected;
static int64_t expected_length;

/* Everything that a host does with a model; 0 where it gives the expected bytes. */
static int work(const char *folder, int threads) {
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = threads;
    mtlr_dataset *dataset = NULL;
    mtlr_model *model = NULL, *loaded = NULL;
    uint8_t *bytes = NULL;
    int64_t length = 0;
    char *text = NULL;
    char path[4096];
    double effects[TRIAL_ROWS], again[TRIAL_ROWS];
    mtlr_average_effect average;
    mtlr_averaging averaging = MTLR_AVERAGING_INIT;
    snprintf(path, sizeof path, "%s/%d-%lx.mtlr", folder, threads, (unsigned long)pthread_self());
    if (mtlr_spec_resolve(&text, SPEC, NULL) != MTLR_OK || !strstr(text, "0.0125") || !strstr(text, "0.015")) return 1;
    mtlr_string_free(text);
    if (mtlr_dataset_create(&dataset, &t.table, SPEC, MTLR_DATASET_COPY, NULL) != MTLR_OK) return 2;
    if (mtlr_model_fit(&model, dataset, SPEC, &execution, NULL) != MTLR_OK) return 3;
    if (mtlr_model_to_bytes(&bytes, &length, model, NULL) != MTLR_OK) return 4;
    if (expected != NULL && (length != expected_length || memcmp(bytes, expected, (size_t)length) != 0)) return 5;
    if (mtlr_model_save(model, path, NULL) != MTLR_OK) return 6;
    if (mtlr_model_load(&loaded, path, NULL) != MTLR_OK) return 7;
    if (mtlr_model_predict(effects, TRIAL_ROWS, NULL, model, &t.table, NULL, &execution, NULL) != MTLR_OK) return 8;
    if (mtlr_model_predict(again, TRIAL_ROWS, NULL, loaded, &t.table, NULL, &execution, NULL) != MTLR_OK) return 9;
    if (memcmp(effects, again, sizeof effects) != 0) return 10;
    mtlr_table row = t.table;
    row.rows = 1;
    if (mtlr_model_predict(again, 1, NULL, loaded, &row, NULL, &execution, NULL) != MTLR_OK) return 11;
    if (again[0] != effects[0]) return 12;
    averaging.dataset = dataset;
    if (mtlr_model_average_effects(&average, 1, model, &averaging, &execution, NULL) != MTLR_OK) return 13;
    if (mtlr_model_summary(&text, model, NULL) != MTLR_OK) return 14;
    mtlr_string_free(text);
    if (expected == NULL) {
        expected = bytes;
        expected_length = length;
    } else {
        mtlr_bytes_free(bytes);
    }
    unlink(path);
    mtlr_model_free(loaded);
    mtlr_model_free(model);
    mtlr_dataset_free(dataset);
    return 0;
}

static const char *folder;

static void locales(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (setlocale(LC_ALL, names[index]) == NULL || strcmp(localeconv()->decimal_point, ",") != 0) continue;
        CHECK(work(folder, 2) == 0);
        CHECK(strcmp(localeconv()->decimal_point, ",") == 0);
        setlocale(LC_ALL, "C");
        return;
    }
    setlocale(LC_ALL, "C");
    printf("host: no locale with a decimal comma is installed\n");
}

static int ticks = 0;
static int ticked(void) { return __atomic_load_n(&ticks, __ATOMIC_RELAXED); }

static void tick(int number) {
    (void)number;
    int before = errno;
    /* Several threads may be interrupted at once. */
    (void)__atomic_fetch_add(&ticks, 1, __ATOMIC_RELAXED);
    errno = before;
}

/* A handler that interrupts system calls a thousand times a second. */
static void signals(void) {
    static const int watched[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGPIPE, SIGTERM, SIGINT, SIGCHLD, SIGUSR1};
    struct sigaction action, before[sizeof watched / sizeof *watched], after;
    memset(&action, 0, sizeof action);
    action.sa_handler = tick;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    for (size_t index = 0; index < sizeof watched / sizeof *watched; index++) {
        CHECK(sigaction(watched[index], NULL, &before[index]) == 0);
    }
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int times = 0; times < 20 || ticked() < 10; times++) CHECK(work(folder, 1 + times % 3) == 0);
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(ticked() > 0);
    for (size_t index = 0; index < sizeof watched / sizeof *watched; index++) {
        CHECK(sigaction(watched[index], NULL, &after) == 0 && after.sa_handler == before[index].sa_handler);
    }
    sigset_t mask;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGINT) && !sigismember(&mask, SIGALRM));
}

static void *nothing(void *payload) { return payload; }

static void *work_on_thread(void *payload) {
    *(int *)payload = work(folder, 1 + *(int *)payload % 3);
    return NULL;
}

/*
 * Threads with stacks of 64 KiB, as some servers have them, four at a time; besides what the system and libraries keep in it
 * (OpenBLAS alone keeps 60 KiB for each thread, so that no smaller one can be made).
 */
static void small_stacks(void) {
    size_t size = 16 << 10;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    for (;; size += 4 << 10) {
        pthread_t thread;
        CHECK(pthread_attr_setstacksize(&attributes, size) == 0);
        if (pthread_create(&thread, &attributes, nothing, NULL) == 0) {
            pthread_join(thread, NULL);
            break;
        }
    }
    size += 48 << 10;
    CHECK(pthread_attr_setstacksize(&attributes, size) == 0);
    printf("host: stacks of %zu KiB\n", size >> 10);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[4];
        int results[4];
        for (int index = 0; index < 4; index++) {
            results[index] = index;
            CHECK(pthread_create(&threads[index], &attributes, work_on_thread, &results[index]) == 0);
        }
        for (int index = 0; index < 4; index++) CHECK(pthread_join(threads[index], NULL) == 0 && results[index] == 0);
    }
    pthread_attr_destroy(&attributes);
}

/* Runs `work` in a child with a limit; it succeeds, or fails with an error. */
static void limited(int resource, rlim_t amount, int may_fail) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {amount, amount};
        alarm(60);
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(resource, &limit) != 0) _exit(100);
        int result = work(folder, 2);
        _exit(result == 0 || may_fail ? 0 : result);
    }
    int ended = 0;
    CHECK(child > 0 && waitpid(child, &ended, 0) == child);
    CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended)) {
        fprintf(stderr, "limit %d of %ld: %s %d\n", resource, (long)amount, WIFEXITED(ended) ? "status" : "signal",
                WIFEXITED(ended) ? WEXITSTATUS(ended) : WTERMSIG(ended));
    }
}

static void limits(void) {
    limited(RLIMIT_STACK, 512 << 10, 0);
    limited(RLIMIT_STACK, 64 << 10, 0);
    limited(RLIMIT_NOFILE, 16, 0);
    limited(RLIMIT_NOFILE, 3, 1);
    limited(RLIMIT_FSIZE, 100, 1);
    limited(RLIMIT_FSIZE, 0, 1);
    limited(RLIMIT_CORE, 0, 0);
    limited(RLIMIT_NPROC, 1, 0); /* Root has no such limit. */
}

static mode_t rights(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static int temporaries(const char *path) {
    int count = 0;
    DIR *listing = opendir(path);
    for (struct dirent *entry; listing && (entry = readdir(listing));) count += strncmp(entry->d_name, ".mtlr-", 6) == 0;
    if (listing) closedir(listing);
    return count;
}

/* Rights, links, long names, and what a killed process leaves. */
static void files(void) {
    mtlr_error *error = NULL;
    mtlr_model *model = NULL, *loaded = NULL;
    char path[4096], other[4096], target[4096];
    SUCCEEDS(mtlr_model_from_bytes(&model, expected, expected_length, &error));
    snprintf(path, sizeof path, "%s/a.mtlr", folder);
    mode_t before = umask(027);
    SUCCEEDS(mtlr_model_save(model, path, &error));
    CHECK(rights(path) == 0640);
    static const mode_t modes[] = {0600, 0400, 0666, 0644, 0660, 01600};
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++) {
        CHECK(chmod(path, modes[index]) == 0);
        SUCCEEDS(mtlr_model_save(model, path, &error));
        CHECK(rights(path) == modes[index]);
    }
    CHECK(umask(before) == 027);
    /* Links: to a file, to none, over two folders. */
    snprintf(other, sizeof other, "%s/link.mtlr", folder);
    snprintf(target, sizeof target, "%s/sub", folder);
    CHECK(mkdir(target, 0700) == 0);
    static const char *const to[] = {"a.mtlr", "missing.mtlr", "sub/missing.mtlr"};
    for (size_t index = 0; index < sizeof to / sizeof *to; index++) {
        struct stat status;
        unlink(other);
        CHECK(symlink(to[index], other) == 0);
        SUCCEEDS(mtlr_model_save(model, other, &error));
        CHECK(lstat(other, &status) == 0 && S_ISLNK(status.st_mode));
        snprintf(target, sizeof target, "%s/%s", folder, to[index]);
        CHECK(lstat(target, &status) == 0 && S_ISREG(status.st_mode));
        SUCCEEDS(mtlr_model_load(&loaded, other, &error));
        mtlr_model_free(loaded);
    }
    unlink(other);
    CHECK(symlink("link.mtlr", other) == 0);
    FAILS(MTLR_INPUT_OUTPUT, mtlr_model_save(model, other, &error));
    /* Names of any length that the system takes. */
    for (int length = 1; length <= 256; length += length < 240 ? 60 : 1) {
        int start = snprintf(path, sizeof path, "%s/", folder);
        memset(path + start, 'n', (size_t)length);
        path[start + length] = 0;
        if (length > 255) {
            FAILS(MTLR_INPUT_OUTPUT, mtlr_model_save(model, path, &error));
        } else {
            SUCCEEDS(mtlr_model_save(model, path, &error));
            SUCCEEDS(mtlr_model_load(&loaded, path, &error));
            mtlr_model_free(loaded);
            unlink(path);
        }
    }
    /* Processes that are killed at any moment, with others that go on. */
    snprintf(path, sizeof path, "%s/a.mtlr", folder);
    CHECK(chmod(path, 0600) == 0);
    int left = 0;
    for (int times = 0; times < 60; times++) {
        pid_t child = fork();
        if (child == 0) {
            for (;;) {
                if (mtlr_model_save(model, path, NULL) != MTLR_OK) _exit(1);
            }
        }
        usleep((useconds_t)(1000 + 137 * times));
        CHECK(kill(child, SIGKILL) == 0);
        int ended = 0;
        CHECK(waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
        left += temporaries(folder);
        SUCCEEDS(mtlr_model_load(&loaded, path, &error));
        mtlr_model_free(loaded);
    }
    printf("host: %d of 60 killed processes left a file\n", left);
    SUCCEEDS(mtlr_model_save(model, path, &error));
    CHECK(temporaries(folder) == 0);
    CHECK(rights(path) == 0600);
    mtlr_model_free(model);
}

int main(void) {
    char name[] = "host-XXXXXX";
    folder = mkdtemp(name);
    if (folder == NULL) return 2;
    trial_make(&t, 2);
    CHECK(work(folder, 2) == 0);
    locales();
    signals();
    small_stacks();
    limits();
    files();
    mtlr_bytes_free(expected);
    return finish("host");
}
