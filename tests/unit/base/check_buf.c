/* SPDX-License-Identifier: MIT */
#include "collector/base/buf.h"

#include <check.h>
#include <stdlib.h>

START_TEST(appends_and_drops)
{
    struct buf b = buf_new(1000);
    ck_assert_uint_eq(buf_slice(&b).n, 0);
    ck_assert(buf_put(&b, "abc", 3));
    ck_assert(buf_put(&b, NULL, 0));
    ck_assert(buf_put_char(&b, 'd'));
    ck_assert(buf_put_slice(&b, SLICE("ef")));
    ck_assert(buf_printf(&b, "%d-%s", 12, "x"));
    ck_assert(slice_is(buf_slice(&b), "abcdef12-x"));
    buf_drop(&b, 4);
    ck_assert(slice_is(buf_slice(&b), "ef12-x"));
    buf_drop(&b, 0);
    buf_drop(&b, 6);
    ck_assert_uint_eq(b.n, 0);
    buf_free(&b);
}
END_TEST

/* A write that passes the bound is refused whole, and so is all after it until buf_clear. */
START_TEST(refuses_past_its_bound)
{
    for (size_t n = 299; n <= 301; n++) {
        struct buf b = buf_new(300);
        char bytes[301] = {0};
        ck_assert(buf_put(&b, bytes, 10));
        ck_assert_int_eq(buf_put(&b, bytes, n - 10), n <= 300);
        ck_assert_int_eq(b.failed, n > 300);
        ck_assert_uint_eq(b.n, n <= 300 ? n : 10);
        if (b.failed)
            ck_assert(!buf_put_char(&b, 'x'));
        buf_clear(&b);
        ck_assert(!b.failed);
        ck_assert_uint_eq(b.n, 0);
        ck_assert(buf_put(&b, bytes, 300));
        ck_assert(!buf_put_char(&b, 'x'));
        buf_free(&b);
    }
}
END_TEST

/* Text of every length around a buffer's growth, and around its bound, which is reached to the
 * byte. */
START_TEST(prints_text_of_any_length)
{
    char text[1001];
    for (size_t n = 0; n <= 1000; n++) {
        struct buf b = buf_new(900);
        memset(text, 'z', n);
        text[n] = '\0';
        ck_assert_int_eq(buf_printf(&b, "%s|%s", "ab", text), n + 3 <= 900);
        ck_assert_uint_eq(b.n, n + 3 <= 900 ? n + 3 : 0);
        ck_assert_int_eq(b.failed, n + 3 > 900);
        if (!b.failed) {
            ck_assert(memcmp(b.p, "ab|", 3) == 0 && memcmp(b.p + 3, text, n) == 0);
            ck_assert_int_eq(buf_printf(&b, "%s", text), 2 * n + 3 <= 900);
        }
        buf_free(&b);
    }
}
END_TEST

START_TEST(reserve_adds_nothing)
{
    struct buf b = buf_new(100000);
    char *p = buf_reserve(&b, 50000);
    ck_assert_ptr_nonnull(p);
    memset(p, 'y', 50000);
    ck_assert_uint_eq(b.n, 0);
    b.n += 50000;
    ck_assert_ptr_null(buf_reserve(&b, 50001));
    ck_assert(b.failed);
    ck_assert_ptr_null(buf_reserve(&b, 1));
    buf_clear(&b);
    ck_assert_ptr_nonnull(buf_reserve(&b, 100000));
    buf_free(&b);
}
END_TEST

START_TEST(used_after_free)
{
    struct buf b = buf_new(10);
    buf_put_char(&b, 'x');
    buf_free(&b);
    ck_assert(buf_put(&b, "0123456789", 10));
    ck_assert(!buf_put_char(&b, 'x'));
    buf_free(&b);
    struct buf none = buf_new(0);
    ck_assert(!buf_put_char(&none, 'x'));
    buf_free(&none);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("buf");
    tcase_add_test(tcase, appends_and_drops);
    tcase_add_test(tcase, refuses_past_its_bound);
    tcase_add_test(tcase, prints_text_of_any_length);
    tcase_add_test(tcase, reserve_adds_nothing);
    tcase_add_test(tcase, used_after_free);
    Suite *suite = suite_create("buf");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
