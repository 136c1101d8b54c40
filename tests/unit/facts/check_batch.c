/* SPDX-License-Identifier: MIT */
#include "collector/facts/batch.h"

#include "tests/unit/facts/facts_kit.h"

static struct buf batch;

static void setup(void)
{
    batch = buf_new(1000);
}

static void teardown(void)
{
    buf_free(&batch);
}

START_TEST(items_come_back_in_order)
{
    static const struct batch_item items[] = {
        {BATCH_FACT, {NULL, 0}, {NULL, 0}, {"a\0b", 3}},
        {BATCH_STATE_PUT, {"main", 4}, {"call/1.1", 8}, {"{}", 2}},
        {BATCH_STATE_DELETE, {"main", 4}, {"call/1.2", 8}, {NULL, 0}},
        {BATCH_NOTE, {"main", 4}, {"connected", 9}, {"{\"up\":true}", 11}},
    };
    size_t count = sizeof(items) / sizeof(items[0]), offset = 0;
    struct batch_item item;
    for (size_t i = 0; i < count; i++)
        ck_assert(batch_put(&batch, &items[i]));
    for (size_t i = 0; i < count; i++) {
        ck_assert(batch_next(buf_slice(&batch), &offset, &item));
        ck_assert_int_eq(item.kind, items[i].kind);
        ck_assert(slice_equal(item.pbx, items[i].pbx));
        ck_assert(slice_equal(item.entity, items[i].entity));
        ck_assert(slice_equal(item.body, items[i].body));
    }
    ck_assert(!batch_next(buf_slice(&batch), &offset, &item));
    ck_assert(!batch_next(buf_slice(&batch), &offset, &item));
}
END_TEST

START_TEST(empty_batch_has_none)
{
    size_t offset = 0;
    struct batch_item item;
    ck_assert(!batch_next((struct slice){NULL, 0}, &offset, &item));
    ck_assert(!batch_next(buf_slice(&batch), &offset, &item));
}
END_TEST

/* One byte below the bound, at it and past it; what was there before stays whole. */
START_TEST(bound_is_kept)
{
    static char body[1000];
    struct batch_item small = {.kind = BATCH_FACT, .body = SLICE("first")};
    ck_assert(batch_put(&batch, &small));
    size_t head = batch.n - 5, first = batch.n, room = 1000 - first - head;
    for (size_t n = room - 1; n <= room + 1; n++) {
        struct batch_item item = {.kind = BATCH_FACT, .body = {body, n}};
        size_t offset = 0;
        batch.n = first;
        ck_assert(batch_put(&batch, &item) == (n <= room));
        ck_assert_uint_eq(batch.n, n <= room ? first + head + n : first);
        ck_assert(batch_next(buf_slice(&batch), &offset, &item));
        ck_slice(item.body, "first");
        ck_assert(batch_next(buf_slice(&batch), &offset, &item) == (n <= room));
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("batch");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, items_come_back_in_order);
    tcase_add_test(tcase, empty_batch_has_none);
    tcase_add_test(tcase, bound_is_kept);
    return kit_run("batch", tcase);
}
