/* SPDX-License-Identifier: MIT */
#include "collector/commands/scrub.h"
#include "parsers/number_scan.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t key[SCRUB_KEY_SIZE] = "a key of the tests, thirty-two b";
static const uint8_t other_key[SCRUB_KEY_SIZE] = "another key of the tests, thirty";

static struct scrub *scrub;
static struct buf out;

static void setup(void)
{
    scrub = scrub_new(key);
    out = buf_new(65536);
    ck_assert_ptr_nonnull(scrub);
}

static void teardown(void)
{
    scrub_free(scrub);
    buf_free(&out);
}

/* The line as it is shown, until the next call. */
static const char *shown(const char *line)
{
    buf_clear(&out);
    ck_assert(scrub_line(scrub, slice_from(line), &out));
    buf_put_char(&out, '\0');
    return out.p;
}

/* What stands for this name. */
static const char *person(const char *name)
{
    static char text[SCRUB_PERSON_SIZE];
    struct scrub_key *k = scrub_key_new(key);
    scrub_key_person(k, slice_from(name), text);
    scrub_key_free(k);
    return text;
}

static const char *number(const char *digits)
{
    static char text[64];
    struct scrub_key *k = scrub_key_new(key);
    snprintf(text, sizeof(text), "%s", digits);
    scrub_key_digits(k, text, strlen(text));
    scrub_key_free(k);
    return text;
}

static void learn(const char *const *lines)
{
    for (; *lines; lines++)
        scrub_learn(scrub, slice_from(*lines));
}

/* The line is shown with `replaced` between what stood before and after it. */
static void check_shown(const char *line, const char *before, const char *replaced,
                        const char *after)
{
    char expected[512];
    snprintf(expected, sizeof(expected), "%s%s%s", before, replaced, after);
    ck_assert_str_eq(shown(line), expected);
}

START_TEST(numbers_are_replaced_everywhere)
{
    char n[16];
    snprintf(n, sizeof(n), "%s", number("+14155550135"));
    ck_assert_str_ne(n, "+14155550135");
    ck_assert_mem_eq(n, "+1415", 5);
    check_shown("CallerIDNum: +14155550135", "CallerIDNum: ", n, "");
    check_shown("AppData: PJSIP/+14155550135@carrier,20", "AppData: PJSIP/", n, "@carrier,20");
    check_shown("Value: rec+14155550135.wav", "Value: rec", n, ".wav");
    check_shown("UserField: x\\n+14155550135", "UserField: x\\n", n, "");
    check_shown("no header of +14155550135", "no header of ", n, "");
    check_shown("ChanVariable(DAHDI/i1/+14155550135-1): A=1", "ChanVariable(DAHDI/i1/", n,
                "-1): A=1");
    /* The same subscriber, whatever stands before the number. */
    ck_assert_str_eq(number("4155550135"), n + 2);
    ck_assert_str_eq(number("5550135"), n + 5);
}
END_TEST

/* What a dialplan adds to a UserEvent may have the name of a header that only Asterisk fills. */
START_TEST(a_user_event_may_say_anything_anywhere)
{
    static const char *const lines[] = {"CallerIDName: Erika Mustermann", NULL};
    char n[16];
    learn(lines);
    snprintf(n, sizeof(n), "%s", number("+14155550135"));
    shown("Event: UserEvent");
    check_shown("Uniqueid: pbxA-1795219278.62", "Uniqueid: pbxA-1795219278.62", "", "");
    shown("UserEvent: Callback");
    check_shown("Status: +14155550135", "Status: ", n, "");
    check_shown("Result: Erika Mustermann", "Result: ", person("Erika Mustermann"), "");
    check_shown("Uniqueid: +14155550135", "Uniqueid: ", n, "");
    check_shown("Linkedid: pbxA-1795219278.62", "Linkedid: pbxA-1795219278.62", "", "");
    check_shown("Event: Hangup", "Event: Hangup", "", "");
    check_shown("Status: +14155550135", "Status: ", n, "");
    shown("");
    check_shown("Status: +14155550135", "Status: +14155550135", "", "");
}
END_TEST

