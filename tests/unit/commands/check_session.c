/* SPDX-License-Identifier: MIT */
#include "tests/unit/commands/session_fixture.h"

static void setup(void)
{
    session_setup();
    session_configure(5038, "x");
    session_make((struct session_env){.link.clock = clock_system()});
}

static void teardown(void)
{
    session_unmake();
    session_teardown();
}

/* Takes all that is in the ring; the gaps of what was given up, by their beginning in seconds. */
static const char *gaps_in_ring(void)
{
    static char text[256];
    struct slice record, reason;
    struct batch_item item;
    struct fact_head head;
    int64_t from;
    text[0] = '\0';
    while (ring_peek(ring, 0, &record)) {
        size_t offset = 0;
        while (batch_next(record, &offset, &item)) {
            size_t n = strlen(text);
            if (item.kind == BATCH_FACT && fact_read_head(item.body, &head) &&
                head.kind == FACT_GAP && fact_find(item.body, FIELD_REASON, &reason, NULL) &&
                slice_is(reason, "kafka_backlog") && fact_find(item.body, FIELD_FROM, NULL, &from))
                snprintf(text + n, sizeof(text) - n, "%d ", (int)(from / 1000000));
        }
        ring_pop(ring);
    }
    return text;
}

static void tell(int64_t first, int64_t mark)
{
    struct untold_span span = {"main", first * 1000000, (first + 100) * 1000000, mark};
    session_given_up(session, &span);
}

START_TEST(what_was_given_up_is_told_once_for_each_mark)
{
    tell(1795000000, 7);
    tell(1795000000, 7);
    ck_assert_str_eq(gaps_in_ring(), "1795000000 ");
    tell(1795000000, 7);
    tell(1795000050, 8);
    ck_assert_str_eq(gaps_in_ring(), "1795000050 ");
}
END_TEST

START_TEST(a_gap_without_room_is_told_again)
{
    static char filler[1 << 18];
    while (ring_push(ring, (struct slice){filler, sizeof(filler)}))
        ;
    while (ring_push(ring, (struct slice){filler, 16}))
        ;
    tell(1795000000, 7);
    tell(1795000000, 7);
    ck_assert_str_eq(gaps_in_ring(), "");
    tell(1795000000, 7);
    ck_assert_str_eq(gaps_in_ring(), "1795000000 ");
    tell(1795000000, 7);
    ck_assert_str_eq(gaps_in_ring(), "");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("session");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_was_given_up_is_told_once_for_each_mark);
    tcase_add_test(tcase, a_gap_without_room_is_told_again);
    return run_suite(tcase, "session");
}
