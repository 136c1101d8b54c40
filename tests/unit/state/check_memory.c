/* SPDX-License-Identifier: MIT */
/* What each constructor and each growing thing does when memory is short: it says so, loses nothing
 * that it held, and leaks nothing (which the address sanitizer sees). */
#include "collector/state/bridge.h"
#include "collector/state/place.h"
#include "collector/state/table.h"

#include "tests/unit/short_memory.h"
#include "tests/unit/state/state_kit.h"
#include <stdio.h>

START_TEST(snapshot_is_refused)
{
    struct snapshot_values v = kit_values("1.1");
    memory_begin(0);
    struct snapshot *s = snapshot_new(&v);
    ck_assert(memory_end());
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(channel_is_refused)
{
    struct snapshot_values v = kit_values("1.1");
    for (long n = 0;; n++) {
        memory_begin(n);
        struct channel *c = channel_new(&v, 1);
        bool failed = memory_end();
        ck_assert((c == NULL) == failed);
        channel_free(c);
        if (!failed)
            break;
        ck_assert_int_lt(n, 10);
    }
}
END_TEST

/* The channel keeps the look that it had. */
START_TEST(look_is_kept)
{
    struct channel *c = kit_channel("1.1");
    struct snapshot_values v = kit_values("1.1");
    v.state = 6;
    memory_begin(0);
    struct channel_change change = channel_take(c, &v, CHANNEL_EVENT_STATE, 2);
    ck_assert(memory_end());
    ck_assert(!change.changed && change.now == c->now);
    ck_assert_int_eq(snapshot_state(c->now), 4);

    memory_begin(0);
    channel_run(c, SLICE("Dial"), SLICE("PJSIP/200"), 0, 3);
    ck_assert(memory_end());
    ck_slice(snapshot_text(c->now, SNAPSHOT_APPLICATION), "");

    memory_begin(0);
    channel_set_flag(c, SNAPSHOT_DIALED, true);
    ck_assert(memory_end());
    ck_assert_uint_eq(snapshot_flags(c->now), 0);

    memory_begin(0);
    struct snapshot *look = channel_look(c, &v);
    ck_assert(memory_end());
    ck_assert_ptr_null(look);
    channel_free(c);
}
END_TEST

START_TEST(bridge_is_refused)
{
    struct bridge_values values = {.id = SLICE("b"), .name = SLICE("n")};
    for (long n = 0; n < 2; n++) {
        memory_begin(n);
        struct bridge *b = bridge_make(&values);
        ck_assert(memory_end());
        ck_assert_ptr_null(b);
    }
}
END_TEST

START_TEST(bridge_keeps_its_members)
{
    struct bridge_values values = {.id = SLICE("b")};
    struct bridge *b = bridge_make(&values);
    struct channel *c[5] = {kit_channel("1.1"), kit_channel("1.2"), kit_channel("1.3"),
                            kit_channel("1.4"), kit_channel("1.5")};
    for (size_t i = 0; i < 4; i++)
        ck_assert(bridge_enter(b, c[i]));
    memory_begin(0);
    bool entered = bridge_enter(b, c[4]);
    ck_assert(memory_end());
    ck_assert(!entered && !c[4]->bridge);
    ck_assert_uint_eq(b->count, 4);
    ck_assert(bridge_enter(b, c[4]));
    bridge_free(b);
    for (size_t i = 0; i < 5; i++)
        channel_free(c[i]);
}
END_TEST

static struct slice key_of(const void *value)
{
    return slice_from(value);
}

/* The first slots, and doubling them at the 49th. */
START_TEST(table_keeps_its_values)
{
    static char keys[50][8];
    struct table t = table_new(1000, key_of);
    uint64_t refused = 0;
    for (size_t i = 0; i < 50; i++) {
        snprintf(keys[i], sizeof(keys[i]), "%zu", i);
        memory_begin(0);
        bool added = table_add(&t, keys[i]);
        if (memory_end()) {
            ck_assert(!added);
            ck_assert_uint_eq(t.refused, ++refused);
            ck_assert(i == 0 || i == 48);
            ck_assert(table_add(&t, keys[i]));
        }
    }
    ck_assert_uint_eq(refused, 2);
    for (size_t i = 0; i < 50; i++)
        ck_assert_ptr_eq(table_find(&t, slice_from(keys[i])), keys[i]);
    table_free(&t);
}
END_TEST

START_TEST(place_keeps_what_it_knows)
{
    struct place_memory memory = place_memory_new();
    struct place_key key = {SLICE("from-inside"), SLICE("200"), 2};
    struct buf data = buf_new(64);
    for (long n = 0; n < 2; n++) {
        memory_begin(n);
        place_memory_put(&memory, &key, SLICE("Dial"), SLICE("PJSIP/200"));
        ck_assert(memory_end());
        ck_assert_uint_eq(memory.places.count, 0);
    }
    place_memory_put(&memory, &key, SLICE("Dial"), SLICE("PJSIP/200"));
    memory_begin(0);
    place_memory_put(&memory, &key, SLICE("Queue"), SLICE("sales"));
    ck_assert(memory_end());
    memory_begin(0);
    enum place_found found = place_memory_data(&memory, &key, SLICE("Dial"), &data);
    ck_assert(memory_end());
    ck_assert_int_eq(found, PLACE_UNKNOWN);
    ck_assert_int_eq(place_memory_data(&memory, &key, SLICE("Dial"), &data), PLACE_SEEN);
    buf_free(&data);
    place_memory_free(&memory);
}
END_TEST

/* The store keeps the entity until the next start, which finds it ended. */
START_TEST(gone_key_is_counted)
{
    struct saved_list list = saved_list_new();
    struct saved a = {.list = &list, .stored = true}, b = a;
    memory_begin(0);
    saved_end(&a, SLICE("call/"), SLICE("1.1"));
    ck_assert(memory_end());
    ck_assert_uint_eq(list.lost, 1);
    ck_assert_uint_eq(list.gone.n, 0);
    saved_end(&b, SLICE("call/"), SLICE("1.2"));
    ck_assert_str_eq(list.gone.p, "call/1.2");
    saved_list_free(&list);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, snapshot_is_refused);
    tcase_add_test(tcase, channel_is_refused);
    tcase_add_test(tcase, look_is_kept);
    tcase_add_test(tcase, bridge_is_refused);
    tcase_add_test(tcase, bridge_keeps_its_members);
    tcase_add_test(tcase, table_keeps_its_values);
    tcase_add_test(tcase, place_keeps_what_it_knows);
    tcase_add_test(tcase, gone_key_is_counted);
    return kit_run("memory", tcase);
}
