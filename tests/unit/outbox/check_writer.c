/* SPDX-License-Identifier: MIT */
#include "collector/outbox/writer.h"

#include "collector/outbox/outbox_reader.h"
#include "store_fixture.h"
#include <fcntl.h>

static struct outbox *outbox;
static struct ring *ring;
static struct writer *writer;
static int sink;

static void start_at(int pages_max, size_t ring_max, struct clock clock)
{
    struct outbox_options options = {.path = in_directory("out"), .pages_max = pages_max};
    outbox = outbox_open(&options, error, sizeof(error));
    must(outbox != NULL);
    sink = outbox_add_sink(outbox, "sink", NULL);
    ring = ring_new(ring_max);
    writer = writer_start(outbox, ring, &clock);
    must(writer != NULL);
}

static void start(int pages_max, size_t ring_max)
{
    start_at(pages_max, ring_max, clock_system());
}

static int stop(void)
{
    ring_close(ring);
    int rc = writer_stop(writer);
    ck_assert(outbox_closed(outbox));
    outbox_free(outbox);
    ring_free(ring);
    return rc;
}

/* What the daemon would log goes to a file. */
static void catch_log(void)
{
    int fd = open(in_directory("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static int logged(const char *words)
{
    static char text[65536];
    int fd = open(in_directory("log"), O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    int count = 0;
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (const char *p = text; (p = strstr(p, words)); p++)
        count++;
    return count;
}

static void ck_rows(unsigned count)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) = %u AND min(seq) = 1 AND max(seq) = %u AND sum(ce_id = "
             "'call_started/1763683071.' || seq) = %u FROM facts",
             count, count, count);
    ck_assert_str_eq(ask(in_directory("out"), sql), "1");
}

START_TEST(what_is_pushed_is_committed_in_order)
{
    start(0, (size_t)4 << 20);
    for (unsigned n = 1; n <= 2000; n++) {
        while (!ring_push(ring, calls(n, n)))
            usleep(1000);
    }
    ck_assert_int_eq(stop(), 0);
    ck_rows(2000);
}
END_TEST

START_TEST(a_batch_that_is_too_large_is_counted)
{
    const size_t n = ((size_t)64 << 20) + 1;
    char *bytes = calloc(1, n);
    must(bytes != NULL);
    catch_log();
    start(0, n + ((size_t)1 << 20));
    ck_assert(ring_push(ring, (struct slice){bytes, n}));
    ck_assert(ring_push(ring, calls(1, 1)));
    free(bytes);
    for (int i = 0; i < 1000 && outbox_committed(outbox) == 0; i++)
        usleep(10000);
    ck_assert_uint_eq(ring_refused(ring), 1);
    ck_assert_int_eq(stop(), 0);
    ck_assert_int_eq(logged("is too large and lost"), 1);
    ck_rows(1);
}
END_TEST

START_TEST(one_fact_does_not_wait)
{
    start(0, 1 << 20);
    for (unsigned n = 1; n <= 5; n++) {
        ck_assert(ring_push(ring, calls(n, n)));
        ck_assert_uint_eq(outbox_wait(outbox, sink, n - 1, 5000), n);
    }
    ck_assert_uint_eq(outbox_stats(outbox).transactions, 5);
    ck_assert_int_eq(stop(), 0);
}
END_TEST

/* A batch past a group's size is committed all the same, and so is all that lies behind it. */
START_TEST(groups_are_bounded_and_whole)
{
    start(0, (size_t)8 << 20);
    ck_assert(ring_push(ring, calls(1, 12000)));
    for (unsigned n = 12001; n <= 12100; n++)
        ck_assert(ring_push(ring, calls(n, n)));
    while (outbox_wait(outbox, sink, 12099, 5000) < 12100)
        ;
    ck_assert_uint_ge(outbox_stats(outbox).transactions, 2);
    ck_assert_int_eq(stop(), 0);
    ck_rows(12100);
}
END_TEST

START_TEST(rows_are_deleted_while_idle)
{
    start(0, (size_t)4 << 20);
    ck_assert(ring_push(ring, calls(1, 6000)));
    while (outbox_wait(outbox, sink, 5999, 5000) < 6000)
        ;
    outbox_cursor_set(outbox, sink, 6000);
    for (int i = 0; i < 300 && outbox_stats(outbox).backlog > 0; i++)
        usleep(10000);
    ck_assert_uint_eq(outbox_stats(outbox).backlog, 0);
    ck_assert_int_eq(stop(), 0);
}
END_TEST

static _Atomic int64_t by_hand;

static int64_t show_by_hand(void *ctx)
{
    (void)ctx;
    return by_hand;
}

/* Pushes one fact and waits until the writer has done all that follows its commit. */
static void write_one(unsigned n)
{
    uint64_t turns = writer_turns(writer);
    ck_assert(ring_push(ring, calls(n, n)));
    for (int i = 0; i < 3000 && writer_turns(writer) < turns + 2; i++)
        usleep(1000);
    ck_assert_uint_ge(writer_turns(writer), turns + 2);
}

static off_t wal_size(void)
{
    struct stat st;
    return stat(in_directory("out-wal"), &st) == 0 ? st.st_size : -1;
}

/* What a reader has kept in the WAL past its minute goes soon after the reader, not a minute later,
 * though the writer is never idle for a second. */
START_TEST(what_a_reader_kept_is_forgotten_soon)
{
    sqlite3 *reader = NULL;
    start_at(0, (size_t)1 << 20, (struct clock){show_by_hand, show_by_hand, NULL});
    write_one(1);
    ck_assert_int_eq(sqlite3_open(in_directory("out"), &reader), SQLITE_OK);
    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM facts", NULL, NULL, NULL);
    by_hand += 61000000;
    write_one(2);
    ck_assert_int_gt(wal_size(), 0);
    ck_assert_int_eq(sqlite3_close(reader), SQLITE_OK);
    bool gone = false;
    for (unsigned n = 3; n < 20 && !gone; n++) {
        by_hand += 1000000;
        write_one(n);
        for (int i = 0; i < 20 && !gone; i++, usleep(5000))
            gone = wal_size() == 0;
    }
    ck_assert(gone);
    ck_assert_int_eq(stop(), 0);
}
END_TEST

/* The file is full: the ring fills and refuses; when a sink has made room, all that the ring took
 * is committed, in order, and each change was logged once. */
START_TEST(full_file_is_waited_out)
{
    catch_log();
    start(120, (size_t)64 << 10);
    unsigned next = 1;
    for (;;) {
        if (ring_push(ring, calls(next, next + 9)))
            next += 10;
        else if (outbox_stats(outbox).failures >= 3)
            break;
        usleep(100);
    }
    ck_assert_uint_gt(ring_refused(ring), 0);
    uint64_t committed = outbox_committed(outbox);
    ck_assert_uint_lt(committed, next - 1);
    ck_assert_int_eq(logged("cannot write: database or disk is full"), 1);
    for (int i = 0; i < 200 && committed < next - 1; i++) {
        outbox_cursor_set(outbox, sink, committed);
        committed = outbox_wait(outbox, sink, committed, 100);
    }
    ck_assert_uint_eq(committed, next - 1);
    ck_assert_int_eq(stop(), 0);
    ck_assert_int_eq(logged("writing again"), logged("cannot write"));
}
END_TEST

START_TEST(end_with_a_full_file_is_said)
{
    catch_log();
    start(60, (size_t)4 << 20);
    ck_assert(ring_push(ring, calls(1, 5000)));
    ck_assert_int_eq(stop(), -1);
    ck_assert_int_eq(logged("are lost"), 1);
    ck_assert_str_eq(ask(in_directory("out"), "SELECT count(*) FROM facts"), "0");
}
END_TEST

static int killed_ready[2];

static void write_until_killed(void)
{
    start(0, (size_t)1 << 20);
    for (unsigned n = 1;; n++) {
        buf_clear(&batch);
        put_call(n);
        char body[32];
        snprintf(body, sizeof(body), "%u", n);
        put_state("last", body);
        while (!ring_push(ring, buf_slice(&batch)))
            usleep(100);
        if (n == 300) {
            outbox_wait(outbox, sink, 0, 10000);
            ssize_t told = write(killed_ready[1], "", 1);
            (void)told;
        }
    }
}

/* Killed at any moment, the file holds the facts up to some n, and the state that n left. */
START_TEST(kill_leaves_facts_and_their_state)
{
    for (int round = 0; round < 6; round++) {
        char c;
        ck_assert_int_eq(pipe(killed_ready), 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed();
        ck_assert_int_eq(read(killed_ready[0], &c, 1), 1);
        usleep((useconds_t)round * 2300);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(killed_ready[0]);
        close(killed_ready[1]);
        const char *path = in_directory("out");
        unsigned count = (unsigned)ask_long(path, "SELECT count(*) FROM facts");
        ck_assert_uint_gt(count, 0);
        ck_rows(count);
        ck_assert_uint_eq((unsigned)ask_long(path, "SELECT body FROM live_state"), count);
        store_teardown();
        store_setup();
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("writer");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase, what_is_pushed_is_committed_in_order);
    tcase_add_test(tcase, a_batch_that_is_too_large_is_counted);
    tcase_add_test(tcase, one_fact_does_not_wait);
    tcase_add_test(tcase, groups_are_bounded_and_whole);
    tcase_add_test(tcase, rows_are_deleted_while_idle);
    tcase_add_test(tcase, what_a_reader_kept_is_forgotten_soon);
    tcase_add_test(tcase, full_file_is_waited_out);
    tcase_add_test(tcase, end_with_a_full_file_is_said);
    tcase_add_test(tcase, kill_leaves_facts_and_their_state);
    return run_suite(tcase, "writer");
}
