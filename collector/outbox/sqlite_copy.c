/* SPDX-License-Identifier: MIT */
#include "collector/outbox/sqlite_copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STEP_PAGES 4096 /* 16 MiB */

/* A name that nobody else has. */
static int make_target(const char *path, char *error, size_t error_size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(error, error_size, "%s: %m", path);
        return -1;
    }
    close(fd);
    return 0;
}

/* One moment for all steps: else a commit of somebody else begins the copy anew, for ever on a busy
 * file. */
static int begin_reading(sqlite3 *from)
{
    int rc = sqlite3_exec(from, "BEGIN", NULL, NULL, NULL);
    return rc == SQLITE_OK
               ? sqlite3_exec(from, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL)
               : rc;
}

static int copy_pages(const struct sqlite_copy *copy, sqlite3 *from, sqlite3 *to)
{
    int rc = begin_reading(from);
    sqlite3_backup *backup = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;
    if (!backup)
        return rc == SQLITE_OK ? sqlite3_errcode(to) : rc;
    do {
        rc = sqlite3_backup_step(backup, STEP_PAGES);
        int all = sqlite3_backup_pagecount(backup);
        copy->progress(copy->ctx, all - sqlite3_backup_remaining(backup), all);
    } while (rc == SQLITE_OK);
    int finished = sqlite3_backup_finish(backup);
    return rc == SQLITE_DONE ? finished : rc;
}

/* Is the text that a pragma answers first this one? */
static bool answers(sqlite3 *db, const char *sql, const char *expected)
{
    sqlite3_stmt *ask = NULL;
    sqlite3_prepare_v2(db, sql, -1, &ask, NULL);
    bool good = ask && sqlite3_step(ask) == SQLITE_ROW &&
                strcmp((const char *)sqlite3_column_text(ask, 0), expected) == 0;
    sqlite3_finalize(ask);
    return good;
}

static int copy_to(const struct sqlite_copy *copy, sqlite3 *from, char *error, size_t error_size)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(copy->to, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = copy_pages(copy, from, to);
    if (rc != SQLITE_OK)
        snprintf(error, error_size, "%s: %s", copy->to, sqlite3_errstr(rc));
    else if (!answers(to, "PRAGMA journal_mode=DELETE", "delete") ||
             !answers(to, "PRAGMA quick_check(1)", "ok")) {
        rc = SQLITE_CORRUPT;
        snprintf(error, error_size, "%s: the copy is damaged: check %s", copy->to, copy->from);
    }
    sqlite3_close(to);
    return rc == SQLITE_OK ? 0 : -1;
}

int sqlite_copy_run(const struct sqlite_copy *copy, char *error, size_t error_size)
{
    struct sqlite_file from = {0};
    if (sqlite_file_open_to_read(&from, copy->from, copy->schema, error, error_size) < 0)
        return -1;
    int status = make_target(copy->to, error, error_size);
    if (status == 0 && copy_to(copy, from.db, error, error_size) < 0) {
        unlink(copy->to);
        status = -1;
    }
    sqlite3_exec(from.db, "ROLLBACK", NULL, NULL, NULL);
    sqlite_file_close(&from);
    return status;
}
