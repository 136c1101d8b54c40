/* SPDX-License-Identifier: MIT */
#include "collector/state/table.h"

#include "tests/unit/state/state_kit.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned seed;

struct item {
    char text[16];
    size_t n;
};

static struct slice key_of(const void *value)
{
    const struct item *item = value;
    return (struct slice){item->text, item->n};
}

static struct item named(unsigned number)
{
    struct item item;
    item.n = (size_t)snprintf(item.text, sizeof(item.text), "%u.%u", 1763683071 + number / 10,
                              number % 10);
    return item;
}

START_TEST(empty_table_has_nothing)
{
    struct table t = table_new(8, key_of);
    size_t position = 0;
    ck_assert_ptr_null(table_find(&t, SLICE("1.1")));
    ck_assert_ptr_null(table_find(&t, (struct slice){NULL, 0}));
    table_remove(&t, SLICE("1.1"));
    ck_assert_ptr_null(table_next(&t, &position));
    table_free(&t);
    table_free(&t);
}
END_TEST

/* Bounds below, at and above where slots are doubled (48 of 64). */
START_TEST(bound_is_kept)
{
    static const size_t bounds[] = {1, 2, 47, 48, 49, 100};
    struct item items[102];
    for (unsigned i = 0; i < 102; i++)
        items[i] = named(i);
    for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
        struct table t = table_new(bounds[b], key_of);
        for (size_t i = 0; i < bounds[b]; i++)
            ck_assert(table_add(&t, &items[i]));
        ck_assert_uint_eq(t.count, bounds[b]);
        ck_assert(!table_add(&t, &items[bounds[b]]));
        ck_assert(!table_add(&t, &items[bounds[b] + 1]));
        ck_assert_uint_eq(t.refused, 2);
        ck_assert_uint_eq(t.count, bounds[b]);
        table_remove(&t, key_of(&items[0]));
        ck_assert(table_add(&t, &items[bounds[b]]));
        ck_assert(!table_add(&t, &items[0]));
        table_free(&t);
    }
}
END_TEST

START_TEST(bound_of_nothing_holds_nothing)
{
    struct item item = named(1);
    struct table t = table_new(0, key_of);
    ck_assert(!table_add(&t, &item));
    ck_assert_uint_eq(t.refused, 1);
    table_free(&t);
}
END_TEST

/* Keys differ by every byte and by their length, also with NULs, also when empty. */
START_TEST(keys_are_bytes)
{
    struct item items[] = {{"", 0},    {"\0", 1},       {"\0\0", 2},      {"a", 1},
                           {"a\0", 2}, {"12345678", 8}, {"12345678\0", 9}};
    size_t count = sizeof(items) / sizeof(items[0]);
    struct table t = table_new(16, key_of);
    for (size_t i = 0; i < count; i++)
        ck_assert(table_add(&t, &items[i]));
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_eq(table_find(&t, key_of(&items[i])), &items[i]);
    ck_assert_ptr_eq(table_find(&t, (struct slice){NULL, 0}), &items[0]);
    table_free(&t);
}
END_TEST

START_TEST(hash_depends_on_bytes_alone)
{
    char shifted[12] = "x1763683071";
    ck_assert_uint_eq(table_hash(SLICE("1763683071")), table_hash((struct slice){shifted + 1, 10}));
    ck_assert_uint_ne(table_hash(SLICE("1763683071.1")), table_hash(SLICE("1763683071.2")));
    ck_assert_uint_ne(table_hash(SLICE("a")), table_hash((struct slice){"a\0", 2}));
}
END_TEST

/* Items whose home is one of the last two or the first slot of 64, so that their run of slots wraps
 * around the end; in each order of removal those that are left must still be found. */
#define CROWD 5

static void find_crowd(struct item crowd[CROWD])
{
    static const uint64_t homes[CROWD] = {62, 63, 62, 0, 63};
    unsigned number = 0;
    for (size_t i = 0; i < CROWD; i++) {
        do
            crowd[i] = named(number++);
        while ((table_hash(key_of(&crowd[i])) & 63) != homes[i]);
    }
}

