/* SPDX-License-Identifier: MIT */
#include "collector/sinks/history.h"

#include "tests/unit/outbox/store_fixture.h"
#include <sys/stat.h>

/* Somebody reads the history and does not end: a report that was left open, a copy that hangs. */

#define MIB ((uint64_t)1 << 20)

static struct outbox *outbox;
static struct history *history;
static sqlite3 *reader;

static int64_t fixed(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct clock still = {fixed, fixed, NULL};

static void open_both(void)
{
    outbox =
        outbox_open(&(struct outbox_options){.path = in_directory("out")}, error, sizeof(error));
    must(outbox != NULL);
    history = history_open(
        &(struct history_options){.path = in_directory("db"), .outbox = outbox, .clock = &still},
        error, sizeof(error));
    must(history != NULL);
}

static void hold(void)
{
    must(sqlite3_open_v2(in_directory("db"), &reader, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    must(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM cdr", NULL, NULL, NULL) == SQLITE_OK);
}

/* A MiB of facts, through the outbox into the history. The rows that both have done with go. */
static void carry_one_mib(unsigned n)
{
    static char filler[128 * 1024];
    memset(filler, 'x', sizeof(filler));
    buf_clear(&batch);
    for (unsigned i = 0; i < 8; i++) {
        char id[32];
        snprintf(id, sizeof(id), "call_started/%u.%u", n, i);
        struct fact_head head = head_of(FACT_CALL_STARTED, "1763683071.4", id);
        fact_begin(&builder, &head);
        fact_put_string(&builder, FIELD_CONTEXT, (struct slice){filler, sizeof(filler)});
        put_built();
    }
    ck_assert_int_eq(outbox_commit(outbox, buf_slice(&batch)), SQLITE_OK);
    ck_assert_int_eq(history_catch_up(history), SQLITE_OK);
}

static uint64_t size_of(const char *name)
{
    struct stat file;
    return stat(in_directory(name), &file) == 0 ? (uint64_t)file.st_size : 0;
}

/* How often a text stands in what was logged. */
static int logged(FILE *told, const char *text)
{
    char line[1024];
    int count = 0;
    rewind(told);
    while (fgets(line, sizeof(line), told))
        count += strstr(line, text) != NULL;
    return count;
}

START_TEST(a_reader_that_stays_lets_only_the_historys_wal_grow)
{
    FILE *told = tmpfile();
    int kept = dup(STDERR_FILENO);
    dup2(fileno(told), STDERR_FILENO);
    open_both();
    carry_one_mib(0);
    hold();
    uint64_t outbox_most = 0;
    unsigned n = 1;
    for (; n < 60 || history_stats(history).wal_bytes < 80 * MIB; n++) {
        carry_one_mib(n);
        uint64_t bytes = outbox_stats(outbox).wal_bytes;
        outbox_most = bytes > outbox_most ? bytes : outbox_most;
        ck_assert_uint_lt(n, 200);
    }
    ck_assert_uint_lt(outbox_most, 16 * MIB);
    ck_assert_uint_le(size_of("out-wal"), 17 * MIB);
    ck_assert_uint_gt(size_of("db-wal"), 80 * MIB);
    ck_assert_uint_eq(history_stats(history).lag, 0);
    sqlite3_close(reader);
    for (unsigned end = n + 20; n < end; n++)
        carry_one_mib(n);
    ck_assert_uint_lt(history_stats(history).wal_bytes, 16 * MIB);
    ck_assert_uint_le(size_of("db-wal"), 17 * MIB);
    history_stop(history);
    outbox_free(outbox);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ck_assert_int_eq(logged(told, "somebody has been reading the history"), 1);
    ck_assert_int_eq(logged(told, "has started over"), 1);
    fclose(told);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("history_wal");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase, a_reader_that_stays_lets_only_the_historys_wal_grow);
    return run_suite(tcase, "history_wal");
}
