/* SPDX-License-Identifier: MIT */
#include "collector/outbox/sqlite_file.h"

#include "store_fixture.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>

static const char *const steps[] = {
    "CREATE TABLE one (a TEXT)",
    "CREATE TABLE two (b TEXT); INSERT INTO one VALUES ('from two')",
    "CREATE TABLE three (c TEXT); INSERT INTO nowhere VALUES (1)",
};

static struct sqlite_file file;

static struct sqlite_schema schema(int version)
{
    return (struct sqlite_schema){"test", 4711, steps, version, true, true};
}

static int open_version(const char *path, int version)
{
    struct sqlite_schema s = schema(version);
    return sqlite_file_open(&file, path, &s, error, sizeof(error));
}

/* A file's bytes, into a static buffer. */
static struct slice bytes_of(const char *path)
{
    static char bytes[2][1 << 16];
    static unsigned turn;
    char *to = bytes[turn++ % 2];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, to, sizeof(bytes[0]));
    close(fd);
    return (struct slice){to, (size_t)n};
}

static void ck_refused(const char *path, int version, const char *reason)
{
    char expect[1024];
    snprintf(expect, sizeof(expect), "%s: %s", path, reason);
    ck_assert_int_eq(open_version(path, version), -1);
    ck_assert_str_eq(error, expect);
    ck_assert_ptr_null(file.db);
}

/* What another process does just before ours locks its file. */
static void (*before_lock)(void);

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    void (*other)(void) = before_lock;
    before_lock = NULL;
    if (other)
        other();
    return __real_flock(fd, operation);
}

START_TEST(new_file_is_made)
{
    const char *path = in_directory("new");
    struct stat st;
    ck_assert_int_eq(open_version(path, 2), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    sqlite_file_close(&file);
    ck_assert_str_eq(ask(path, "PRAGMA user_version"), "2");
    ck_assert_str_eq(ask(path, "PRAGMA journal_mode"), "wal");
    ck_assert_str_eq(ask(path, "SELECT a FROM one"), "from two");
}
END_TEST

START_TEST(old_file_is_brought_up_to_date)
{
    const char *path = in_directory("old");
    ck_assert_int_eq(open_version(path, 1), 0);
    sqlite_file_close(&file);
    ck_assert_int_eq(open_version(path, 2), 0);
    sqlite_file_close(&file);
    ck_assert_str_eq(ask(path, "SELECT count(*) FROM two"), "0");
}
END_TEST

START_TEST(newer_file_is_refused)
{
    const char *path = in_directory("newer");
    ck_assert_int_eq(open_version(path, 2), 0);
    sqlite_file_close(&file);
    struct slice before = bytes_of(path);
    ck_refused(path, 1, "made by a newer amitap (version 2, this one knows 1)");
    ck_assert(slice_equal(before, bytes_of(path)));
}
END_TEST

START_TEST(failing_migration_leaves_the_file)
{
    const char *path = in_directory("failing");
    ck_assert_int_eq(open_version(path, 2), 0);
    sqlite_file_close(&file);
    struct slice before = bytes_of(path);
    ck_refused(path, 3, "cannot be brought to version 3: no such table: nowhere");
    ck_assert(slice_equal(before, bytes_of(path)));
    ck_assert_int_eq(open_version(path, 2), 0);
    sqlite_file_close(&file);
}
END_TEST

START_TEST(failing_new_file_is_not_left)
{
    const char *path = in_directory("never");
    ck_refused(path, 3, "cannot be brought to version 3: no such table: nowhere");
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(in_directory("never-wal"), F_OK), 0);
}
END_TEST

static int others;

static void others_take_it(void)
{
    others = open(in_directory("both"), O_RDWR);
    ck_assert_int_eq(__real_flock(others, LOCK_EX | LOCK_NB), 0);
}

/* Two first starts at once: who made the file is not always who has it. */
START_TEST(a_file_that_another_took_is_left)
{
    before_lock = others_take_it;
    ck_refused(in_directory("both"), 1, "is in use by another amitap");
    ck_assert_int_eq(access(in_directory("both"), F_OK), 0);
    close(others);
}
END_TEST

static void others_remove_it(void)
{
    ck_assert_int_eq(unlink(in_directory("gone")), 0);
}

START_TEST(a_file_that_another_removed_is_not_written)
{
    before_lock = others_remove_it;
    ck_refused(in_directory("gone"), 1, "another amitap has removed it just now");
    ck_assert_int_ne(access(in_directory("gone"), F_OK), 0);
}
END_TEST

