/* SPDX-License-Identifier: MIT */
#include "collector/outbox/sqlite_copy.h"

#include "tests/unit/outbox/store_fixture.h"
#include <string.h>

static const char *const migrations[] = {"CREATE TABLE numbers (n INTEGER)"};
static const struct sqlite_schema schema = {
    .what = "list", .application_id = 0x616D7421, .migrations = migrations, .version = 1};

static void setup(void)
{
    struct sqlite_file f = {0};
    store_setup();
    ck_assert_int_eq(sqlite_file_open(&f, in_directory("from"), &schema, error, sizeof(error)), 0);
    sqlite3_exec(f.db, "INSERT INTO numbers VALUES (1), (2), (3)", NULL, NULL, NULL);
    sqlite_file_close(&f);
}

static void go_on(void *ctx, int done, int all)
{
    (void)ctx;
    (void)done;
    (void)all;
}

static void die(void *ctx, int done, int all)
{
    (void)ctx;
    (void)done;
    (void)all;
    _exit(1);
}

static int copy(sqlite_copy_fn *progress)
{
    struct sqlite_copy what = {in_directory("from"), &schema, in_directory("to"), progress, NULL};
    return sqlite_copy_run(&what, error, sizeof(error));
}

/* What in the directory is named after the copy. */
static const char *names(void)
{
    static char text[512];
    struct dirent **list;
    int n = scandir(directory, &list, NULL, alphasort);
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        size_t end = strlen(text);
        if (strncmp(list[i]->d_name, "to", 2) == 0)
            snprintf(text + end, sizeof(text) - end, "%s ", list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return text;
}

START_TEST(a_copy_is_one_file_of_its_owner)
{
    struct stat st;
    ck_assert_msg(copy(go_on) == 0, "%s", error);
    ck_assert_str_eq(names(), "to ");
    ck_assert_str_eq(ask(in_directory("to"), "SELECT sum(n) FROM numbers"), "6");
    ck_assert_int_eq(stat(in_directory("to"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(what_is_there_stays)
{
    FILE *f = fopen(in_directory("to"), "w");
    fputs("mine", f);
    fclose(f);
    ck_assert_int_eq(copy(die), -1);
    ck_assert_msg(strstr(error, "/to: File exists"), "%s", error);
    ck_assert_str_eq(names(), "to ");
    struct stat st;
    ck_assert_int_eq(stat(in_directory("to"), &st), 0);
    ck_assert_int_eq(st.st_size, 4);
}
END_TEST

static void copy_and_die(void)
{
    copy(die);
}

/* Half a copy must not look like one. */
START_TEST(a_kill_leaves_no_copy)
{
    in_killed_child(copy_and_die);
    ck_assert_int_ne(access(in_directory("to"), F_OK), 0);
    ck_assert_int_eq(copy(go_on), -1);
    ck_assert_msg(strstr(error, "/to-partial: File exists: "), "%s", error);
    unlink(in_directory("to-partial"));
    ck_assert_msg(copy(go_on) == 0, "%s", error);
    ck_assert_str_eq(ask(in_directory("to"), "SELECT sum(n) FROM numbers"), "6");
}
END_TEST

/* Another program takes the name while the copy is made. */
static void take_name(void *ctx, int done, int all)
{
    FILE *f = fopen(in_directory("to"), "w");
    go_on(ctx, done, all);
    fclose(f);
}

START_TEST(a_name_that_is_taken_meanwhile_is_left)
{
    ck_assert_int_eq(copy(take_name), -1);
    ck_assert_msg(strstr(error, "/to: File exists"), "%s", error);
    ck_assert_str_eq(names(), "to ");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("sqlite_copy");
    tcase_add_checked_fixture(tcase, setup, store_teardown);
    tcase_add_test(tcase, a_copy_is_one_file_of_its_owner);
    tcase_add_test(tcase, what_is_there_stays);
    tcase_add_test(tcase, a_kill_leaves_no_copy);
    tcase_add_test(tcase, a_name_that_is_taken_meanwhile_is_left);
    return run_suite(tcase, "sqlite_copy");
}
