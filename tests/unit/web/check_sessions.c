/* SPDX-License-Identifier: MIT */
/* Sessions and the limit of attempts, with the time passed in. */
#include "web/attempts.h"
#include "web/sessions.h"
#include <check.h>
#include <stdio.h>

static uint8_t next_byte;
static bool no_randomness;

static bool fake_random(void *bytes, size_t n)
{
    uint8_t *p = bytes;
    next_byte++;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next_byte + i * 7);
    return !no_randomness;
}

static struct sessions *make(void)
{
    const struct sessions_options options = {100, 1000, fake_random};
    struct sessions *s = sessions_new(&options);
    ck_assert_ptr_nonnull(s);
    return s;
}

static struct web_person person(const char *name)
{
    struct web_person p = {.mark = 5};
    memcpy(p.name, name, strlen(name) + 1);
    return p;
}

START_TEST(a_session_is_found_by_its_cookie)
{
    struct sessions *s = make();
    struct web_person anna = person("anna"), found;
    struct session_ref ref;
    char cookie[WEB_SECRET_SIZE], other[WEB_SECRET_SIZE];
    ck_assert(sessions_begin(s, &anna, 50, cookie));
    ck_assert_uint_eq(strlen(cookie), 64);
    ck_assert(sessions_find(s, cookie, 60, &ref, &found));
    ck_assert_str_eq(found.name, "anna");
    memcpy(other, cookie, sizeof(other));
    other[63] = other[63] == '0' ? '1' : '0';
    ck_assert(!sessions_find(s, other, 60, &ref, &found));
    ck_assert(!sessions_find(s, "", 60, &ref, &found));
    memset(other, '0', 64); /* the key of an empty place */
    ck_assert(!sessions_find(s, other, 60, &ref, &found));
    ck_assert(sessions_find(s, cookie, 60, &ref, &found));
    sessions_end(s, ref);
    ck_assert(!sessions_find(s, cookie, 60, &ref, &found) && !sessions_still(s, ref, 60));
    no_randomness = true;
    ck_assert(!sessions_begin(s, &anna, 50, cookie));
    no_randomness = false;
    sessions_free(s);
}
END_TEST

START_TEST(a_session_ends_idle_or_old)
{
    struct sessions *s = make();
    struct web_person anna = person("anna"), found;
    struct session_ref ref;
    char cookie[WEB_SECRET_SIZE];
    ck_assert(sessions_begin(s, &anna, 0, cookie));
    for (int64_t now = 99; now < 1000; now += 99)
        ck_assert(sessions_find(s, cookie, now, &ref, &found));
    ck_assert(sessions_still(s, ref, 999));
    ck_assert(!sessions_still(s, ref, 1000)); /* however busy */
    ck_assert(sessions_begin(s, &anna, 0, cookie));
    ck_assert(sessions_find(s, cookie, 0, &ref, &found));
    ck_assert(!sessions_find(s, cookie, 100, &ref, &found));
    ck_assert(!sessions_find(s, cookie, 50, &ref, &found)); /* gone for good */
    sessions_free(s);
}
END_TEST

START_TEST(sessions_are_bounded)
{
    struct sessions *s = make();
    struct web_person anna = person("anna"), bob = person("bob"), found;
    struct session_ref ref;
    char first[WEB_SECRET_SIZE], cookie[WEB_SECRET_SIZE];
    uint64_t pushed_out;
    ck_assert(sessions_begin(s, &bob, 0, cookie));
    ck_assert(sessions_begin(s, &anna, 0, first));
    for (unsigned i = 1; i < SESSIONS_PER_PERSON; i++)
        ck_assert(sessions_begin(s, &anna, i, cookie));
    ck_assert(sessions_find(s, first, 0, &ref, &found));
    ck_assert(sessions_begin(s, &anna, 30, cookie)); /* her idlest goes, nobody else's */
    ck_assert(!sessions_find(s, first, 31, &ref, &found));
    ck_assert_uint_eq(sessions_count(s, 31, &pushed_out), SESSIONS_PER_PERSON + 1);
    ck_assert_uint_eq(pushed_out, 1);
    for (unsigned i = 0; i < 2 * SESSIONS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%u", i);
        const struct web_person p = person(name);
        ck_assert(sessions_begin(s, &p, 32, cookie));
    }
    ck_assert_uint_eq(sessions_count(s, 32, &pushed_out), SESSIONS_MAX);
    ck_assert(sessions_find(s, cookie, 32, &ref, &found));
    sessions_free(s);
}
END_TEST

