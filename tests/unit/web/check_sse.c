/* SPDX-License-Identifier: MIT */
#include "tests/unit/web/web_kit.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

static struct kit k;

static void start(void)
{
    kit_start(&k, 4, 200);
}

static void finish(void)
{
    kit_stop(&k);
}

START_TEST(a_stream_opens_with_the_snapshot)
{
    struct answer a = {0};
    kit_change(&k, 3);
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "\"}\n\n", 3000);
    ck_assert_int_eq(a.status, 200);
    ck_assert(answer_has(&a, "Content-Type: text/event-stream"));
    ck_assert(answer_has(&a, "Cache-Control: no-store"));
    ck_assert(answer_has(&a, "X-Accel-Buffering: no"));
    ck_assert(answer_has(&a, "X-Amitap-Pages: "));
    ck_assert_int_eq(strncmp(a.body, "retry: ", 7), 0);
    ck_assert_ptr_nonnull(
        strstr(a.body, "\n\nid: boot-1\nevent: snapshot\ndata: {\"seq\":1,\"pad\":\"\"}\n\n"));
    ck_assert_ptr_null(strstr(a.body, "event: reset"));
    kit_change(&k, 3);
    answer_read(&a, fd, "id: boot-2\nevent: call\ndata: xxx\n\n", 3000);
    ck_assert_uint_eq(answer_count(&a, "event: call"), 1);
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(a_change_is_sent_at_once_when_idle)
{
    struct answer a = {0};
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "snapshot", 3000);
    int64_t worst = 0;
    for (int i = 1; i <= 20; i++) {
        char id[48];
        usleep(20000);
        snprintf(id, sizeof(id), "id: boot-%d\nevent: call\n", i);
        int64_t begin = kit_ms();
        kit_change(&k, 100);
        answer_read(&a, fd, id, 1000);
        int64_t took = kit_ms() - begin;
        worst = took > worst ? took : worst;
    }
    ck_assert_uint_eq(answer_count(&a, "event: call"), 20);
    ck_assert_int_lt(worst, 100); /* about 1 here; a busy machine may need more */
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(many_changes_go_out_in_few_flushes)
{
    struct answer a = {0};
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "snapshot", 3000);
    size_t before = a.n;
    int64_t begin = kit_ms();
    for (int i = 0; i < 1000; i++) {
        kit_change(&k, 10);
        usleep(200);
    }
    int64_t took = kit_ms() - begin;
    answer_read(&a, fd, "boot-1000\n", 3000);
    unsigned chunks = 0;
    for (const char *p = a.text + before; (p = strstr(p, "\r\nid: boot-")); p++)
        chunks++;
    ck_assert_uint_eq(answer_count(&a, "event: call"), 1000);
    ck_assert_int_le(chunks, took / 5 + 3);
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(heartbeats_come_when_nothing_happens)
{
    struct answer a = {0};
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, NULL, 1100);
    ck_assert_uint_ge(answer_count(&a, ": heartbeat\n\n"), 3);
    ck_assert_uint_le(answer_count(&a, ": heartbeat\n\n"), 6);
    answer_free(&a);
    close(fd);
}
END_TEST

static const struct {
    const char *last;
    bool resumes;
} resumes[] = {
    {"boot-7", true},
    {"boot-10", true},
    {"boot-1", false} /* fell off */,
    {"boot-11", false},
    {"other-7", false},
    {"boot-", false},
    {"boot-7x", false},
    {"boot", false},
    {"boot--1", false},
    {"boot-00000000000000000000007", false},
    {"", false},
};

START_TEST(last_event_id)
{
    struct answer a = {0};
    char header[128];
    for (int i = 0; i < 10; i++)
        kit_change(&k, 3);
    kit_forget(&k, 5);
    snprintf(header, sizeof(header), "Last-Event-ID: %s\n", resumes[_i].last);
    int fd = kit_get(&k, "/api/v1/stream", header);
    answer_read(&a, fd, "retry", 3000);
    kit_change(&k, 3);
    answer_read(&a, fd, "boot-11\nevent: call", 3000);
    ck_assert_uint_eq(answer_count(&a, "event: snapshot"), resumes[_i].resumes ? 0 : 1);
    ck_assert_uint_eq(answer_count(&a, "event: reset\ndata: {}\n\n"), resumes[_i].resumes ? 0 : 1);
    if (strcmp(resumes[_i].last, "boot-7") == 0)
        ck_assert_uint_eq(answer_count(&a, "event: call"), 4);
    ck_assert_uint_eq(http_edge_counts(k.edge).sse_resets, resumes[_i].resumes ? 0 : 1);
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(a_long_message_arrives_whole)
{
    struct answer a = {0};
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "snapshot", 3000);
    kit_change(&k, 300000);
    kit_change(&k, 5);
    answer_read(&a, fd, "data: xxxxx\n\n", 5000);
    const char *data = strstr(a.body, "boot-1\nevent: call\ndata: ");
    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(strspn(strstr(data, "data: ") + 6, "x"), 300000);
    answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(streams_leave_room_for_health)
{
    struct answer a = {0}, refused = {0};
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = kit_get(&k, "/api/v1/stream", "");
        answer_read(&a, fds[i], "snapshot", 3000);
        answer_free(&a);
    }
    int fd = kit_get(&k, "/api/v1/stream", "Connection: close\n");
    answer_read(&refused, fd, NULL, 3000);
    ck_assert_int_eq(refused.status, 503);
    ck_assert(answer_has(&refused, "Retry-After: "));
    close(fd);
    answer_free(&refused);
    refused = kit_ask(&k, "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    ck_assert_int_eq(refused.status, 200);
    answer_free(&refused);
    close(fds[0]);
    /* The slot is free once a heartbeat has found nobody there. */
    int64_t end = kit_ms() + 5000;
    while (http_edge_counts(k.edge).sse_clients == 4 && kit_ms() < end)
        usleep(20000);
    fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "snapshot", 3000);
    ck_assert_int_eq(a.status, 200);
    answer_free(&a);
    close(fd);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
}
END_TEST

