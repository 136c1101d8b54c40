/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_window.h"

#include "tests/unit/outbox/store_fixture.h"

static struct kafka_window window;
static uint64_t cursor;

static void setup(void)
{
    ck_assert(kafka_window_init(&window));
    cursor = 0;
}

static void teardown(void)
{
    kafka_window_free(&window);
}

START_TEST(passes_only_what_has_no_gap_before_it)
{
    struct kafka_sent *a = kafka_window_add(&window, 5, 10);
    struct kafka_sent *b = kafka_window_add(&window, 7, 10);
    struct kafka_sent *c = kafka_window_add(&window, 8, 10);
    b->state = c->state = KAFKA_ACKED;
    ck_assert_uint_eq(kafka_window_pass(&window, &cursor), 0);
    ck_assert_uint_eq(cursor, 0);
    a->state = KAFKA_ACKED;
    ck_assert_uint_eq(kafka_window_pass(&window, &cursor), 3);
    ck_assert_uint_eq(cursor, 8);
    ck_assert_ptr_null(kafka_window_head(&window));
    ck_assert_uint_eq(window.bytes, 0);
}
END_TEST

START_TEST(a_refused_row_stops_the_cursor)
{
    kafka_window_add(&window, 1, 10)->state = KAFKA_ACKED;
    kafka_window_add(&window, 2, 10)->state = KAFKA_REFUSED;
    kafka_window_add(&window, 3, 10)->state = KAFKA_ACKED;
    ck_assert_uint_eq(kafka_window_pass(&window, &cursor), 1);
    ck_assert_uint_eq(cursor, 1);
    ck_assert_int_eq(kafka_window_head(&window)->state, KAFKA_REFUSED);
    kafka_window_drop_head(&window);
    ck_assert_uint_eq(kafka_window_pass(&window, &cursor), 1);
    ck_assert_uint_eq(cursor, 3);
}
END_TEST

START_TEST(bounds_in_rows_and_bytes)
{
    for (uint64_t seq = 1; kafka_window_has_room(&window, 1); seq++)
        kafka_window_add(&window, seq, 1);
    ck_assert_uint_eq(window.count, KAFKA_WINDOW_ROWS);
    kafka_window_clear(&window);
    ck_assert(kafka_window_has_room(&window, KAFKA_WINDOW_ROWS));
    ck_assert(!kafka_window_has_room(&window, KAFKA_WINDOW_ROWS + 1));
    kafka_window_add(&window, 1, KAFKA_WINDOW_BYTES);
    ck_assert(!kafka_window_has_room(&window, 1));
    kafka_window_take_back(&window);
    ck_assert(kafka_window_has_room(&window, 1));
}
END_TEST

/* The ring's end lies at every place once. */
START_TEST(goes_round)
{
    uint64_t seq = 0;
    for (unsigned i = 0; i < KAFKA_WINDOW_ROWS + 10; i++) {
        struct kafka_sent *rows[3];
        for (unsigned r = 0; r < 3; r++)
            rows[r] = kafka_window_add(&window, ++seq, r);
        for (unsigned r = 3; r-- > 0;)
            rows[r]->state = KAFKA_ACKED;
        ck_assert_uint_eq(kafka_window_newest(&window), seq);
        ck_assert_uint_eq(kafka_window_pass(&window, &cursor), 3);
        ck_assert_uint_eq(cursor, seq);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("kafka_window");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, passes_only_what_has_no_gap_before_it);
    tcase_add_test(tcase, a_refused_row_stops_the_cursor);
    tcase_add_test(tcase, bounds_in_rows_and_bytes);
    tcase_add_test(tcase, goes_round);
    return run_suite(tcase, "kafka_window");
}
