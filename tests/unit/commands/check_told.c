/* SPDX-License-Identifier: MIT */
/* A fault of a file is told with its reason. */
#include "collector/commands/erase.h"
#include "collector/commands/store.h"
#include "collector/commands/tap_config.h"
#include "tests/unit/commands/files_fixture.h"
#include <string.h>

static char said[4096];

/* Files with three calls, of which the history has some, as stopped halfway. */
static void setup(void)
{
    store_setup();
    FILE *f = fopen(in_directory("conf"), "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "pbx main {\n host = 127.0.0.1\n user = tap\n secret = 'x'\n}\n"
            "store { path = '%s' }\n",
            in_directory("db"));
    fclose(f);
    struct files files = open_files();
    ck_assert_int_eq(outbox_commit(files.outbox, calls(1, 3)), SQLITE_OK);
    close_files(&files);
}

/* What part writes on stderr is in said afterwards. */
static int listen_to(int (*part)(void))
{
    FILE *told = tmpfile();
    int kept = dup(STDERR_FILENO);
    fflush(NULL);
    ck_assert_int_eq(dup2(fileno(told), STDERR_FILENO), STDERR_FILENO);
    int status = part();
    fflush(NULL);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(told);
    said[fread(said, 1, sizeof said - 1, told)] = '\0';
    fclose(told);
    return status;
}

static int erase_a_number(void)
{
    char conf[400];
    snprintf(conf, sizeof(conf), "%s", in_directory("conf"));
    char *argv[] = {(char[]){"erase"},    (char[]){"-c"},       conf,
                    (char[]){"--number"}, (char[]){"41551234"}, NULL};
    return erase_command(5, argv);
}

START_TEST(an_outbox_without_its_secret)
{
    ask(in_directory("db-outbox"), "UPDATE outbox SET secret = ''");
    ck_assert_int_eq(listen_to(erase_a_number), 1);
    char wanted[500];
    snprintf(wanted, sizeof(wanted),
             "amitap: erase: %s: the secret of its hashes cannot be read: there is none\n",
             in_directory("db-outbox"));
    ck_assert_str_eq(said, wanted);
}
END_TEST

static void stop_nothing(struct web_edge *edge)
{
    (void)edge;
}

static int open_store(void)
{
    static const struct web_edge_ops no_web = {.stop = stop_nothing};
    struct config *config = tap_config_file(in_directory("conf"));
    struct clock clock = clock_system();
    struct store_options options = {.config = config, .clock = &clock, .web = &no_web};
    struct store *store = store_open(&options);
    bool opened = store != NULL;
    store_close(store);
    config_free(config);
    return opened ? 0 : 1;
}

START_TEST(a_history_that_takes_nothing)
{
    ask(in_directory("db"), "CREATE TRIGGER no BEFORE INSERT ON outbox_cursor BEGIN SELECT "
                            "raise(ABORT, 'no'); END");
    ck_assert_int_eq(listen_to(open_store), 1);
    ck_assert_msg(strstr(said, "what waits in the outbox cannot be taken: constraint failed"), "%s",
                  said);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("told");
    tcase_add_checked_fixture(tcase, setup, store_teardown);
    tcase_add_test(tcase, an_outbox_without_its_secret);
    tcase_add_test(tcase, a_history_that_takes_nothing);
    return run_suite(tcase, "told");
}
