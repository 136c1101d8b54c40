/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char rendered[1024];

/* The text as a play moved by ten seconds says it, with serials and words of its own. */
static const char *play(const char *text, const struct sim_words *words, int64_t stamp_us)
{
    struct sim_rename rename = {.shift = 10,
                                .stamp_us = stamp_us,
                                .uid_delta = 100,
                                .channel_delta = 16,
                                .bridge_key = 1,
                                .number_key = 5,
                                .copy = 1,
                                .words = words};
    struct sim_text *t = sim_text_new(slice_from(text), words);
    struct buf to = buf_new(sizeof(rendered) - 1);
    ck_assert_ptr_nonnull(t);
    ck_assert(sim_text_render(t, &rename, &to));
    memcpy(rendered, to.n ? to.p : "", to.n);
    rendered[to.n] = '\0';
    buf_free(&to);
    sim_text_free(t);
    return rendered;
}

START_TEST(times_move)
{
    ck_assert_str_eq(play("Timestamp: 1795219084.000059", NULL, 0), "Timestamp: 1795219094.000059");
    ck_assert_str_eq(play("LastCall: 1795219084", NULL, 0), "LastCall: 1795219094");
    ck_assert_str_eq(play("\"2026-11-20 23:59:55\"", NULL, 0), "\"2026-11-21 00:00:05\"");
    ck_assert_str_eq(play("2026-11-20T23:59:55.123", NULL, 0), "2026-11-21T00:00:05.123");
    ck_assert_str_eq(play("Timestamp: 1795219084.000059", NULL, INT64_C(1800000000000007)),
                     "Timestamp: 1800000000.000007");
}
END_TEST

START_TEST(ids_are_new)
{
    ck_assert_str_eq(play("pbxA-1795219084.3", NULL, 0), "pbxA-1795219094.103");
    ck_assert_str_eq(play("PJSIP/101-000000ff", NULL, 0), "PJSIP/101-0000010f");
    ck_assert_str_eq(play("Local/108@internal-00000001;2", NULL, 0),
                     "Local/108@internal-00000011;2");
    ck_assert_str_eq(play("76345988-d20d-440c-9924-f76f4e04da51", NULL, 0),
                     "76345989-d20d-440c-9924-f76f4e04da51");
}
END_TEST

START_TEST(numbers_change_alike)
{
    char once[64];
    snprintf(once, sizeof(once), "%s", play("+14155550103", NULL, 0));
    ck_assert_str_eq(play("+14155550103", NULL, 0), once);
    ck_assert_uint_eq(strlen(once), 12);
    ck_assert(strncmp(once, "+1", 2) == 0 && strcmp(once + 5, "5550103") == 0);
}
END_TEST

START_TEST(the_rest_stays)
{
    static const char *const texts[] = {
        "",
        "179521908",
        "x1795219084",
        "17952190845",
        "3004208369.1700000000",
        "6.004601",
        "-0000001a",
        "PJSIP/101-0000001",
        "76345989-d20d-440c-9924-f76f4e04da5",
        "2026-11-20",
        "+1415",
        "Caller 0103",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_str_eq(play(texts[i], NULL, 0), texts[i]);
}
END_TEST

START_TEST(words_are_the_copys)
{
    char phone[] = "101", own_phone[] = "201", queue[] = "support", own_queue[] = "billing";
    char member[] = "Agent 101", own_member[] = "Mia Berg";
    struct sim_words words = {.count = 3};
    words.word[0].text[0] = phone;
    words.word[0].text[1] = own_phone;
    words.word[0].copies = 2;
    words.word[1].text[0] = queue;
    words.word[1].text[1] = own_queue;
    words.word[1].copies = 2;
    words.word[2].text[0] = member;
    words.word[2].text[1] = own_member;
    words.word[2].copies = 2;
    ck_assert_str_eq(play("PJSIP/101-00000001 <101> 1.101 1010 support supports", &words, 0),
                     "PJSIP/201-00000011 <201> 1.101 1010 billing supports");
    ck_assert_str_eq(play("Agent 101, Agent 1010, Agent 102", &words, 0),
                     "Mia Berg, Agent 1010, Agent 102");
    words.first = 1;
    ck_assert_str_eq(play("Agent 101 support", &words, 0), "Mia Berg billing");
    words.caller_names = true;
    const char *name = play("Caller 0103", &words, 0);
    ck_assert_str_ne(name, "Caller 0103");
    ck_assert_ptr_nonnull(strchr(name, ' '));
}
END_TEST

START_TEST(serials_are_found)
{
    struct sim_serials s = {1, 0, 1, 0};
    struct sim_text *t =
        sim_text_new(SLICE("pbxA-1795219084.7 PJSIP/101-0000000a pbxA-1795219084.3"), NULL);
    sim_text_serials(t, &s);
    ck_assert_int_eq(s.uid_min, 3);
    ck_assert_int_eq(s.uid_max, 7);
    ck_assert_int_eq(s.channel_min, 10);
    ck_assert_int_eq(s.channel_max, 10);
    sim_text_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_text");
    TCase *tests = tcase_create("rename");
    tcase_add_test(tests, times_move);
    tcase_add_test(tests, ids_are_new);
    tcase_add_test(tests, numbers_change_alike);
    tcase_add_test(tests, the_rest_stays);
    tcase_add_test(tests, words_are_the_copys);
    tcase_add_test(tests, serials_are_found);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
