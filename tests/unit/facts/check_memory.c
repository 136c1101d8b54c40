/* SPDX-License-Identifier: MIT */
/* Each allocation of a busy stream fails once: the tap goes on, holds what it can, and loses no
 * memory (which the address sanitizer sees). */
#include "tests/unit/facts/facts_kit.h"
#include "tests/unit/short_memory.h"

#include <stdlib.h>

static void take_fact(void *ctx, struct slice fact)
{
    (void)fact;
    ++*(unsigned *)ctx;
}

static void forget(void *ctx, struct slice entity, struct slice body)
{
    (void)ctx;
    (void)entity;
    (void)body;
}

START_TEST(tap_is_refused)
{
    struct tap_options options = tap_options_default(SLICE("main"));
    unsigned facts = 0;
    for (long n = 0;; n++) {
        memory_begin(n);
        struct tap *tap = tap_new(&options, take_fact, &facts);
        bool failed = memory_end();
        ck_assert((tap == NULL) == failed);
        tap_free(tap);
        if (!failed)
            break;
        ck_assert_int_lt(n, 50);
    }
}
END_TEST

static const char *const cases[] = {"conference-of-three",
                                    "attended-transfer",
                                    "blind-transfer-data-seen-later",
                                    "park-told-before-its-bridge",
                                    "pickup",
                                    "queue-ring-cancelled",
                                    "queue-blind-transfer-told-first",
                                    "queue-twice",
                                    "queue-caller-gone-before-complete",
                                    "member-added-by-dialplan",
                                    "agent-states-over-phone",
                                    "agent-removed",
                                    "userfield-of-both",
                                    "fork-end-and-reset",
                                    "list-shows-what-is-new-only"};

/* So many events a turn of the loop, which saves at its end. */
#define SAVE_EACH 8

/* Feeds the case's input with the allocation of that number failing. False when there are not so
 * many. */
static bool run(struct slice input, long fails_at)
{
    struct tap_options options = tap_options_default(SLICE("main"));
    unsigned facts = 0;
    struct tap *tap = tap_new(&options, take_fact, &facts);
    struct kit_stream stream = kit_stream(input);
    memory_begin(fails_at);
    for (unsigned events = 1; kit_step(&stream, tap); events++) {
        if (events % SAVE_EACH == 0)
            tap_save(tap, forget, NULL, NULL);
    }
    tap_save(tap, forget, NULL, NULL);
    bool failed = memory_end();
    tap_free(tap);
    return failed;
}

START_TEST(each_allocation_may_fail)
{
    char path[512];
    snprintf(path, sizeof(path), "tests/unit/facts/case/%s/input", cases[_i]);
    struct slice input = kit_read(path);
    ck_assert_msg(input.n > 0, "%s cannot be read", path);
    long n = 0;
    while (run(input, n))
        n++;
    ck_assert_int_gt(n, 10);
    free((char *)input.p);
}
END_TEST

/* What a tap has saved by the middle of a case. */
#define SAVED_MAX 64

static struct {
    char *entity[SAVED_MAX];
    struct slice body[SAVED_MAX];
    size_t count;
} saved;

static void keep(void *ctx, struct slice entity, struct slice body)
{
    (void)ctx;
    ck_assert_uint_lt(saved.count, SAVED_MAX);
    char *key = calloc(1, entity.n + 1), *copy = malloc(body.n);
    memcpy(key, entity.p, entity.n);
    memcpy(copy, body.p, body.n);
    saved.entity[saved.count] = key;
    saved.body[saved.count++] = (struct slice){copy, body.n};
}

static void save_half(const struct tap_options *options, const char *name)
{
    char path[512];
    unsigned facts = 0;
    snprintf(path, sizeof(path), "tests/unit/facts/case/%s/input", name);
    struct slice input = kit_read(path);
    struct tap *tap = tap_new(options, take_fact, &facts);
    struct kit_stream stream = kit_stream(input);
    while (stream.rest.n > input.n / 2 && kit_step(&stream, tap))
        continue;
    tap_save(tap, keep, NULL, NULL);
    tap_free(tap);
    free((char *)input.p);
}

/* Jansson's own allocations are not counted. */
static bool restore(const struct tap_options *options, long fails_at)
{
    unsigned facts = 0;
    struct tap *tap = tap_new(options, take_fact, &facts);
    memory_begin(fails_at);
    for (size_t i = 0; i < saved.count; i++)
        tap_restore(tap, slice_from(saved.entity[i]), saved.body[i]);
    tap_restored(tap);
    bool failed = memory_end();
    tap_free(tap);
    return failed;
}

START_TEST(restoring_may_fail)
{
    struct tap_options options = tap_options_default(SLICE("main"));
    save_half(&options, "attended-transfer");
    ck_assert_uint_gt(saved.count, 4);
    long n = 0;
    while (restore(&options, n))
        n++;
    ck_assert_int_gt(n, 20);
    for (size_t i = 0; i < saved.count; i++) {
        free(saved.entity[i]);
        free((char *)saved.body[i].p);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("memory");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, tap_is_refused);
    tcase_add_loop_test(tcase, each_allocation_may_fail, 0,
                        (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_test(tcase, restoring_may_fail);
    return kit_run("memory", tcase);
}
