/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_OUTBOX_STORE_FIXTURE_H
#define TESTS_UNIT_OUTBOX_STORE_FIXTURE_H

#include "collector/facts/batch.h"
#include "collector/facts/fact.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the tests of the files share: a directory of their own, batches, questions to a file. */

static char directory[256];
static char error[512];
static struct buf batch;
static struct fact_builder builder;

static inline void store_setup(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%s/amitap-check-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    batch = buf_new((size_t)16 << 20);
    builder = fact_builder_new();
    error[0] = '\0';
}

static inline void store_teardown(void)
{
    DIR *d = opendir(directory);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        char name[600];
        snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
        unlink(name);
    }
    closedir(d);
    rmdir(directory);
    buf_free(&batch);
    fact_builder_free(&builder);
}

/* For what a child process runs, too: libcheck's own assertions write to a file that the child
 * would share with the test. */
static inline void must(bool ok)
{
    if (!ok)
        abort();
}

/* A path in the test's directory; two of them live at once. */
static inline const char *in_directory(const char *name)
{
    static char paths[2][400];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static inline struct fact_head head_of(enum fact_kind kind, const char *subject, const char *id)
{
    return (struct fact_head){
        .kind = kind,
        .time = 1763683071090059,
        .sequence = 7,
        .pbx = SLICE("main"),
        .subject = slice_from(subject),
        .key = SLICE("1763683070.1"),
        .id = slice_from(id),
    };
}

static inline void put_built(void)
{
    struct batch_item item = {.kind = BATCH_FACT, .body = fact_finish(&builder)};
    must(batch_put(&batch, &item));
}

/* One call_started fact, number n. */
static inline void put_call(unsigned n)
{
    char id[64];
    char uniqueid[32];
    snprintf(uniqueid, sizeof(uniqueid), "1763683071.%u", n);
    snprintf(id, sizeof(id), "call_started/%s", uniqueid);
    struct fact_head head = head_of(FACT_CALL_STARTED, uniqueid, id);
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_LINKEDID, slice_from(uniqueid));
    fact_put_string(&builder, FIELD_UNIQUEID, slice_from(uniqueid));
    fact_put_int(&builder, FIELD_POSITION, n);
    put_built();
}

/* Numbers from first to last, in one batch that replaces the last one. */
static inline struct slice calls(unsigned first, unsigned last)
{
    buf_clear(&batch);
    for (unsigned n = first; n <= last; n++)
        put_call(n);
    return buf_slice(&batch);
}

static inline void put_state(const char *entity, const char *body)
{
    struct batch_item item = {body ? BATCH_STATE_PUT : BATCH_STATE_DELETE, SLICE("main"),
                              slice_from(entity), slice_from(body)};
    must(batch_put(&batch, &item));
}

/* The first column of the first row that a file answers with; "" for NULL and for no row. */
static inline const char *ask(const char *path, const char *sql)
{
    static char answer[4096];
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    int rc = sqlite3_step(statement);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    snprintf(answer, sizeof(answer), "%s", text ? text : "");
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

static inline long ask_long(const char *path, const char *sql)
{
    return strtol(ask(path, sql), NULL, 10);
}

/* Runs part in a process of its own that ends without a word, as kill -9 ends it. */
static inline void in_killed_child(void (*part)(void))
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        part();
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static inline int run_suite(TCase *tcase, const char *name)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