static void remove_in_order(struct item crowd[CROWD], const size_t order[CROWD])
{
    struct table t = table_new(64, key_of);
    bool held[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        held[i] = table_add(&t, &crowd[i]);
    ck_assert_uint_eq(t.mask, 63);
    for (size_t i = 0; i < CROWD; i++) {
        table_remove(&t, key_of(&crowd[order[i]]));
        held[order[i]] = false;
        for (size_t k = 0; k < CROWD; k++)
            must(table_find(&t, key_of(&crowd[k])) == (held[k] ? &crowd[k] : NULL), "%zu", k);
    }
    ck_assert_uint_eq(t.count, 0);
    table_free(&t);
}

static void each_order(struct item crowd[CROWD], size_t order[CROWD], size_t from)
{
    if (from == CROWD)
        remove_in_order(crowd, order);
    for (size_t i = from; i < CROWD; i++) {
        size_t was = order[from];
        order[from] = order[i];
        order[i] = was;
        each_order(crowd, order, from + 1);
        order[i] = order[from];
        order[from] = was;
    }
}

START_TEST(removal_leaves_no_gap)
{
    struct item crowd[CROWD];
    size_t order[CROWD] = {0, 1, 2, 3, 4};
    find_crowd(crowd);
    each_order(crowd, order, 0);
}
END_TEST

/* Random operations against an array of flags. */
#define UNIVERSE 400

struct model {
    struct table table;
    struct item items[UNIVERSE];
    bool held[UNIVERSE];
    size_t count;
};

static void check_whole(const struct model *m)
{
    bool walked[UNIVERSE] = {false};
    size_t position = 0, count = 0;
    const struct item *item;
    while ((item = table_next(&m->table, &position))) {
        size_t i = (size_t)(item - m->items);
        must(m->held[i] && !walked[i], "walk, AMITAP_SEED=%u", seed);
        walked[i] = true;
        count++;
    }
    must(count == m->count && m->table.count == count, "count, AMITAP_SEED=%u", seed);
    for (size_t i = 0; i < UNIVERSE; i++)
        must(table_find(&m->table, key_of(&m->items[i])) == (m->held[i] ? &m->items[i] : NULL),
             "find, AMITAP_SEED=%u", seed);
}

/* More adding than removing, or the other way round, so that the table fills and empties. */
static void change_one(struct model *m, bool filling)
{
    size_t i = (size_t)random() % UNIVERSE;
    struct slice key = key_of(&m->items[i]);
    bool add = random() % 10 < (filling ? 7 : 3);
    if (add && !m->held[i]) {
        bool room = m->count < m->table.max;
        must(table_add(&m->table, &m->items[i]) == room, "add, AMITAP_SEED=%u", seed);
        m->held[i] = room;
        m->count += room;
    } else if (!add) {
        table_remove(&m->table, key);
        m->count -= m->held[i];
        m->held[i] = false;
    }
    must(table_find(&m->table, key) == (m->held[i] ? &m->items[i] : NULL), "AMITAP_SEED=%u", seed);
}

START_TEST(any_operations_keep_all)
{
    static struct model m;
    m = (struct model){.table = table_new(UNIVERSE - 50, key_of)};
    for (unsigned i = 0; i < UNIVERSE; i++)
        m.items[i] = named((unsigned)i * 7);
    for (int i = 0; i < 40000; i++) {
        change_one(&m, i / 4000 % 2 == 0);
        if (i % 500 == 0)
            check_whole(&m);
    }
    check_whole(&m);
    table_free(&m.table);
}
END_TEST

int main(void)
{
    seed = kit_seed();
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, empty_table_has_nothing);
    tcase_add_test(tcase, bound_is_kept);
    tcase_add_test(tcase, bound_of_nothing_holds_nothing);
    tcase_add_test(tcase, keys_are_bytes);
    tcase_add_test(tcase, hash_depends_on_bytes_alone);
    tcase_add_test(tcase, removal_leaves_no_gap);
    tcase_add_test(tcase, any_operations_keep_all);
    return kit_run("table", tcase);
}
