/* SPDX-License-Identifier: MIT */
#include "collector/commands/republish.h"

#include "tests/unit/commands/files_fixture.h"
#include <string.h>

/* Everything that Kafka sees of the records that wait. */
#define WAITING                                                                                    \
    "SELECT group_concat(kind || (flags & ~32) || pbx || subject || key || ce_id || ce_time || "   \
    "ce_sequence || body, '|') FROM (SELECT * FROM facts ORDER BY seq)"

static char said[4096];
static char sent[4096]; /* what Kafka got at first */

static void configure(const char *kafka)
{
    FILE *f = fopen(in_directory("conf"), "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "pbx main {\n host = 127.0.0.1\n user = tap\n secret = 'x'\n}\n"
            "store { path = '%s' }\nkafka {\n brokers = \"127.0.0.1:1\"\n %s\n}\n",
            in_directory("db"), kafka);
    fclose(f);
}

/* Three calls that the history and Kafka have had, and an outbox that is empty since. */
static void setup(void)
{
    store_setup();
    configure("");
    struct files files = open_files();
    ck_assert_int_eq(outbox_commit(files.outbox, calls(1, 3)), SQLITE_OK);
    ck_assert_int_eq(history_catch_up(files.history), SQLITE_OK);
    snprintf(sent, sizeof(sent), "%s", ask(in_directory("db-outbox"), WAITING));
    ck_assert_ptr_nonnull(strstr(sent, "call_started/1763683071.3"));
    close_files(&files);
    ask(in_directory("db-outbox"), "DELETE FROM facts");
    ck_assert_str_eq(ask(in_directory("db-outbox"), WAITING), "");
}

/* The exit status; what was written on stderr is in said afterwards. */
static int republish(const char *from, const char *to)
{
    char *argv[] = {(char[]){"republish"},
                    (char[]){"-c"},
                    strdup(in_directory("conf")),
                    (char[]){"--from"},
                    strdup(from),
                    (char[]){"--to"},
                    strdup(to),
                    NULL};
    FILE *told = tmpfile();
    int kept = dup(STDERR_FILENO);
    fflush(NULL);
    ck_assert_int_eq(dup2(fileno(told), STDERR_FILENO), STDERR_FILENO);
    int status = republish_command(7, argv);
    fflush(NULL);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(told);
    said[fread(said, 1, sizeof said - 1, told)] = '\0';
    fclose(told);
    free(argv[2]);
    free(argv[4]);
    free(argv[6]);
    return status;
}

START_TEST(the_same_records_go_again)
{
    ck_assert_int_eq(republish("2025-11-20T23:00:00Z", "2025-11-21T00:00:00Z"), 0);
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(ask(in_directory("db-outbox"), WAITING), sent);
}
END_TEST

/* They tell of the past, which backlog_days must not take for a long wait. */
START_TEST(they_are_marked_as_sent_again)
{
    ck_assert_int_eq(republish("2025-11-20T23:00:00Z", "2025-11-21T00:00:00Z"), 0);
    ck_assert_str_eq(ask(in_directory("db-outbox"), "SELECT group_concat(flags) FROM facts"),
                     "32,32,32");
    ck_assert_int_eq(FACT_IS_AGAIN, 32);
}
END_TEST

START_TEST(only_those_of_the_time_go)
{
    ask(in_directory("db"), "UPDATE call_events SET ce_time = '2025-11-22T00:00:00.000000Z' "
                            "WHERE ce_id = 'call_started/1763683071.2'");
    ck_assert_int_eq(republish("2025-11-21T12:00:00Z", "2025-11-23T00:00:00Z"), 0);
    ck_assert_str_eq(ask(in_directory("db-outbox"), "SELECT group_concat(ce_id) FROM facts"),
                     "call_started/1763683071.2");
    ck_assert_int_eq(republish("2024-01-01", "2024-02-01"), 0);
    ck_assert_str_eq(ask(in_directory("db-outbox"), "SELECT count(*) FROM facts"), "1");
}
END_TEST

START_TEST(another_policy_is_refused)
{
    configure("privacy = digits");
    ck_assert_int_eq(republish("2025-01-01", "2026-01-01"), 1);
    ck_assert_ptr_nonnull(strstr(said, "privacy differs: the history is kept as 'clear', and"));
    ck_assert_str_eq(ask(in_directory("db-outbox"), WAITING), "");
}
END_TEST

START_TEST(rows_of_another_policy_are_refused)
{
    ask(in_directory("db"), "UPDATE call_events SET privacy = 'drop' WHERE "
                            "ce_id = 'call_started/1763683071.2'");
    ck_assert_int_eq(republish("2025-01-01", "2026-01-01"), 1);
    ck_assert_str_eq(said, "amitap: republish: privacy differs: 1 records of that time are kept as "
                           "'drop', and Kafka gets 'clear'\n");
    ck_assert_str_eq(ask(in_directory("db-outbox"), WAITING), "");
}
END_TEST

START_TEST(the_first_second_of_1970_is_a_time)
{
    ck_assert_msg(republish("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z") == 0, "%s", said);
    ck_assert_str_ne(ask(in_directory("db-outbox"), WAITING), "");
}
END_TEST

START_TEST(what_is_no_time_is_wrong_usage)
{
    ck_assert_int_eq(republish("yesterday", "2026-01-01"), 2);
    ck_assert_ptr_nonnull(strstr(said, "--from: 'yesterday' is not a time"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("republish");
    tcase_add_checked_fixture(tcase, setup, store_teardown);
    tcase_add_test(tcase, the_same_records_go_again);
    tcase_add_test(tcase, they_are_marked_as_sent_again);
    tcase_add_test(tcase, only_those_of_the_time_go);
    tcase_add_test(tcase, another_policy_is_refused);
    tcase_add_test(tcase, rows_of_another_policy_are_refused);
    tcase_add_test(tcase, the_first_second_of_1970_is_a_time);
    tcase_add_test(tcase, what_is_no_time_is_wrong_usage);
    return run_suite(tcase, "republish");
}