static void write_file(const char *path, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

START_TEST(other_files_are_refused)
{
    static char text[4096];
    const char *path = in_directory("text");
    memset(text, 'x', sizeof(text));
    write_file(path, text, sizeof(text));
    ck_refused(path, 1, "file is not a database");
    ck_assert(slice_equal(bytes_of(path), (struct slice){text, sizeof(text)}));
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0644);

    path = in_directory("foreign");
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE theirs (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_refused(path, 1, "is an SQLite file, but no test of amitap's");
}
END_TEST

START_TEST(places_are_refused)
{
    char path[600];
    char reason[600];
    snprintf(path, sizeof(path), "%s/nowhere/file", directory);
    snprintf(reason, sizeof(reason), "there is no directory %s/nowhere", directory);
    ck_refused(path, 1, reason);
    ck_refused(directory, 1, "Is a directory");
    ck_assert_str_eq(sqlite_file_refused_fs(NFS_SUPER_MAGIC), "NFS");
    ck_assert_str_eq(sqlite_file_refused_fs((long)SMB2_SUPER_MAGIC), "SMB");
    ck_assert_ptr_null(sqlite_file_refused_fs(EXT4_SUPER_MAGIC));
}
END_TEST

static void hold_open(void)
{
    must(open_version(in_directory("held"), 2) == 0);
    must(write(STDOUT_FILENO, "!", 1) == 1);
    pause();
}

START_TEST(second_process_is_refused)
{
    int ends[2];
    char c;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        hold_open();
    }
    ck_assert_int_eq(read(ends[0], &c, 1), 1);
    ck_refused(in_directory("held"), 2, "is in use by another amitap");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(open_version(in_directory("held"), 2), 0);
    sqlite_file_close(&file);
}
END_TEST

START_TEST(reading_wants_the_same_version)
{
    const char *path = in_directory("read");
    struct sqlite_schema one = schema(1);
    struct sqlite_schema two = schema(2);
    ck_assert_int_eq(sqlite_file_open_to_read(&file, path, &one, error, sizeof(error)), -1);
    ck_assert_int_eq(open_version(path, 1), 0);
    sqlite_file_close(&file);
    ck_assert_int_eq(sqlite_file_open_to_read(&file, path, &one, error, sizeof(error)), 0);
    ck_assert_int_ne(sqlite3_exec(file.db, "DELETE FROM one", NULL, NULL, NULL), SQLITE_OK);
    sqlite_file_close(&file);
    ck_assert_int_eq(sqlite_file_open_to_read(&file, path, &two, error, sizeof(error)), -1);
    ck_assert_ptr_nonnull(strstr(error, "older amitap"));
}
END_TEST

/* Writes until the WAL would be many times its bound. */
static unsigned highest_wal(const char *hold)
{
    unsigned highest = 0;
    sqlite3 *reader = NULL;
    const char *path = in_directory(hold ? "held-wal" : "wal");
    ck_assert_int_eq(open_version(path, 1), 0);
    sqlite3_exec(file.db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    for (int i = 0; i < 600; i++) {
        if (hold && i == 10) {
            sqlite3_open(path, &reader);
            sqlite3_exec(reader, hold, NULL, NULL, NULL);
        }
        if (i == 400)
            sqlite3_close(reader);
        ck_assert_int_eq(
            sqlite3_exec(file.db, "INSERT INTO one VALUES (zeroblob(60000))", NULL, NULL, NULL),
            SQLITE_OK);
        sqlite_file_bound_wal(&file);
        unsigned pages = atomic_load(&file.wal_pages);
        highest = pages > highest ? pages : highest;
    }
    ck_assert_uint_lt(atomic_load(&file.wal_pages), 1100);
    sqlite_file_close(&file);
    return highest;
}

START_TEST(wal_is_bounded)
{
    ck_assert_uint_lt(highest_wal(NULL), 1100);
}
END_TEST

/* A reader that keeps its transaction open holds the WAL; it starts over once the reader goes. */
START_TEST(wal_recovers_from_a_reader)
{
    ck_assert_uint_gt(highest_wal("BEGIN; SELECT count(*) FROM one"), 4000);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("sqlite_file");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase, new_file_is_made);
    tcase_add_test(tcase, old_file_is_brought_up_to_date);
    tcase_add_test(tcase, newer_file_is_refused);
    tcase_add_test(tcase, failing_migration_leaves_the_file);
    tcase_add_test(tcase, failing_new_file_is_not_left);
    tcase_add_test(tcase, a_file_that_another_took_is_left);
    tcase_add_test(tcase, a_file_that_another_removed_is_not_written);
    tcase_add_test(tcase, other_files_are_refused);
    tcase_add_test(tcase, places_are_refused);
    tcase_add_test(tcase, second_process_is_refused);
    tcase_add_test(tcase, reading_wants_the_same_version);
    tcase_add_test(tcase, wal_is_bounded);
    tcase_add_test(tcase, wal_recovers_from_a_reader);
    return run_suite(tcase, "sqlite_file");
}
