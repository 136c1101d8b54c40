/* SPDX-License-Identifier: MIT */
#include "collector/commands/publish.h"

#include "collector/facts/fact.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* What reaches a ring that was full for a while. */

#define RING_BYTES ((size_t)64 * 1024)

static struct ring *writer, *view;
static struct publish *publish;
static struct fact_builder builder;
static struct buf seen;

static void setup(void)
{
    writer = ring_new(RING_BYTES);
    view = ring_new(RING_BYTES);
    publish = publish_new(writer, view);
    builder = fact_builder_new();
    seen = buf_new(65536);
    ck_assert_ptr_nonnull(publish);
}

static void teardown(void)
{
    publish_free(publish);
    ring_free(writer);
    ring_free(view);
    fact_builder_free(&builder);
    buf_free(&seen);
}

static void put(enum fact_kind kind, const char *subject, const char *id, size_t filling)
{
    static char fill[RING_BYTES];
    const struct fact_head head = {.kind = kind,
                                   .flags = id[0] == '-' ? FACT_IS_TOMBSTONE : 0,
                                   .pbx = SLICE("main"),
                                   .subject = slice_from(subject),
                                   .id = slice_from(id)};
    memset(fill, 'x', sizeof(fill));
    fact_begin(&builder, &head);
    fact_put_string(&builder, FIELD_NAME, (struct slice){fill, filling});
    publish_fact(publish, fact_finish(&builder));
}

/* A turn that no ring of this size has room for beside what is in it. */
static void fill_rings(void)
{
    while (ring_bytes(writer) < RING_BYTES * 7 / 8) {
        put(FACT_CALL, "filling", "f", 2000);
        ck_assert(publish_turn(publish));
    }
    for (int i = 0; i < 7; i++)
        put(FACT_CALL, "filling", "f", 2000);
}

static void note(const struct batch_item *item)
{
    struct fact_head head;
    if (item->kind == BATCH_NOTE) {
        buf_printf(&seen, "note %.*s\n", (int)item->body.n, item->body.p);
        return;
    }
    ck_assert(fact_read_head(item->body, &head));
    if (!slice_is(head.subject, "filling"))
        buf_printf(&seen, "%s %.*s %.*s\n", fact_kind_info(head.kind)->kind, (int)head.subject.n,
                   head.subject.p, (int)head.id.n, head.id.p);
}

/* Empties a ring; a line for each item that is not filling. */
static const char *taken(struct ring *ring)
{
    struct slice record;
    buf_clear(&seen);
    while (ring_peek(ring, 0, &record)) {
        size_t offset = 0;
        struct batch_item item;
        while (batch_next(record, &offset, &item))
            note(&item);
        ring_pop(ring);
    }
    buf_put_char(&seen, '\0');
    return seen.p;
}

START_TEST(the_last_states_follow_what_was_lost)
{
    fill_rings();
    put(FACT_CALL_STATE, "1.1", "a1", 10);
    put(FACT_CALL_STATE, "1.2", "b1", 10);
    put(FACT_CALL_STARTED, "1.1", "event", 10);
    ck_assert(!publish_turn(publish));
    put(FACT_CALL_STATE, "1.1", "-a2", 0);
    ck_assert(!publish_has_room(publish, 0));
    publish_drop(publish);
    taken(writer);
    taken(view);
    ck_assert(publish_has_room(publish, 0));
    put(FACT_GAP, "main", "gap", 10);
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(writer), "call_state 1.1 -a2\ncall_state 1.2 b1\ngap main gap\n");
    ck_assert_str_eq(taken(view), "call_state 1.1 -a2\ncall_state 1.2 b1\ngap main gap\n");
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(writer), "");
}
END_TEST

/* The view takes nothing new of a subject before what it missed of it. */
START_TEST(a_view_that_does_not_keep_up_gets_states_in_order)
{
    fill_rings();
    put(FACT_QUEUE_STATE, "sales", "a1", 10);
    ck_assert(!publish_turn(publish));
    taken(writer);
    put(FACT_QUEUE_STATE, "sales", "a2", 10);
    publish_note(publish, SLICE("main"), SLICE("{\"connected\":false}"));
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(writer),
                     "queue_state sales a1\nqueue_state sales a2\nnote {\"connected\":false}\n");
    ck_assert_str_eq(taken(view), "");
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(view), "queue_state sales a2\nnote {\"connected\":false}\n");
}
END_TEST

