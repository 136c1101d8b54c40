/* SPDX-License-Identifier: MIT */
/* Which word of a command line is wrong: every command says it in one way, then its usage. */
#include "collector/commands/audit.h"
#include "collector/commands/backup.h"
#include "collector/commands/check.h"
#include "collector/commands/erase.h"
#include "collector/commands/explain.h"
#include "collector/commands/figures_command.h"
#include "collector/commands/import.h"
#include "collector/commands/people.h"
#include "collector/commands/record.h"
#include "collector/commands/replay.h"
#include "collector/commands/republish.h"
#include "collector/commands/run.h"
#include "collector/commands/verify.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 8

static int run(int argc, char **argv)
{
    return run_command(argc, argv, NULL);
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *words; /* behind the name */
    const char *said;  /* behind "amitap: NAME: " */
} lines[] = {
    {"audit", audit_command, "--jsn -c x", "--jsn is none of its options"},
    {"audit", audit_command, "--\x1b[2J", "--?[2J is none of its options"},
    {"audit", audit_command, "-c x y", "'y' is one word too many"},
    {"backup", backup_command, "-c x -o", "-o needs a value"},
    {"backup", backup_command, "-c x", "-o OUT is missing"},
    {"check", check_command, "-x", "-x is none of its options"},
    {"check", check_command, "-c", "-c needs a value"},
    {"erase", erase_command, "-c x --number", "--number needs a value"},
    {"erase", erase_command, "-c x", "--number N is missing"},
    {"explain", explain_command, "-c x", "LINKEDID is missing"},
    {"explain", explain_command, "--xml 1.1", "--xml is none of its options"},
    {"figures", figures_command, "-c x --every 7m", "--every: '7m' is not 15m, 30m, 1h or day"},
    {"figures", figures_command, "-c x --agents", "--agents is none of its options"},
    {"figures", figures_command, "", "-c FILE is missing"},
    {"import", import_command, "-c x --show all", "--show: 'all' is not a number"},
    {"record", record_command, "--seconds abc",
     "--seconds: 'abc' is not a number of seconds, at most a year"},
    {"record", record_command, "--seconds 0",
     "--seconds: '0' is not a number of seconds, at most a year"},
    {"record", record_command, "--secnds=7", "--secnds is none of its options"},
    {"record", record_command, "--scrub=yes", "--scrub takes no value"},
    {"record", record_command, "-c x", "-o OUT is missing"},
    {"replay", replay_command, "--pbx", "--pbx needs a value"},
    {"replay", replay_command, "-c x", "a file (- is standard input) is missing"},
    {"republish", republish_command, "-c x", "--from TIME is missing"},
    {"republish", republish_command, "-c x --from noon",
     "--from: 'noon' is not a time: 2026-03-29, 2026-03-29T09:30 or RFC 3339"},
    {"run", run, "-c x --fast", "--fast is none of its options"},
    {"run", run, "", "-c FILE is missing"},
    {"token", token_command, "url -c x --display n", "url: '--display' is not one of its options"},
    {"user", user_command, "", "what to do is missing"},
    {"user", user_command, "add -c x", "NAME is missing"},
    {"user", user_command, "list -c x y", "'y' is one word too many"},
    {"verify", verify_command, "-c x", "--cdr FILE or --queue-log FILE is missing"},
};

START_TEST(the_wrong_word_is_named)
{
    char text[200] = "", *argv[WORDS_MAX] = {(char *)lines[_i].name}, said[4096], wanted[300];
    int argc = 1;
    snprintf(text, sizeof(text), "%s", lines[_i].words);
    for (char *word = text; *word; word = word + strlen(word) + 1) {
        char *space = strchr(word, ' ');
        if (space)
            *space = '\0';
        argv[argc++] = word;
    }
    FILE *told = tmpfile();
    int kept = dup(STDERR_FILENO);
    ck_assert_int_eq(dup2(fileno(told), STDERR_FILENO), STDERR_FILENO);
    int status = lines[_i].run(argc, argv);
    fflush(NULL);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(told);
    said[fread(said, 1, sizeof(said) - 1, told)] = '\0';
    fclose(told);
    snprintf(wanted, sizeof(wanted), "amitap: %s: %s\nusage: amitap %s", lines[_i].name,
             lines[_i].said, lines[_i].name);
    ck_assert_msg(strncmp(said, wanted, strlen(wanted)) == 0, "%s", said);
    ck_assert_int_eq(status, 2);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("options");
    tcase_add_loop_test(tcase, the_wrong_word_is_named, 0, sizeof(lines) / sizeof(lines[0]));
    Suite *suite = suite_create("options");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
