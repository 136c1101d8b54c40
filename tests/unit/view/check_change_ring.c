/* SPDX-License-Identifier: MIT */
#include "collector/view/change_ring.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct change_ring *ring;

static void start(void)
{
    ring = change_ring_new(1024, "b");
}

static void finish(void)
{
    change_ring_free(ring);
}

static void add(unsigned n)
{
    char json[400];
    memset(json, 'x', sizeof(json));
    change_ring_add(ring, "e", (struct slice){json, n});
}

START_TEST(empty)
{
    uint64_t seq = 0;
    size_t offset = 0;
    char to[8];
    ck_assert_uint_eq(change_ring_newest(ring), 0);
    ck_assert_int_eq(change_ring_read(ring, &seq, &offset, to, sizeof(to)), 0);
}
END_TEST

/* Every size of piece gives the same bytes, whole messages and parts of them. */
START_TEST(pieces)
{
    char expect[2048] = "", got[2048];
    for (unsigned i = 1; i <= 5; i++) {
        add(i);
        snprintf(expect + strlen(expect), sizeof(expect) - strlen(expect),
                 "id: b-%u\nevent: e\ndata: %.*s\n\n", i, (int)i, "xxxxx");
    }
    for (size_t size = 1; size < 200; size++) {
        uint64_t seq = 0;
        size_t offset = 0, n = 0;
        for (ssize_t m; (m = change_ring_read(ring, &seq, &offset, got + n, size)) > 0;)
            n += (size_t)m;
        ck_assert_uint_eq(n, strlen(expect));
        ck_assert_int_eq(memcmp(got, expect, n), 0);
        ck_assert_uint_eq(seq, 5);
        ck_assert_uint_eq(offset, 0);
    }
}
END_TEST

/* A reader that keeps up sees every message, however often the ring has gone round. */
START_TEST(wraps)
{
    uint64_t seq = 0;
    size_t offset = 0;
    char got[2048], expect[600];
    for (unsigned i = 1; i < 500; i++) {
        unsigned n = i * 7 % 300;
        add(n);
        ssize_t m = change_ring_read(ring, &seq, &offset, got, sizeof(got));
        char json[400];
        memset(json, 'x', sizeof(json));
        int want =
            snprintf(expect, sizeof(expect), "id: b-%u\nevent: e\ndata: %.*s\n\n", i, (int)n, json);
        ck_assert_int_eq(m, want);
        ck_assert_int_eq(memcmp(got, expect, (size_t)want), 0);
    }
}
END_TEST

START_TEST(falls_off_between_and_within_messages)
{
    uint64_t seq = 0, within_seq = 0;
    size_t offset = 0, within = 0;
    char to[64];
    add(100);
    ck_assert_int_eq(change_ring_read(ring, &within_seq, &within, to, 10), 10);
    ck_assert_uint_eq(within, 10);
    for (int i = 0; i < 20; i++)
        add(100);
    ck_assert_int_eq(change_ring_read(ring, &seq, &offset, to, sizeof(to)), -1);
    ck_assert_int_eq(change_ring_read(ring, &within_seq, &within, to, sizeof(to)), -1);
}
END_TEST

START_TEST(too_large_a_message_sends_all_to_the_snapshot)
{
    char *json = calloc(1, 5000);
    uint64_t seq = 1;
    size_t offset = 0;
    char to[64];
    memset(json, 'x', 5000);
    add(10);
    ck_assert_uint_eq(change_ring_add(ring, "e", (struct slice){json, 5000}), 2);
    ck_assert_int_eq(change_ring_read(ring, &seq, &offset, to, sizeof(to)), -1);
    add(10);
    seq = 2;
    ck_assert_int_gt(change_ring_read(ring, &seq, &offset, to, sizeof(to)), 0);
    ck_assert_uint_eq(seq, 3);
    free(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("change_ring");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, start, finish);
    tcase_add_test(tcase, empty);
    tcase_add_test(tcase, pieces);
    tcase_add_test(tcase, wraps);
    tcase_add_test(tcase, falls_off_between_and_within_messages);
    tcase_add_test(tcase, too_large_a_message_sends_all_to_the_snapshot);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
