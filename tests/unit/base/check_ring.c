/* SPDX-License-Identifier: MIT */
#include "collector/base/clock.h"
#include "collector/base/ring.h"
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

START_TEST(gives_records_in_order)
{
    struct ring *r = ring_new(256);
    ck_assert(ring_push(r, SLICE("one")));
    ck_assert(ring_push(r, SLICE("")));
    ck_assert(ring_push(r, SLICE("three")));
    ck_assert_uint_eq(ring_bytes(r), 16 + 8 + 16);
    struct slice s;
    ck_assert(ring_peek(r, 0, &s) && slice_is(s, "one"));
    ck_assert(ring_peek(r, 0, &s) && slice_is(s, "one"));
    ring_pop(r);
    ck_assert(ring_peek(r, 0, &s) && s.n == 0);
    ring_pop(r);
    ck_assert(ring_peek(r, 0, &s) && slice_is(s, "three"));
    ring_pop(r);
    ck_assert(!ring_peek(r, 0, &s));
    ck_assert_uint_eq(ring_bytes(r), 0);
    ring_free(r);
}
END_TEST

START_TEST(refuses_and_counts_what_does_not_fit)
{
    static const char big[512];
    struct ring *r = ring_new(256);
    struct slice s;
    ck_assert(!ring_push(r, (struct slice){big, 249}));
    ck_assert(!ring_push(r, (struct slice){big, 512}));
    ck_assert_uint_eq(ring_refused(r), 2);
    ck_assert(ring_push(r, (struct slice){big, 248}));
    ck_assert(!ring_push(r, SLICE("")));
    ck_assert_uint_eq(ring_refused(r), 3);
    ck_assert(ring_peek(r, 0, &s) && s.n == 248);
    ring_pop(r);
    ck_assert(ring_push(r, (struct slice){big, 248}));
    ring_free(r);
}
END_TEST

START_TEST(holds_no_more_than_it_may)
{
    static const size_t sizes[][2] = {{0, 64},    {64, 64},
                                      {71, 64},   {300, 296},
                                      {512, 512}, {(size_t)300 << 20, (size_t)300 << 20}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ring *r = ring_new(sizes[i][0]);
        ck_assert_uint_eq(ring_max(r), sizes[i][1]);
        ring_free(r);
    }
}
END_TEST

static const size_t wrapping_sizes[] = {256, 296, 344};

/* Every start offset and length meets the end of the memory once. */
START_TEST(wraps_at_every_place)
{
    char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)i;
    }
    struct ring *r = ring_new(wrapping_sizes[_i]);
    size_t pushed = 0, popped = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct slice s = {bytes, pushed * 7 % 64};
        if (ring_push(r, s)) {
            pushed++;
        } else {
            ck_assert(ring_peek(r, 0, &s));
            ck_assert_uint_eq(s.n, popped * 7 % 64);
            ck_assert(memcmp(s.p, bytes, s.n) == 0);
            ring_pop(r);
            popped++;
        }
    }
    ck_assert_uint_gt(popped, 5000);
    ring_free(r);
}
END_TEST

START_TEST(close_gives_what_is_left)
{
    struct ring *r = ring_new(256);
    struct slice s;
    ck_assert(ring_push(r, SLICE("last")));
    ring_close(r);
    ck_assert(ring_closed(r));
    ck_assert(!ring_push(r, SLICE("late")));
    ck_assert(ring_peek(r, -1, &s) && slice_is(s, "last"));
    ring_pop(r);
    ck_assert(!ring_peek(r, -1, &s));
    ring_free(r);
}
END_TEST

START_TEST(peek_waits_no_longer_than_asked)
{
    struct ring *r = ring_new(256);
    struct clock clock = clock_system();
    struct slice s;
    int64_t begin = clock_mono(&clock);
    ck_assert(!ring_peek(r, 20, &s));
    ck_assert_int_ge(clock_mono(&clock) - begin, 19000);
    ring_free(r);
}
END_TEST

#define THREAD_RECORDS 20000u

static void *write_numbers(void *arg)
{
    struct ring *r = arg;
    for (uint32_t i = 0; i < THREAD_RECORDS;) {
        char bytes[40];
        memset(bytes, (int)(i & 0xff), sizeof bytes);
        memcpy(bytes, &i, sizeof i);
        i += ring_push(r, (struct slice){bytes, 4 + i % 37});
    }
    ring_close(r);
    return NULL;
}

START_TEST(two_threads_lose_nothing)
{
    struct ring *r = ring_new(1024);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, write_numbers, r), 0);
    struct slice s;
    uint32_t expected = 0;
    while (ring_peek(r, -1, &s)) {
        uint32_t got = 0;
        memcpy(&got, s.p, sizeof got);
        ck_assert_uint_eq(got, expected);
        ck_assert_uint_eq(s.n, 4 + expected % 37);
        ring_pop(r);
        expected++;
    }
    ck_assert_uint_eq(expected, THREAD_RECORDS);
    pthread_join(thread, NULL);
    ring_free(r);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ring");
    tcase_add_test(tcase, gives_records_in_order);
    tcase_add_test(tcase, refuses_and_counts_what_does_not_fit);
    tcase_add_test(tcase, holds_no_more_than_it_may);
    tcase_add_loop_test(tcase, wraps_at_every_place, 0,
                        sizeof wrapping_sizes / sizeof wrapping_sizes[0]);
    tcase_add_test(tcase, close_gives_what_is_left);
    tcase_add_test(tcase, peek_waits_no_longer_than_asked);
    tcase_add_test(tcase, two_threads_lose_nothing);
    Suite *suite = suite_create("ring");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
