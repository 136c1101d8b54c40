/* SPDX-License-Identifier: MIT */
#include "collector/state/bridge.h"

#include "tests/unit/state/state_kit.h"
#include <stdio.h>
#include <stdlib.h>

static struct bridge *bridge_of(const char *id)
{
    struct bridge_values values = {.id = slice_from(id)};
    struct bridge *b = bridge_make(&values);
    ck_assert_ptr_nonnull(b);
    return b;
}

START_TEST(event_describes_it)
{
    struct bridge *b = bridge_new(kit_message("Event: BridgeCreate\n"
                                              "BridgeUniqueid: 0f6e\n"
                                              "BridgeType: base\n"
                                              "BridgeTechnology: softmix\n"
                                              "BridgeCreator: ConfBridge\n"
                                              "BridgeName: 8000\n\n"));
    ck_slice(bridge_id(b), "0f6e");
    ck_slice(b->name, "8000");
    ck_assert(b->confbridge);
    ck_assert_int_eq(b->kind, BRIDGE_BASIC);
    bridge_free(b);
    bridge_free(NULL);
}
END_TEST

/* The CDR engine ignores holding bridges that are not parking lots (Asterisk 22). */
START_TEST(kinds_are_told_apart)
{
    static const struct {
        const char *text;
        enum bridge_kind kind;
    } bridges[] = {
        {"Event: BridgeEnter\nBridgeUniqueid: b\nBridgeType: parking\n"
         "BridgeTechnology: holding_bridge\nBridgeName: <unknown>\n\n",
         BRIDGE_PARKING},
        {"Event: BridgeEnter\nBridgeUniqueid: b\nBridgeType: base\n"
         "BridgeTechnology: holding_bridge\n\n",
         BRIDGE_HOLDING},
        {"Event: BridgeEnter\nBridgeUniqueid: b\nBridgeType: basic\n"
         "BridgeTechnology: simple_bridge\n\n",
         BRIDGE_BASIC},
        {"Event: BridgeEnter\nBridgeUniqueid: b\n\n", BRIDGE_BASIC},
    };
    for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
        struct bridge *b = bridge_new(kit_message(bridges[i].text));
        ck_assert_int_eq(b->kind, bridges[i].kind);
        ck_slice(b->name, "");
        ck_assert(!b->confbridge);
        bridge_free(b);
    }
}
END_TEST

/* By bytes, not by number: "….99" sorts after "….100", as in Asterisk's container. */
START_TEST(members_stand_in_string_order)
{
    static const char *const ids[] = {"1.99", "1.100", "1.9", "2.1", "1.1"};
    static const char *const order[] = {"1.1", "1.100", "1.9", "1.99", "2.1"};
    struct bridge *b = bridge_of("b");
    struct channel *c[5];
    for (size_t i = 0; i < 5; i++) {
        c[i] = kit_channel(ids[i]);
        ck_assert(bridge_enter(b, c[i]));
        ck_assert_ptr_eq(c[i]->bridge, b);
    }
    for (size_t i = 0; i < 5; i++)
        ck_slice(channel_uniqueid(b->members[i]), order[i]);
    bridge_leave(b, c[2]);
    ck_assert_ptr_null(c[2]->bridge);
    ck_assert_uint_eq(b->count, 4);
    ck_slice(channel_uniqueid(b->members[2]), "1.99");
    bridge_leave(b, c[2]);
    ck_assert_uint_eq(b->count, 4);
    bridge_free(b);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_ptr_null(c[i]->bridge);
        channel_free(c[i]);
    }
}
END_TEST

START_TEST(entering_leaves_the_other)
{
    struct bridge *a = bridge_of("a"), *b = bridge_of("b");
    struct channel *c = kit_channel("1.1");
    ck_assert(bridge_enter(a, c) && bridge_enter(b, c) && bridge_enter(b, c));
    ck_assert_uint_eq(a->count, 0);
    ck_assert_uint_eq(b->count, 1);
    ck_assert_ptr_eq(c->bridge, b);
    bridge_leave(a, c);
    ck_assert_ptr_eq(c->bridge, b);
    bridge_free(a);
    bridge_free(b);
    channel_free(c);
}
END_TEST

/* BridgeNumChannels counts announcers that no event shows. */
START_TEST(population_is_the_larger_count)
{
    struct bridge *b = bridge_of("b");
    struct channel *c = kit_channel("1.1");
    bridge_enter(b, c);
    ck_assert_uint_eq(bridge_population(b), 1);
    b->shown = 3;
    ck_assert_uint_eq(bridge_population(b), 3);
    b->shown = 0;
    ck_assert_uint_eq(bridge_population(b), 1);
    bridge_free(b);
    channel_free(c);
}
END_TEST

START_TEST(members_are_bounded)
{
    static struct channel *c[BRIDGE_MEMBERS_MAX + 1];
    struct bridge *b = bridge_of("b");
    char id[16];
    for (size_t i = 0; i <= BRIDGE_MEMBERS_MAX; i++) {
        snprintf(id, sizeof(id), "1.%06zu", i);
        c[i] = kit_channel(id);
        must(bridge_enter(b, c[i]) == (i < BRIDGE_MEMBERS_MAX), "%zu", i);
    }
    ck_assert_uint_eq(b->count, BRIDGE_MEMBERS_MAX);
    ck_assert_ptr_null(c[BRIDGE_MEMBERS_MAX]->bridge);
    bridge_leave(b, c[7]);
    ck_assert(bridge_enter(b, c[BRIDGE_MEMBERS_MAX]));
    bridge_free(b);
    for (size_t i = 0; i <= BRIDGE_MEMBERS_MAX; i++)
        channel_free(c[i]);
}
END_TEST

START_TEST(coming_and_going_is_to_be_saved)
{
    struct saved_list list = saved_list_new();
    struct bridge *b = bridge_of("b");
    struct channel *c = kit_channel("1.1");
    c->saved.list = &list;
    bridge_enter(b, c);
    ck_assert_ptr_eq(saved_take(&list), &c->saved);
    bridge_leave(b, c);
    ck_assert_ptr_eq(saved_take(&list), &c->saved);
    bridge_free(b);
    channel_free(c);
    saved_list_free(&list);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("bridge");
    tcase_add_test(tcase, event_describes_it);
    tcase_add_test(tcase, kinds_are_told_apart);
    tcase_add_test(tcase, members_stand_in_string_order);
    tcase_add_test(tcase, entering_leaves_the_other);
    tcase_add_test(tcase, population_is_the_larger_count);
    tcase_add_test(tcase, members_are_bounded);
    tcase_add_test(tcase, coming_and_going_is_to_be_saved);
    return kit_run("bridge", tcase);
}
