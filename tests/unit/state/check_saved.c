/* SPDX-License-Identifier: MIT */
#include "collector/state/saved.h"

#include "tests/unit/state/state_kit.h"
#include <stdlib.h>

static unsigned seed;
static struct saved_list list;

static void setup(void)
{
    list = saved_list_new();
}

static void teardown(void)
{
    saved_list_free(&list);
}

START_TEST(touched_are_taken_once)
{
    struct saved a = {.list = &list}, b = {.list = &list};
    saved_touch(&a);
    saved_touch(&b);
    saved_touch(&a);
    struct saved *first = saved_take(&list), *second = saved_take(&list);
    ck_assert((first == &a && second == &b) || (first == &b && second == &a));
    ck_assert_ptr_null(saved_take(&list));
    saved_settle(&list, true);
    saved_touch(&a);
    ck_assert_ptr_eq(saved_take(&list), &a);
    ck_assert_ptr_null(saved_take(&list));
    saved_settle(&list, true);
    ck_assert_ptr_null(saved_take(&list));
}
END_TEST

START_TEST(what_was_not_stored_is_taken_again)
{
    struct saved a = {.list = &list}, b = {.list = &list}, c = {.list = &list, .stored = true};
    saved_end(&c, SLICE("call/"), SLICE("1.1"));
    saved_touch(&a);
    saved_touch(&b);
    while (saved_take(&list))
        ;
    saved_settle(&list, false);
    ck_assert_uint_eq(list.gone.n, sizeof("call/1.1"));
    saved_touch(&a);
    ck_assert_ptr_nonnull(saved_take(&list));
    ck_assert_ptr_nonnull(saved_take(&list));
    ck_assert_ptr_null(saved_take(&list));
    saved_settle(&list, true);
    ck_assert_uint_eq(list.gone.n, 0);
}
END_TEST

START_TEST(nobody_saves_what_has_no_list)
{
    struct saved a = {.stored = true};
    saved_touch(&a);
    ck_assert(!a.dirty);
    saved_end(&a, SLICE("call/"), SLICE("1.1"));
}
END_TEST

/* Only what the store has is told to be gone; what is gone is not saved. */
START_TEST(the_end_of_stored_is_told)
{
    struct saved a = {.list = &list}, b = {.list = &list, .stored = true};
    saved_touch(&a);
    saved_touch(&b);
    saved_end(&a, SLICE("call/"), SLICE("1.1"));
    saved_end(&b, SLICE("channel/"), SLICE("2.2"));
    ck_assert_ptr_null(saved_take(&list));
    ck_assert_uint_eq(list.gone.n, sizeof("channel/2.2"));
    ck_assert_str_eq(list.gone.p, "channel/2.2");
}
END_TEST

/* Keys of ended entities fill up to the bound whole; past it they are counted. */
START_TEST(gone_is_bounded)
{
    static char key[1024 * 1024];
    memset(key, 'k', sizeof(key));
    size_t each = sizeof(key) + sizeof("call/");
    size_t fit = SAVED_GONE_BYTES_MAX / each;
    for (size_t i = 0; i < fit; i++) {
        struct saved s = {.list = &list, .stored = true};
        saved_end(&s, SLICE("call/"), (struct slice){key, sizeof(key)});
    }
    ck_assert_uint_eq(list.lost, 0);
    size_t room = SAVED_GONE_BYTES_MAX - fit * each;
    ck_assert_uint_gt(room, sizeof("call/"));
    for (size_t n = room - sizeof("call/") + 1; n + 1 >= room - sizeof("call/"); n--) {
        struct saved s = {.list = &list, .stored = true};
        size_t before = list.gone.n;
        uint64_t lost = list.lost;
        saved_end(&s, SLICE("call/"), (struct slice){key, n});
        bool fits = n + sizeof("call/") <= room;
        ck_assert_uint_eq(list.gone.n, fits ? before + n + sizeof("call/") : before);
        ck_assert_uint_eq(list.lost, lost + !fits);
        ck_assert(!list.gone.failed);
        if (fits)
            break;
    }
}
END_TEST

/* Any order of touching, taking and ending: each dirty one is taken once and no other. */
#define ENTITIES 20

START_TEST(any_order_takes_all)
{
    struct saved s[ENTITIES];
    bool dirty[ENTITIES] = {false};
    size_t count = 0;
    for (size_t i = 0; i < ENTITIES; i++)
        s[i] = (struct saved){.list = &list};
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)random() % ENTITIES;
        long what = random() % 4;
        if (what < 2) {
            saved_touch(&s[i]);
            count += !dirty[i];
            dirty[i] = true;
        } else if (what == 2) {
            saved_end(&s[i], SLICE("call/"), SLICE("1.1"));
            count -= dirty[i];
            dirty[i] = false;
        } else {
            struct saved *taken = saved_take(&list);
            ck_assert_msg((taken != NULL) == (count > 0), "AMITAP_SEED=%u", seed);
            if (!taken)
                continue;
            ck_assert_msg(dirty[taken - s], "AMITAP_SEED=%u", seed);
            dirty[taken - s] = false;
            count--;
        }
    }
}
END_TEST

struct entity {
    int number;
    struct saved saved;
};

START_TEST(owner_is_found)
{
    struct entity e = {.number = 42, .saved = {.list = &list}};
    saved_touch(&e.saved);
    ck_assert_int_eq(SAVED_OWNER(saved_take(&list), struct entity, saved)->number, 42);
}
END_TEST

int main(void)
{
    seed = kit_seed();
    TCase *tcase = tcase_create("saved");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, touched_are_taken_once);
    tcase_add_test(tcase, what_was_not_stored_is_taken_again);
    tcase_add_test(tcase, nobody_saves_what_has_no_list);
    tcase_add_test(tcase, the_end_of_stored_is_told);
    tcase_add_test(tcase, gone_is_bounded);
    tcase_add_test(tcase, any_order_takes_all);
    tcase_add_test(tcase, owner_is_found);
    return kit_run("saved", tcase);
}
