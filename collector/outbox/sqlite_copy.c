/* SPDX-License-Identifier: MIT */
#include "collector/outbox/sqlite_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STEP_PAGES 4096 /* 16 MiB */

/* Until it is whole the copy has this behind its name, so that a kill leaves none. */
#define PARTIAL "-partial"

static int refuse(char *error, size_t error_size, const char *path, const char *hint)
{
    snprintf(error, error_size, "%s: %m%s", path, hint);
    return -1;
}

/* With errno, as if the file was to be made. */
static bool is_taken(const char *path)
{
    bool taken = access(path, F_OK) == 0;
    if (taken)
        errno = EEXIST;
    return taken;
}

static int make_partial(const struct sqlite_copy *copy, const char *partial, char *error,
                        size_t error_size)
{
    if (is_taken(copy->to))
        return refuse(error, error_size, copy->to, "");
    int fd = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(error, error_size, partial,
                      errno == EEXIST ? ": another backup is under way, or was killed" : "");
    close(fd);
    return 0;
}

/* The name survives power loss, too, where the file system can do that. */
static void sync_folder(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    fsync(folder);
    close(folder);
}

/* Gives the copy its name, unless somebody took it meanwhile. Not every file system can do that in
 * one step. */
static int name_copy(const char *partial, const char *to, char *error, size_t error_size)
{
    int rc = renameat2(AT_FDCWD, partial, AT_FDCWD, to, RENAME_NOREPLACE);
    if (rc < 0 && errno == EINVAL && !is_taken(to))
        rc = rename(partial, to);
    if (rc < 0)
        return refuse(error, error_size, to, "");
    sync_folder(to);
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

static int copy_to(const struct sqlite_copy *copy, sqlite3 *from, const char *partial, char *error,
                   size_t error_size)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(partial, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
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
    char partial[PATH_MAX];
    if (strlen(copy->to) + sizeof(PARTIAL) > sizeof(partial)) {
        errno = ENAMETOOLONG;
        return refuse(error, error_size, copy->to, "");
    }
    if (sqlite_file_open_to_read(&from, copy->from, copy->schema, error, error_size) < 0)
        return -1;
    snprintf(partial, sizeof(partial), "%s" PARTIAL, copy->to);
    int status = make_partial(copy, partial, error, error_size);
    if (status == 0 && (copy_to(copy, from.db, partial, error, error_size) < 0 ||
                        name_copy(partial, copy->to, error, error_size) < 0)) {
        unlink(partial);
        status = -1;
    }
    sqlite3_exec(from.db, "ROLLBACK", NULL, NULL, NULL);
    sqlite_file_close(&from);
    return status;
}