START_TEST(numbers_as_people_write_them)
{
    static const char *const numbers[] = {"+1 415 555 0135", "(415) 555-0135",   "415-555-0135",
                                          "555-0135",        "01.23.45.67.89",   "1-415-555-0135",
                                          "+49 30 1234 56",  "0044 20 7946 0123"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct slice text = slice_from(numbers[i]);
        ck_assert_msg(number_scan_number(text, 0) == text.n, "%s", numbers[i]);
        char line[64];
        snprintf(line, sizeof(line), "Note: %s!", numbers[i]);
        check_shown(line, "Note: ", number(numbers[i]), "!");
    }
}
END_TEST

START_TEST(what_is_no_number_stays)
{
    static const char *const lines[] = {
        "Uniqueid: pbxA-1795219459.123",
        "Linkedid: 1795219459.123",
        "AppData: rec-1795219459.123.wav",
        "Timestamp: 1795219459.123456",
        "BridgeUniqueid: 12345678-1234-4b77-9177-123456789012",
        "AppData: 12345678-1234-4b77-9177-123456789012,127.0.0.1:15099",
        "Channel: PJSIP/carrier-00000162",
        "Channel: Local/105@internal-00000031;2",
        "Value: PJSIP/carrier-00000162",
        "CallID: [C-00000007]",
        "LastCall: 1795219284",
        "Exten: 624",
        "CallerIDNum: 101",
        "AppData: PJSIP/101&PJSIP/102,20,gU(sub)",
        "StartTime: 2026-11-21 00:04:19",
        "Note: 2026-11-21 at 00:04:19",
        "Address: 192.168.100.200",
        "CallerIDName: ",
        "CallerIDName: <unknown>",
        "MemberName: PJSIP/101",
        "Event: Newchannel",
        "Asterisk Call Manager/11.0.0",
        "",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_str_eq(shown(lines[i]), lines[i]);
    ck_assert_uint_eq(scrub_counters(scrub).numbers, 0);
}
END_TEST

START_TEST(an_id_is_near_the_calls)
{
    shown("Uniqueid: pbxA-1795219459.123");
    ck_assert_str_eq(shown("Value: 1795200000.1"), "Value: 1795200000.1");
    ck_assert_str_ne(shown("Value: 1415555013.5"), "Value: 1415555013.5");
}
END_TEST

START_TEST(names_are_replaced_once_they_were_seen)
{
    static const char *const lines[] = {"Event: QueueMember",          "Name: Alice",
                                        "CallerIDName: Bob O\\'Brien", "ConnectedLineName: Al",
                                        "MemberName: Zoë Müller",      NULL};
    check_shown("CallerIDName: Bob O\\'Brien", "CallerIDName: ", person("Bob O'Brien"), "");
    ck_assert_str_eq(shown("AppData: CALLERID(name)=Bob O'Brien"),
                     "AppData: CALLERID(name)=Bob O'Brien");
    learn(lines);
    check_shown("AppData: CALLERID(name)=Bob O'Brien,x",
                "AppData: CALLERID(name)=", person("Bob O'Brien"), ",x");
    check_shown("Value: a\\nBob O\\'Brien", "Value: a\\n", person("Bob O'Brien"), "");
    check_shown("AppData: support,PJSIP/101,,,ALICE", "AppData: support,PJSIP/101,,,",
                person("Alice"), "");
    check_shown("Queue: Alice", "Queue: ", person("alice"), "");
    check_shown("Anrede: Zoë Müller", "Anrede: ", person("Zoë Müller"), "");
    /* Not within a word, and not what is too short to be told from one. */
    ck_assert_str_eq(shown("AppData: Aliceville,Al"), "AppData: Aliceville,Al");
    check_shown("ConnectedLineName: Al", "ConnectedLineName: ", person("Al"), "");
    ck_assert_str_eq(shown("Application: Alice"), "Application: Alice");
}
END_TEST

START_TEST(name_is_a_person_only_in_some_events)
{
    shown("Event: QueueMember");
    check_shown("Name: Carol", "Name: ", person("Carol"), "");
    shown("Event: ConfbridgeList");
    ck_assert_str_eq(shown("Name: Carol"), "Name: Carol");
}
END_TEST

START_TEST(short_numbers_are_replaced_once_they_were_seen)
{
    static const char *const lines[] = {"CallerIDNum: 54321", "Exten: 123456", NULL};
    ck_assert_str_eq(shown("AppData: 54321,20000"), "AppData: 54321,20000");
    learn(lines);
    check_shown("AppData: 54321,20000", "AppData: ", number("54321"), ",20000");
    check_shown("Channel: PJSIP/123456-0000002a", "Channel: PJSIP/", number("123456"), "-0000002a");
    ck_assert_str_eq(shown("AppData: sess543210"), "AppData: sess543210");
}
END_TEST

START_TEST(digits_that_a_caller_typed_go)
{
    ck_assert_str_eq(shown("Digit: 7"), "Digit: 0");
}
END_TEST

START_TEST(a_card_goes_whole)
{
    const char *card = number("4111111111111111");
    ck_assert_int_ne(memcmp(card, "4111111111111111", 9), 0);
    ck_assert_uint_eq(strlen(card), 16);
}
END_TEST

START_TEST(another_key_gives_others)
{
    char one[] = "+14155550135", two[] = "+14155550135";
    struct scrub_key *a = scrub_key_new(key), *b = scrub_key_new(other_key);
    scrub_key_digits(a, one, strlen(one));
    scrub_key_digits(b, two, strlen(two));
    ck_assert_str_ne(one, two);
    scrub_key_free(a);
    scrub_key_free(b);
}
END_TEST

/* All numbers of a length change, and no two become one but for what the key left as it was. */
START_TEST(digits_are_permuted)
{
    static uint8_t seen[100000];
    struct scrub_key *k = scrub_key_new(key);
    unsigned doubles = 0;
    for (unsigned i = 0; i < 100000; i++) {
        char text[16], before[16];
        snprintf(text, sizeof(text), "%05u", i);
        snprintf(before, sizeof(before), "%s", text);
        scrub_key_digits(k, text, 5);
        ck_assert_str_ne(text, before);
        doubles += seen[strtoul(text, NULL, 10)]++ > 0;
    }
    ck_assert_uint_lt(doubles, 12);
    for (char one[] = "0"; one[0] <= '9'; one[0]++) {
        char text[] = {one[0], '\0'};
        scrub_key_digits(k, text, 1);
        ck_assert(text[0] >= '0' && text[0] <= '9');
    }
    scrub_key_free(k);
}
END_TEST

START_TEST(past_the_bound_names_still_go)
{
    char line[64];
    for (unsigned i = 0; i <= SCRUB_NAMES_MAX; i++) {
        snprintf(line, sizeof(line), "CallerIDName: Someone %u", i);
        scrub_learn(scrub, slice_from(line));
    }
    ck_assert_uint_eq(scrub_counters(scrub).not_learned, 1);
    check_shown(line, "CallerIDName: ", person("Someone 200000"), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scrub");
    TCase *test = tcase_create("scrub");
    tcase_set_timeout(test, 60);
    tcase_add_checked_fixture(test, setup, teardown);
    tcase_add_test(test, numbers_are_replaced_everywhere);
    tcase_add_test(test, a_user_event_may_say_anything_anywhere);
    tcase_add_test(test, numbers_as_people_write_them);
    tcase_add_test(test, what_is_no_number_stays);
    tcase_add_test(test, an_id_is_near_the_calls);
    tcase_add_test(test, names_are_replaced_once_they_were_seen);
    tcase_add_test(test, name_is_a_person_only_in_some_events);
    tcase_add_test(test, short_numbers_are_replaced_once_they_were_seen);
    tcase_add_test(test, digits_that_a_caller_typed_go);
    tcase_add_test(test, a_card_goes_whole);
    tcase_add_test(test, another_key_gives_others);
    tcase_add_test(test, digits_are_permuted);
    tcase_add_test(test, past_the_bound_names_still_go);
    suite_add_tcase(suite, test);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