static bool only_anna(void *ctx, const struct web_person *p)
{
    (void)ctx;
    return strcmp(p->name, "anna") == 0;
}

START_TEST(who_was_removed_is_out)
{
    struct sessions *s = make();
    struct web_person anna = person("anna"), bob = person("bob"), found;
    struct session_ref ref;
    char hers[WEB_SECRET_SIZE], his[WEB_SECRET_SIZE];
    const struct web_users users = {.still = only_anna};
    ck_assert(sessions_begin(s, &anna, 0, hers) && sessions_begin(s, &bob, 0, his));
    sessions_review(s, &users);
    ck_assert(sessions_find(s, hers, 1, &ref, &found));
    ck_assert(!sessions_find(s, his, 1, &ref, &found));
    sessions_free(s);
}
END_TEST

static struct address at(unsigned n)
{
    struct address a = {{[0] = 0x20, [1] = 0x01}};
    a.bytes[6] = (uint8_t)(n >> 8);
    a.bytes[7] = (uint8_t)n;
    return a;
}

START_TEST(attempts_run_out_and_come_back)
{
    struct attempts *a = attempts_new();
    const struct address here = at(1), there = at(2);
    for (unsigned i = 0; i < ATTEMPTS_BURST; i++)
        ck_assert_uint_eq(attempts_count(a, &here, NULL, 0), 0);
    ck_assert_uint_eq(attempts_count(a, &here, NULL, 0), ATTEMPTS_ADDRESS_SECONDS);
    ck_assert_uint_eq(attempts_count(a, &there, NULL, 0), 0);
    ck_assert_uint_eq(attempts_count(a, &here, NULL, ATTEMPTS_ADDRESS_SECONDS), 0);
    ck_assert_uint_eq(attempts_count(a, &here, NULL, ATTEMPTS_ADDRESS_SECONDS),
                      ATTEMPTS_ADDRESS_SECONDS);
    attempts_free(a);
}
END_TEST

START_TEST(attempts_for_a_name_count_from_everywhere)
{
    struct attempts *a = attempts_new();
    for (unsigned i = 0; i < ATTEMPTS_BURST; i++) {
        const struct address from = at(i);
        ck_assert_uint_eq(attempts_count(a, &from, "anna", 0), 0);
    }
    const struct address from = at(99), unknown = {{0}};
    ck_assert_uint_eq(attempts_count(a, &from, "anna", 0), ATTEMPTS_NAME_SECONDS);
    ck_assert_uint_eq(attempts_count(a, &unknown, "anna", 0), ATTEMPTS_NAME_SECONDS);
    ck_assert_uint_eq(attempts_count(a, &from, "bob", 0), 0);
    attempts_free(a);
}
END_TEST

START_TEST(a_right_password_is_no_attempt)
{
    struct attempts *a = attempts_new();
    const struct address from = at(1);
    for (unsigned i = 0; i < 5 * ATTEMPTS_BURST; i++) {
        ck_assert_uint_eq(attempts_count(a, &from, "anna", 0), 0);
        attempts_forgive(a, &from, "anna");
    }
    attempts_free(a);
}
END_TEST

START_TEST(a_flood_gives_nobody_a_fresh_start)
{
    struct attempts *a = attempts_new();
    const struct address from = at(0);
    while (attempts_count(a, &from, "anna", 0) == 0)
        continue;
    for (unsigned i = 1; i < 3 * ATTEMPTS_MAX; i++) {
        const struct address other = at(i);
        char name[16];
        snprintf(name, sizeof(name), "n%u", i);
        attempts_count(a, &other, name, 0);
    }
    ck_assert_uint_gt(attempts_pushed_out(a), ATTEMPTS_MAX);
    ck_assert_uint_gt(attempts_count(a, &from, "x", 0), 0);
    const struct address new = at(60000);
    ck_assert_uint_gt(attempts_count(a, &new, "anna", 0), 0);
    attempts_free(a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sessions");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_session_is_found_by_its_cookie);
    tcase_add_test(tcase, a_session_ends_idle_or_old);
    tcase_add_test(tcase, sessions_are_bounded);
    tcase_add_test(tcase, who_was_removed_is_out);
    tcase_add_test(tcase, attempts_run_out_and_come_back);
    tcase_add_test(tcase, attempts_for_a_name_count_from_everywhere);
    tcase_add_test(tcase, a_right_password_is_no_attempt);
    tcase_add_test(tcase, a_flood_gives_nobody_a_fresh_start);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