static long resident_kib(void)
{
    char text[64] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
    fclose(f);
    return strtol(strchr(text, ' '), NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Clients that do not read, while 30 MB go by: they hold a cursor, and fall off. */
START_TEST(a_slow_client_costs_no_memory)
{
    struct answer a = {0};
    int frozen[3];
    for (int i = 0; i < 3; i++) {
        frozen[i] = kit_get(&k, "/api/v1/stream", "");
        answer_read(&a, frozen[i], "snapshot", 3000);
        answer_free(&a);
    }
    long before = 0;
    for (int i = 0; i < 1500; i++) {
        kit_change(&k, 20000);
        kit_forget(&k, 20);
        usleep(300);
        if (i == 500)
            before = resident_kib();
    }
    long grown = resident_kib() - before;
    ck_assert_msg(grown < 6000, "grown by %ld KiB", grown);
    ck_assert_uint_lt(http_edge_counts(k.edge).snapshot_bytes, 4096);
    /* One that reads again either was cut in the middle of a message, or is reset. */
    answer_read(&a, frozen[0], "event: reset", 3000);
    ck_assert(a.closed || !a.body || strstr(a.body, "event: reset") || !a.body[0]);
    answer_free(&a);
    int fd = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, fd, "id: boot-1500\nevent: snapshot", 3000);
    ck_assert_uint_eq(answer_count(&a, "boot-1500"), 1);
    answer_free(&a);
    close(fd);
    for (int i = 0; i < 3; i++)
        close(frozen[i]);
}
END_TEST

START_TEST(a_snapshot_is_shared)
{
    struct answer a[4] = {{0}, {0}, {0}, {0}};
    int fds[4];
    kit_pad(&k, (size_t)1 << 20);
    for (int i = 0; i < 4; i++)
        fds[i] = kit_get(&k, "/api/v1/stream", "");
    for (int i = 0; i < 4; i++)
        answer_read(&a[i], fds[i], "\"}\n\n", 5000);
    ck_assert_uint_le(http_edge_counts(k.edge).snapshots, 3);
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_nonnull(strstr(a[i].body, "\"}\n\n"));
        answer_free(&a[i]);
        close(fds[i]);
    }
}
END_TEST

/* Streams in every condition do not keep the edge from stopping. */
START_TEST(stops_with_open_streams)
{
    struct answer a = {0};
    int64_t begin;
    kit_pad(&k, (size_t)8 << 20);
    int unread = kit_get(&k, "/api/v1/stream", "");
    usleep(50000);
    kit_pad(&k, 0);
    kit_change(&k, 3);
    int idle = kit_get(&k, "/api/v1/stream", "");
    answer_read(&a, idle, "snapshot", 3000);
    int silent = kit_send(&k, "GET / HT");
    begin = kit_ms();
    http_edge_ops.stop(k.edge);
    ck_assert_int_lt(kit_ms() - begin, 2000);
    k.edge = NULL;
    answer_read(&a, idle, NULL, 3000);
    ck_assert(a.closed);
    answer_free(&a);
    close(unread);
    close(idle);
    close(silent);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sse");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, finish);
    tcase_add_test(tcase, a_stream_opens_with_the_snapshot);
    tcase_add_test(tcase, a_change_is_sent_at_once_when_idle);
    tcase_add_test(tcase, many_changes_go_out_in_few_flushes);
    tcase_add_test(tcase, heartbeats_come_when_nothing_happens);
    tcase_add_loop_test(tcase, last_event_id, 0, (int)(sizeof(resumes) / sizeof(resumes[0])));
    tcase_add_test(tcase, a_long_message_arrives_whole);
    tcase_add_test(tcase, streams_leave_room_for_health);
    tcase_add_test(tcase, a_slow_client_costs_no_memory);
    tcase_add_test(tcase, a_snapshot_is_shared);
    tcase_add_test(tcase, stops_with_open_streams);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
