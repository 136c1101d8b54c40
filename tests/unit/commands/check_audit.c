/* SPDX-License-Identifier: MIT */
/* What an account may do, read from the answer to ListCommands, and the manager.conf that follows.
 */
#include "collector/commands/audit_rights.h"
#include "collector/commands/manager_section.h"
#include "parsers/ami_action.h"
#include "parsers/ami_name.h"
#include "parsers/ami_variable.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct audit_rights rights;

/* Reads an answer of these lines. */
static void read_answer(const char *lines)
{
    static struct ami_message m;
    static char text[65536];
    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t consumed = 0;
    int n = snprintf(text, sizeof(text), "Response: Success\r\nActionID: 4\r\n%s\r\n", lines);
    ck_assert_int_lt(n, (int)sizeof(text));
    ck_assert_int_eq(ami_frame_next(&framer, slice_from(text), &frame, &consumed), AMI_FRAME_OK);
    ami_message_parse(&frame, &m);
    audit_rights_read(&rights, &m);
}

static const char *class_of(unsigned i)
{
    static char class[AUDIT_CLASSES_SIZE];
    audit_rights_class(&rights, &rights.actions[i], class, sizeof(class));
    return class;
}

START_TEST(an_answer_is_read)
{
    read_answer("BridgeKick: Kick a channel from a bridge.  (Priv: <none>)\r\n"
                "DBGetTree: Get DB entries, optionally at a family (or key)  (Priv: "
                "system,reporting,all)\r\n"
                "Hangup: Hangup channel.  (Priv: system,call,all)\r\n"
                "Nonsense: without classes\r\n"
                "FAXStats: Responds with fax statistics  (Priv: reporting,all)\r\n");
    ck_assert_uint_eq(rights.count, 4);
    ck_assert(!rights.cut);
    ck_assert_str_eq(rights.actions[0].name, "BridgeKick");
    ck_assert_str_eq(rights.actions[0].classes, "");
    ck_assert_int_eq(rights.actions[0].power, AUDIT_CHANGES);
    ck_assert_str_eq(rights.actions[1].classes, "system,reporting");
    ck_assert_int_eq(rights.actions[1].power, AUDIT_READS);
    ck_assert_str_eq(class_of(0), "");
    ck_assert_str_eq(class_of(1), "reporting"); /* FAXStats needs just that one */
    ck_assert_str_eq(class_of(2), "system or call");
    ck_assert(audit_rights_exceed(&rights));
}
END_TEST

/* Every account may do that, so it is not more. */
START_TEST(what_needs_no_class_is_not_too_much)
{
    read_answer("BridgeDestroy: Destroy a bridge.  (Priv: <none>)\r\n"
                "Brandnew: Of a later version.  (Priv: <none>)\r\n"
                "CoreShowChannels: List channels.  (Priv: system,reporting,all)\r\n");
    ck_assert(audit_action_changes(&rights.actions[1]));
    ck_assert(!audit_action_changes(&rights.actions[2]));
    ck_assert(!audit_rights_exceed(&rights));
}
END_TEST

/* What nobody has judged is not taken for harmless. */
START_TEST(an_unknown_action_is_one_that_changes)
{
    read_answer("Explode: Of a later version.  (Priv: reporting,all)\r\n");
    ck_assert_int_eq(rights.actions[0].power, AUDIT_UNKNOWN);
    ck_assert(audit_rights_exceed(&rights));
}
END_TEST

