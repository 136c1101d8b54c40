/* SPDX-License-Identifier: MIT */
/* Keys, where the kernel is cut short by signals or gives nothing. */
#include "collector/base/random.h"
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* What the kernel answers, one after the other: so many bytes of 'k', or an errno as a negative. */
static const ssize_t *answers;
static unsigned asked;

ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags)
{
    ck_assert_uint_eq(flags, 0);
    ssize_t answer = answers[asked++];
    if (answer < 0) {
        errno = (int)-answer;
        return -1;
    }
    ck_assert_uint_le((size_t)answer, n);
    memset(bytes, 'k', (size_t)answer);
    return answer;
}

START_TEST(a_key_is_filled_whole)
{
    static const ssize_t cut[] = {-EINTR, 5, -EINTR, -EINTR, 20, 7};
    char key[33] = {0};
    answers = cut;
    asked = 0;
    ck_assert(random_key(key, 32));
    ck_assert_uint_eq(asked, 6);
    ck_assert_str_eq(key, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk");
}
END_TEST

START_TEST(no_key_is_made_of_nothing)
{
    static const ssize_t none[] = {5, -ENOSYS};
    static const char zero[32];
    char key[32] = "what was there before";
    answers = none;
    asked = 0;
    ck_assert(!random_key(key, sizeof key));
    ck_assert(memcmp(key, zero, sizeof key) == 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("random");
    tcase_add_test(tcase, a_key_is_filled_whole);
    tcase_add_test(tcase, no_key_is_made_of_nothing);
    Suite *suite = suite_create("random");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
