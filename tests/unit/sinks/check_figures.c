/* SPDX-License-Identifier: MIT */
/* Figures where memory is short: all of them, or none and a reason. What they are: tests/figures.
 */
#include "collector/outbox/sqlite_file.h"
#include "collector/sinks/figures.h"
#include "collector/sinks/history_rows.h"
#include "tests/unit/short_memory.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define QUEUES 3u
#define HOUR   INT64_C(3600000000)

static char folder[] = "/tmp/check-figures-XXXXXX";
static char path[64];

/* A history with a visit in each of three queues, in the first hour of 1970. */
static void setup(void)
{
    struct sqlite_file f;
    char error[SQLITE_FILE_ERROR_SIZE] = "", sql[400];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/h.db", folder);
    ck_assert_msg(sqlite_file_open(&f, path, &history_schema, error, sizeof(error)) == 0, "%s",
                  error);
    for (unsigned i = 0; i < QUEUES; i++) {
        snprintf(sql, sizeof(sql),
                 "INSERT INTO queue_visits (ce_id, ce_subject, ce_key, ce_sequence, ce_time, pbx, "
                 "queue, uniqueid, linkedid, joined, \"end\", outcome, wait_seconds, body) VALUES "
                 "('%u', '', '', %u, '1970-01-01T00:20:00Z', 'main', 'queue%u', '%u', '%u', "
                 "'1970-01-01T00:10:00Z', '1970-01-01T00:20:00Z', 'answered', %u, '{}')",
                 i, i, i, i, i, i);
        ck_assert_msg(sqlite3_exec(f.db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                      sqlite3_errmsg(f.db));
    }
    sqlite_file_close(&f);
}

static void teardown(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

struct seen {
    unsigned queues;
    double answered; /* in the row of all */
};

static void take(void *ctx, const struct figures_row *row)
{
    struct seen *seen = ctx;
    if (row->queue)
        seen->queues++;
    else
        seen->answered = row->values[FIGURE_ANSWERED];
}

START_TEST(none_is_left_out_where_memory_is_short)
{
    const struct figures_window window = {0, HOUR};
    const struct figures_query query = {
        .path = path, .windows = &window, .window_count = 1, .threshold = -1};
    unsigned failures = 0;
    for (long fails_at = 0;; fails_at++) {
        char error[SQLITE_FILE_ERROR_SIZE] = "";
        struct seen seen = {0};
        memory_begin(fails_at);
        int rc = figures_read(&query, take, &seen, error, sizeof(error));
        bool failed = memory_end();
        if (rc == 0) {
            ck_assert_uint_eq(seen.queues, QUEUES);
            ck_assert(seen.answered == QUEUES);
        } else {
            failures++;
            ck_assert_msg(failed && strstr(error, "memory"), "%ld: %s", fails_at, error);
            ck_assert_uint_eq(seen.queues, 0);
        }
        if (!failed)
            break;
    }
    ck_assert_uint_ge(failures, 3 * QUEUES);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("figures");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, none_is_left_out_where_memory_is_short);
    Suite *suite = suite_create("figures");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