START_TEST(what_does_not_fit_is_too_much)
{
    char line[512], name[100];
    memset(name, 'A', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(line, sizeof(line), "%s: Long.  (Priv: <none>)\r\n", name);
    read_answer(line);
    ck_assert_uint_eq(rights.count, 0);
    ck_assert(rights.cut && audit_rights_exceed(&rights));
    read_answer("Ping\x1b[2J: Of a PBX that plays.  (Priv: <none>)\r\n");
    ck_assert(rights.cut && rights.count == 0);
    static char many[60000];
    size_t n = 0;
    for (unsigned i = 0; i < AMI_HEADERS_MAX + 5; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "Ping%u: A.  (Priv: <none>)\r\n", i);
    read_answer(many);
    ck_assert(rights.cut && audit_rights_exceed(&rights));
}
END_TEST

/* All that amitap can send only reads; Status does while it is sent without variables. */
START_TEST(what_is_sent_only_reads)
{
    for (enum ami_action a = AMI_ACTION_NONE + 1; a < AMI_ACTION_TOTAL; a++) {
        char line[200];
        snprintf(line, sizeof(line), "%s: Anything.  (Priv: reporting,all)\r\n",
                 ami_action_name(a));
        read_answer(line);
        ck_assert_msg(a == AMI_ACTION_STATUS || !audit_action_changes(&rights.actions[0]), "%s",
                      ami_action_name(a));
    }
}
END_TEST

static const struct {
    const char *asterisk;
    bool advanced;
} versions[] = {{"18.25.0", false},
                {"18.26.0", true},
                {"20.10.1", false},
                {"20.11.0", true},
                {"21.5.0", false},
                {"21.6.1", true},
                {"22.0.0", false},
                {"22.1.0", true},
                {"22.10.1+dfsg+~cs6.17.60671434-1", true},
                {"23.0.0", true},
                {"16.30.1", false},
                {"19.8.1", false},
                {"certified/20.7-cert5", false},
                {"GIT-master-abc", false},
                {"", false}};

START_TEST(filters_are_of_the_form_that_the_version_takes)
{
    ck_assert_msg(manager_section_is_advanced(versions[_i].asterisk) == versions[_i].advanced, "%s",
                  versions[_i].asterisk);
}
END_TEST

/* The section for a configuration with these keys in its pbx section; the caller frees it. */
static char *section_for(const char *keys, const char *asterisk)
{
    char path[] = "/tmp/check-audit-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    fprintf(f, "pbx main {\n host = 10.0.0.1\n user = tap\n secret = 'x'\n%s\n}\n", keys);
    fclose(f);
    struct config_report *report = config_report_new();
    struct config *config = config_load(path, report);
    remove(path);
    ck_assert_ptr_nonnull(config);
    struct manager_section wanted = {.pbx = config_pbx(config, 0),
                                     .asterisk = asterisk,
                                     .ours = "10.0.0.9",
                                     .theirs = "10.0.0.1"};
    struct buf text = buf_new(65536);
    ck_assert(manager_section_put(&text, &wanted));
    ck_assert(buf_put_char(&text, '\0'));
    config_free(config);
    config_report_free(report);
    return text.p;
}

static const struct {
    const char *keys;
    const char *asterisk;
    const char *line; /* that there is; behind '-', that there is not */
} lines[] = {
    {"", "22.10.1", "\nread = system,call,agent,dialplan,agi,user,cdr\n"},
    {" drift_interval = 0", "22.10.1", "\nread = system,call,agent,dialplan,agi,user\n"},
    {" event_mask = \"call,agent,dtmf\"", "22.10.1", "\nread = call,agent\n"},
    {" event_mask = \"on\"", "22.10.1", "\nread = system,call,agent,dialplan,agi,user,cdr\n"},
    {"", "22.10.1", "\nwrite = reporting  ; for the lists of channels and devices;"},
    {" list_channels = no", "22.10.1", "\nwrite =  ; nothing"},
    {" list_channels = no\n list_registrations = yes", "22.10.1",
     "\nwrite = reporting  ; for the registrations;"},
    {"", "22.10.1", "\npermit = 10.0.0.9/255.255.255.255"},
    {"", "22.10.1", "\nbindaddr = 10.0.0.1\n"},
    {"", "22.10.1", "\n;tlsenable = yes"},
    {" tls = yes\n port = 5039", "22.10.1", "\ntlsbindaddr = 10.0.0.1:5039\n"},
    {" tls = yes\n port = 5039", "22.10.1", "\nbindaddr = 127.0.0.1  ; in clear"},
    {"", "22.10.1", "\nchannelvars = AI_SESSION_ID  ;"},
    {" handoff_variables = { BOT, \"X.Y\" }", "22.10.1", "\nchannelvars = BOT,X.Y  ;"},
    {" handoff_variables = { BOT, \"X.Y\" }", "22.10.1", "|_?_?BOT|_?_?X\\.Y)$\n"},
    {" handoff_variables = { }", "22.10.1", "-channelvars"},
    {" handoff_variables = { }", "22.10.1", "|RTPAUDIOQOSBRIDGED)$\n"},
    {"", "22.10.1",
     "\neventfilter(action(include),name(VarSet),header(Variable),method(regex)) = "
     "^(LOCAL\\(ARGC\\)|"},
    {"", "22.10.1", "-BRIDGEPVTCALLID"},
    {"", "22.10.1", "\neventfilter(action(exclude),name(ExtensionStatus)) =\n"},
    {"", "20.5.0", "\neventfilter = ^Event: VarSet.*Variable: (LOCAL\\(ARGC\\)|"},
    {"", "20.5.0", "\neventfilter = !^Event: ExtensionStatus[[:space:]]\n"},
    {"", "20.5.0", "-action(include)"},
    {"", "22.10.1", "\nwritetimeout = 1000  ;"},
    {"", "22.10.1", "\ndisplayconnects = no  ;"},
    {"", "22.10.1", "-secret = x"},
};

START_TEST(a_section_has_what_is_configured)
{
    char *text = section_for(lines[_i].keys, lines[_i].asterisk);
    const char *line = lines[_i].line;
    bool wanted = *line != '-';
    ck_assert_msg(!strstr(text, line + !wanted) == !wanted, "%s: %s\n%s", lines[_i].keys, line,
                  text);
    free(text);
}
END_TEST

/* A name may be as long as a line of the configuration. */
START_TEST(a_long_variable_is_in_the_section_whole)
{
    char keys[800], name[601], line[700];
    memset(name, 'V', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(keys, sizeof(keys), " handoff_variables = { %s }", name);
    snprintf(line, sizeof(line), "\nchannelvars = %s  ;", name);
    char *text = section_for(keys, "22.10.1");
    ck_assert_msg(strstr(text, line) != NULL, "%s", text);
    free(text);
}
END_TEST

/* A filter must not keep from amitap what it reads. */
START_TEST(what_is_read_is_not_left_out)
{
    static const char exclude[] = "eventfilter(action(exclude),name(";
    char *text = section_for("", "22.10.1");
    unsigned seen = 0;
    for (char *at = text; (at = strstr(at, exclude)); seen++) {
        at += sizeof(exclude) - 1;
        enum ami_event_id event = ami_event_from_name((struct slice){at, strcspn(at, ")")});
        ck_assert_msg(event != AMI_EVENT_UNKNOWN && !ami_event_wanted(event), "%.40s", at);
    }
    ck_assert_uint_gt(seen, 5);
    for (enum ami_event_id event = AMI_EVENT_UNKNOWN + 1; event < AMI_EVENT_TOTAL; event++)
        ck_assert_msg(strncmp(ami_event_name(event), "Va", 2) != 0 || event == AMI_EVENT_VARSET,
                      "%s", ami_event_name(event));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit");
    TCase *tcase = tcase_create("audit");
    tcase_add_test(tcase, an_answer_is_read);
    tcase_add_test(tcase, what_needs_no_class_is_not_too_much);
    tcase_add_test(tcase, an_unknown_action_is_one_that_changes);
    tcase_add_test(tcase, what_does_not_fit_is_too_much);
    tcase_add_test(tcase, what_is_sent_only_reads);
    tcase_add_loop_test(tcase, filters_are_of_the_form_that_the_version_takes, 0,
                        sizeof(versions) / sizeof(versions[0]));
    tcase_add_loop_test(tcase, a_section_has_what_is_configured, 0,
                        sizeof(lines) / sizeof(lines[0]));
    tcase_add_test(tcase, a_long_variable_is_in_the_section_whole);
    tcase_add_test(tcase, what_is_read_is_not_left_out);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
