/* SPDX-License-Identifier: MIT */
#include "parsers/ami_action.h"

#include <check.h>
#include <stdlib.h>

static struct ami_action_text text;

static void check_text(bool good, const char *expected)
{
    ck_assert(good);
    ck_assert_msg(slice_is((struct slice){text.bytes, text.n}, expected), "%.*s", (int)text.n,
                  text.bytes);
}

static void check_refused(bool good)
{
    ck_assert(!good);
    ck_assert_uint_eq(text.n, 0);
}

#define KEY SLICE("0123456789abcdef0123456789abcdef")

START_TEST(plain_actions)
{
    check_text(ami_action_plain(AMI_ACTION_PING, 7, &text), "Action: Ping\r\nActionID: 7\r\n\r\n");
    check_text(ami_action_plain(AMI_ACTION_CHALLENGE, 1, &text),
               "Action: Challenge\r\nActionID: 1\r\nAuthType: MD5\r\n\r\n");
    check_text(ami_action_plain(AMI_ACTION_LOGOFF, UINT32_MAX, &text),
               "Action: Logoff\r\nActionID: 4294967295\r\n\r\n");
    unsigned refused = 0;
    for (enum ami_action a = AMI_ACTION_NONE; a < AMI_ACTION_TOTAL; a++)
        refused += !ami_action_plain(a, 1, &text);
    ck_assert_uint_eq(refused, 5);
    check_refused(ami_action_plain(AMI_ACTION_NONE, 1, &text));
    check_refused(ami_action_plain(AMI_ACTION_LOGIN, 1, &text));
    check_refused(ami_action_plain(AMI_ACTION_EVENTS, 1, &text));
}
END_TEST

START_TEST(actions_with_arguments)
{
    struct ami_login login = {SLICE("tap"), SLICE("call,agent")};
    check_text(ami_action_login_md5(&login, KEY, 2, &text),
               "Action: Login\r\nActionID: 2\r\nAuthType: MD5\r\nUsername: tap\r\n"
               "Key: 0123456789abcdef0123456789abcdef\r\nEvents: call,agent\r\n\r\n");
    check_text(ami_action_login_secret(&login, SLICE("a: b;\xC3\xA9"), 3, &text),
               "Action: Login\r\nActionID: 3\r\nUsername: tap\r\nSecret: a: b;\xC3\xA9\r\n"
               "Events: call,agent\r\n\r\n");
    check_text(ami_action_events(SLICE("off"), 4, &text),
               "Action: Events\r\nActionID: 4\r\nEventMask: off\r\n\r\n");
    check_text(ami_action_bridge_info(SLICE("9d1baa15-3d24"), 5, &text),
               "Action: BridgeInfo\r\nActionID: 5\r\nBridgeUniqueid: 9d1baa15-3d24\r\n\r\n");
    check_text(ami_action_confbridge_list(SLICE("800"), 6, &text),
               "Action: ConfbridgeList\r\nActionID: 6\r\nConference: 800\r\n\r\n");
}
END_TEST

/* No value can begin a header or an action of its own. */
START_TEST(control_characters_are_refused)
{
    for (int c = 0; c < 256; c++) {
        char value[] = "user!Action: Originate";
        value[4] = (char)c;
        struct slice s = {value, sizeof(value) - 1};
        struct ami_login as_user = {s, SLICE("on")};
        struct ami_login as_mask = {SLICE("tap"), s};
        struct ami_login login = {SLICE("tap"), SLICE("on")};
        bool bad = c < 0x20 || c == 0x7F;
        ck_assert_int_eq(ami_action_login_md5(&as_user, KEY, 1, &text), !bad);
        ck_assert_int_eq(ami_action_login_secret(&login, s, 1, &text), !bad);
        ck_assert_int_eq(ami_action_bridge_info(s, 1, &text), !bad);
        ck_assert_int_eq(ami_action_confbridge_list(s, 1, &text), !bad);
        check_refused(ami_action_login_md5(&as_mask, KEY, 1, &text));
        check_refused(ami_action_login_secret(&as_mask, SLICE("x"), 1, &text));
        check_refused(ami_action_events(s, 1, &text));
        check_refused(ami_action_login_md5(&login, s, 1, &text));
    }
}
END_TEST

START_TEST(values_of_another_form_are_refused)
{
    struct ami_login login = {SLICE("tap"), SLICE("on")};
    check_refused(ami_action_login_md5(&login, SLICE("0123456789abcdef0123456789abcde"), 1, &text));
    check_refused(
        ami_action_login_md5(&login, SLICE("0123456789ABCDEF0123456789abcdef"), 1, &text));
    check_refused(ami_action_login_secret(&login, SLICE(""), 1, &text));
    check_refused(ami_action_events(SLICE(""), 1, &text));
    check_refused(ami_action_events(SLICE("call, agent"), 1, &text));
    check_refused(ami_action_events(SLICE("call\0"), 1, &text));
    check_refused(ami_action_bridge_info((struct slice){NULL, 0}, 1, &text));
    login.user = (struct slice){NULL, 0};
    check_refused(ami_action_login_md5(&login, KEY, 1, &text));
}
END_TEST

START_TEST(line_at_its_cap)
{
    static char value[AMI_ACTION_LINE_MAX];
    memset(value, 'u', sizeof(value));
    const size_t most = AMI_ACTION_LINE_MAX - strlen("Username: \r\n");
    for (size_t n = most - 1; n <= most + 1; n++) {
        struct ami_login login = {{value, n}, SLICE("on")};
        bool good = ami_action_login_md5(&login, KEY, 1, &text);
        ck_assert_int_eq(good, n <= most);
        ck_assert_int_eq(text.n > 0, good);
    }
    struct ami_login login = {{value, most}, SLICE("on")};
    ck_assert(ami_action_login_secret(&login, (struct slice){value, most}, 1, &text));
}
END_TEST

START_TEST(names)
{
    for (enum ami_action a = AMI_ACTION_NONE + 1; a < AMI_ACTION_TOTAL; a++)
        ck_assert_int_eq(ami_action_from_name(slice_from(ami_action_name(a))), a);
    ck_assert_int_eq(ami_action_from_name(SLICE("queueSTATUS")), AMI_ACTION_QUEUESTATUS);
    static const char *const refused[] = {
        "",          "Originate",     "Command",    "QueueReset",  "QueueReload", "BridgeKick",
        "Hangup",    "BridgeDestroy", "QueueAdd",   "Ping\r\n",    "Pin",         "Pings",
        "Reload",    "UserEvent",     "GetConfig",  "Getvar",      "Setvar",      "DBGet",
        "WaitEvent", "Filter",        "QueuePause", "LoggerRotate"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        ck_assert_int_eq(ami_action_from_name(slice_from(refused[i])), AMI_ACTION_NONE);
    ck_assert_uint_eq(AMI_ACTION_TOTAL - 1, 18);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_action");
    tcase_add_test(tcase, plain_actions);
    tcase_add_test(tcase, actions_with_arguments);
    tcase_add_test(tcase, control_characters_are_refused);
    tcase_add_test(tcase, values_of_another_form_are_refused);
    tcase_add_test(tcase, line_at_its_cap);
    tcase_add_test(tcase, names);
    Suite *suite = suite_create("ami_action");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