START_TEST(nothing_is_sent_twice_without_a_loss)
{
    put(FACT_CALL_STATE, "1.1", "a1", 10);
    ck_assert(publish_turn(publish));
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(view), "call_state 1.1 a1\n");
    ck_assert_uint_eq(ring_refused(view), 0);
}
END_TEST

/* A sixteenth of the ring is what it may take to keep states. */
START_TEST(states_that_are_too_many_to_keep_are_counted)
{
    fill_rings();
    ck_assert(!publish_turn(publish));
    for (int i = 0; i < 10; i++) {
        char subject[16];
        snprintf(subject, sizeof(subject), "1.%d", i);
        put(FACT_CALL_STATE, subject, "a", 1000);
        publish_drop(publish);
    }
    ck_assert_uint_eq(publish_states_lost(publish).writer, 7);
    taken(writer);
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(writer), "call_state 1.0 a\ncall_state 1.1 a\ncall_state 1.2 a\n");
}
END_TEST

/* Nor does one that cannot be kept keep back what comes later. */
START_TEST(a_state_too_large_to_keep_holds_nothing_up)
{
    fill_rings();
    put(FACT_CALL_STATE, "1.1", "a", RING_BYTES / 8);
    ck_assert(!publish_turn(publish));
    ck_assert_uint_eq(publish_states_lost(publish).writer, 1);
    taken(writer);
    taken(view);
    put(FACT_GAP, "main", "gap", 10);
    ck_assert(publish_turn(publish));
    ck_assert_str_eq(taken(writer), "gap main gap\n");
    ck_assert_str_eq(taken(view), "gap main gap\n");
}
END_TEST

/* Else its first parts fill the ring again and again, and it never gets in whole. */
START_TEST(a_turn_that_was_cut_waits_until_it_fits)
{
    const struct slice half = {(char[RING_BYTES / 2]){0}, RING_BYTES / 2};
    ck_assert(ring_push(writer, half));
    for (int i = 0; i < 20; i++)
        put(FACT_CALL, "filling", "f", 2000);
    ck_assert(!publish_turn(publish));
    ck_assert(!publish_has_room(publish, publish_turn_bytes(publish)));
    ring_pop(writer);
    ck_assert_uint_lt(ring_bytes(writer), RING_BYTES / 2);
    ck_assert(!publish_has_room(publish, publish_turn_bytes(publish)));
    taken(writer);
    ck_assert(publish_has_room(publish, publish_turn_bytes(publish)));
}
END_TEST

/* No waiting would help. */
START_TEST(a_turn_that_outgrows_the_ring_says_so)
{
    for (int i = 0; i < 40; i++)
        put(FACT_CALL_STATE, "1.1", "a", 2000);
    ck_assert(!publish_turn(publish));
    ck_assert(publish_outgrown(publish));
    put(FACT_CALL_STATE, "1.1", "b", 10);
    publish_turn(publish);
    ck_assert(!publish_outgrown(publish));
    put(FACT_CALL_STATE, "1.1", "c", RING_BYTES / 4);
    ck_assert(!publish_turn(publish));
    ck_assert(publish_outgrown(publish));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publish");
    TCase *tcase = tcase_create("publish");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_last_states_follow_what_was_lost);
    tcase_add_test(tcase, a_view_that_does_not_keep_up_gets_states_in_order);
    tcase_add_test(tcase, nothing_is_sent_twice_without_a_loss);
    tcase_add_test(tcase, states_that_are_too_many_to_keep_are_counted);
    tcase_add_test(tcase, a_state_too_large_to_keep_holds_nothing_up);
    tcase_add_test(tcase, a_turn_that_was_cut_waits_until_it_fits);
    tcase_add_test(tcase, a_turn_that_outgrows_the_ring_says_so);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
