/* SPDX-License-Identifier: MIT */
#include "collector/commands/import.h"

#include "tests/unit/commands/files_fixture.h"
#include <string.h>

#define ROWS_OF_HISTORY "SELECT count(*) FROM cdr WHERE imported = 1"
#define ROWS_OF_OUTBOX  "SELECT count(*) FROM facts WHERE kind = 'cdr'"

/* SQLite's files whose names end so cannot be written to. */
static const char *broken;
static sqlite3_vfs failing, *below;
static sqlite3_io_methods broken_methods;

static int refuse_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    (void)file;
    (void)from;
    (void)n;
    (void)at;
    return SQLITE_IOERR_WRITE;
}

static int open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    (void)vfs;
    int rc = below->xOpen(below, name, file, flags, ret_flags);
    const char *end = name ? strrchr(name, '/') : NULL;
    if (rc == SQLITE_OK && broken && end && strcmp(end + 1, broken) == 0) {
        broken_methods = *file->pMethods;
        broken_methods.xWrite = refuse_write;
        file->pMethods = &broken_methods;
    }
    return rc;
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(in_directory(name), "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* A history with nothing in it, its outbox, and one row that Asterisk wrote. */
static void setup(void)
{
    char text[2048];
    store_setup();
    snprintf(text, sizeof(text),
             "pbx main {\n host = 127.0.0.1\n user = tap\n secret = 'x'\n}\n"
             "store { path = '%s' }\nkafka { brokers = \"127.0.0.1:1\" }\n",
             in_directory("db"));
    put_file("conf", text);
    put_file("csv", "src,dst,start,answer,end,duration,billsec,disposition,uniqueid,linkedid\n"
                    "100,200,2026-03-02 10:00:00,2026-03-02 10:00:02,2026-03-02 10:00:09,9,7,"
                    "ANSWERED,1772445600.1,1772445600.1\n");
    struct files files = open_files();
    close_files(&files);
    broken = NULL;
    below = sqlite3_vfs_find(NULL);
    failing = *below;
    failing.zName = "failing";
    failing.xOpen = open_file;
    sqlite3_vfs_register(&failing, 1);
}

static void teardown(void)
{
    sqlite3_vfs_register(below, 1);
    sqlite3_vfs_unregister(&failing);
    store_teardown();
}

static int import(void)
{
    char *argv[] = {(char[]){"import"},
                    (char[]){"-c"},
                    strdup(in_directory("conf")),
                    (char[]){"--cdr"},
                    strdup(in_directory("csv")),
                    (char[]){"--from"},
                    (char[]){"2026-03-02"},
                    (char[]){"--to"},
                    (char[]){"2026-03-03"},
                    (char[]){"--zone"},
                    (char[]){"UTC"},
                    NULL};
    int status = import_command(11, argv);
    free(argv[2]);
    free(argv[4]);
    return status;
}

static int import_with_broken(const char *file)
{
    broken = file;
    int status = import();
    broken = NULL;
    return status;
}

static void ck_rows(long history, long outbox)
{
    ck_assert_int_eq(ask_long(in_directory("db"), ROWS_OF_HISTORY), history);
    ck_assert_int_eq(ask_long(in_directory("db-outbox"), ROWS_OF_OUTBOX), outbox);
}

START_TEST(a_row_goes_into_both)
{
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 1);
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 1);
}
END_TEST

/* A row that the history alone has would be taken for one that was published. */
START_TEST(what_the_outbox_does_not_take_is_imported_again)
{
    ck_assert_int_eq(import_with_broken("db-outbox-wal"), 1);
    ck_rows(0, 0);
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 1);
}
END_TEST

START_TEST(what_the_history_does_not_take_is_published_twice)
{
    ck_assert_int_eq(import_with_broken("db-wal"), 1);
    ck_rows(0, 1);
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 2);
    ck_assert_int_eq(ask_long(in_directory("db-outbox"), "SELECT count(DISTINCT ce_id) FROM facts"),
                     1);
}
END_TEST

static void put_inferred(void)
{
    ask(in_directory("db"),
        "INSERT INTO cdr (ce_id, ce_subject, ce_time, ce_key, ce_sequence, pbx, src, start, "
        "\"end\", "
        "uniqueid, linkedid, inferred, body) VALUES ('inferred', '1772445600.1', "
        "'2026-03-02T10:00:08.000000Z', '', 1, 'main', '100', '2026-03-02T10:00:00.000000Z', "
        "'2026-03-02T10:00:08.000000Z', '1772445600.1', '1772445600.1', 1, '{}')");
}

/* The sink of a running amitap brought the row that the import had published. */
START_TEST(an_import_that_broke_off_is_finished)
{
    put_inferred();
    ck_assert_int_eq(import_with_broken("db-wal"), 1);
    ck_rows(0, 1);
    ask(in_directory("db"),
        "INSERT INTO cdr (ce_id, ce_subject, ce_time, ce_key, ce_sequence, pbx, src, start, "
        "\"end\", "
        "uniqueid, linkedid, imported, body) VALUES ('cdr:1772445600.1:1772445609000000:0@import', "
        "'1772445600.1', '2026-03-02T10:00:09.000000Z', '', 1, 'main', '100', "
        "'2026-03-02T10:00:00.000000Z', '2026-03-02T10:00:09.000000Z', '1772445600.1', "
        "'1772445600.1', 1, '{\"replaces\":\"inferred\"}')");
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 1);
    ck_assert_int_eq(ask_long(in_directory("db"), "SELECT count(*) FROM cdr"), 1);
}
END_TEST

START_TEST(an_inferred_row_gives_way)
{
    put_inferred();
    ck_assert_int_eq(import(), 0);
    ck_rows(1, 1);
    ck_assert_int_eq(ask_long(in_directory("db"), "SELECT count(*) FROM cdr"), 1);
}
END_TEST

START_TEST(an_inferred_row_stays_for_one_that_is_refused)
{
    put_inferred();
    ask(in_directory("db"), "CREATE TRIGGER no BEFORE INSERT ON cdr BEGIN SELECT RAISE(ABORT, "
                            "'no'); END");
    ck_assert_int_eq(import(), 0);
    ck_rows(0, 0);
    ck_assert_int_eq(ask_long(in_directory("db"), "SELECT count(*) FROM dead_letters"), 1);
    ck_assert_str_eq(ask(in_directory("db"), "SELECT group_concat(ce_id) FROM cdr"), "inferred");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("import");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_row_goes_into_both);
    tcase_add_test(tcase, what_the_outbox_does_not_take_is_imported_again);
    tcase_add_test(tcase, what_the_history_does_not_take_is_published_twice);
    tcase_add_test(tcase, an_import_that_broke_off_is_finished);
    tcase_add_test(tcase, an_inferred_row_gives_way);
    tcase_add_test(tcase, an_inferred_row_stays_for_one_that_is_refused);
    return run_suite(tcase, "import");
}
