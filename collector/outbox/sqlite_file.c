/* SPDX-License-Identifier: MIT */
#include "collector/outbox/sqlite_file.h"

#include "collector/base/crash_point.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* SQLite's own default: a WAL of 1000 pages is moved into the file. */
#define CHECKPOINT_STEP 1000U
/* From here on readers that never pause are waited for, so that the WAL can start over. */
#define CHECKPOINT_WAIT (4 * CHECKPOINT_STEP)
#define PAGE_BYTES      4096U
#define BUSY_MS         5000
#define BUSY_WAL_MS     100

/* What is being opened, and where its error line goes. */
struct opening {
    struct sqlite_file *file;
    const char *path;
    const struct sqlite_schema *schema;
    char *error;
    size_t error_size;
    bool made;   /* there was none */
    mode_t mode; /* else: as it was */
};

static int refuse(const struct opening *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes "PATH: reason" and returns -1. */
static int refuse(const struct opening *o, const char *format, ...)
{
    va_list args;
    int n = snprintf(o->error, o->error_size, "%s: ", o->path);
    va_start(args, format);
    if (n >= 0 && (size_t)n < o->error_size)
        vsnprintf(o->error + n, o->error_size - (size_t)n, format, args);
    va_end(args);
    return -1;
}

const char *sqlite_file_refused_fs(long type)
{
    switch ((unsigned)type) {
    case NFS_SUPER_MAGIC:
        return "NFS";
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
        return "SMB";
    case AFS_SUPER_MAGIC:
        return "AFS";
    case V9FS_MAGIC:
        return "9p";
    default:
        return NULL;
    }
}

static int check_directory(const struct opening *o)
{
    char copy[PATH_MAX];
    struct statfs fs;
    if (strlen(o->path) >= sizeof(copy))
        return refuse(o, "the path is too long");
    memcpy(copy, o->path, strlen(o->path) + 1);
    const char *directory = dirname(copy);
    if (statfs(directory, &fs) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return refuse(o, "there is no directory %s", directory);
        return refuse(o, "%m");
    }
    const char *refused = sqlite_file_refused_fs((long)fs.f_type);
    if (refused)
        return refuse(o, "lies on %s, which SQLite cannot share safely; use a local disk", refused);
    return 0;
}

/* Whether the path still leads to the open file. */
static bool is_there(const char *path, const struct stat *ours)
{
    struct stat there;
    return stat(path, &there) == 0 && there.st_dev == ours->st_dev && there.st_ino == ours->st_ino;
}

/* Makes the file where there is none and takes the lock that keeps a second writer away. Between
 * the two another amitap may take the file, which is then its own whoever made it, or may make and
 * remove it. */
static int take_file(struct opening *o)
{
    mode_t mode = o->schema->secret ? 0600 : 0640;
    struct stat ours;
    int fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool made = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(o->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return refuse(o, "%m");
    o->file->lock = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? refuse(o, "is in use by another amitap") : refuse(o, "%m");
    if (fstat(fd, &ours) < 0)
        return refuse(o, "%m");
    if (!is_there(o->path, &ours))
        return refuse(o, "another amitap has removed it just now");
    o->made = made;
    o->mode = ours.st_mode & 07777;
    if (o->schema->secret && fchmod(fd, 0600) < 0)
        return refuse(o, "%m");
    return 0;
}

static int open_connection(const struct opening *o, int flags)
{
    sqlite3 **db = &o->file->db;
    int rc =
        sqlite3_open_v2(o->path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return refuse(o, "%s", *db ? sqlite3_errmsg(*db) : sqlite3_errstr(rc));
    sqlite3_busy_timeout(*db, BUSY_MS);
    return 0;
}

/* The number that a statement of one row and column gives, or -1. */
static int ask_number(const struct opening *o, const char *sql, int *ret_number)
{
    sqlite3_stmt *statement = sqlite_file_prepare(o->file, sql);
    int rc = statement ? sqlite3_step(statement) : SQLITE_ERROR;
    if (rc == SQLITE_ROW)
        *ret_number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? 0 : refuse(o, "%s", sqlite3_errmsg(o->file->db));
}

/* Is it a file of this kind, not newer than we are? */
static int check_identity(const struct opening *o, int *ret_version)
{
    const struct sqlite_schema *schema = o->schema;
    int version = 0;
    int application = 0;
    int tables = 0;
    if (ask_number(o, "PRAGMA user_version", &version) < 0 ||
        ask_number(o, "PRAGMA application_id", &application) < 0 ||
        ask_number(o, "SELECT count(*) FROM sqlite_schema", &tables) < 0)
        return -1;
    if (tables > 0 && application != schema->application_id)
        return refuse(o, "is an SQLite file, but no %s of amitap's", schema->what);
    if (version > schema->version)
        return refuse(o, "made by a newer amitap (version %d, this one knows %d)", version,
                      schema->version);
    *ret_version = version;
    return 0;
}

static int execute(struct sqlite_file *f, const char *sql)
{
    return sqlite3_exec(f->db, sql, NULL, NULL, NULL);
}

/* Brings the file from one version to the next. */
static int migrate_step(const struct opening *o, int from)
{
    char mark[96];
    snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d",
             o->schema->application_id, from + 1);
    if (execute(o->file, "BEGIN IMMEDIATE") == SQLITE_OK &&
        execute(o->file, o->schema->migrations[from]) == SQLITE_OK) {
        crash_point("migration_step");
        if (execute(o->file, mark) == SQLITE_OK && execute(o->file, "COMMIT") == SQLITE_OK)
            return 0;
    }
    refuse(o, "cannot be brought to version %d: %s", from + 1, sqlite3_errmsg(o->file->db));
    sqlite_file_rollback(o->file);
    return -1;
}

/* The WAL's size after each commit; a smaller one than before has started over. */
static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_file *f = ctx;
    (void)db;
    (void)name;
    if ((unsigned)pages < atomic_load(&f->wal_pages))
        f->checkpoint_at = CHECKPOINT_STEP;
    atomic_store(&f->wal_pages, (unsigned)pages);
    return SQLITE_OK;
}

/* Migrations come before the switch to WAL, so that a new file that fails was never changed. */
static int prepare_to_write(const struct opening *o)
{
    int version = 0;
    if (check_identity(o, &version) < 0)
        return -1;
    for (int v = version; v < o->schema->version; v++) {
        if (migrate_step(o, v) < 0)
            return -1;
    }
    const char *sync = o->schema->durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
    if (execute(o->file, "PRAGMA journal_mode=WAL") != SQLITE_OK ||
        execute(o->file, sync) != SQLITE_OK ||
        execute(o->file, "PRAGMA journal_size_limit=16777216") != SQLITE_OK ||
        execute(o->file, "PRAGMA secure_delete=ON") != SQLITE_OK)
        return refuse(o, "%s", sqlite3_errmsg(o->file->db));
    sqlite3_wal_hook(o->file->db, note_wal, o->file);
    return 0;
}

static void remove_made(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_MAX + 16];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

/* While the lock keeps others from taking it. */
static void leave_as_it_was(const struct opening *o)
{
    if (o->made)
        remove_made(o->path);
    else if (o->mode)
        fchmod(o->file->lock, o->mode);
}

static void close_database(struct sqlite_file *f)
{
    int rc = f->db ? sqlite3_close(f->db) : SQLITE_OK;
    assert(rc == SQLITE_OK);
    (void)rc;
    f->db = NULL;
}

static void start(struct sqlite_file *f)
{
    f->db = NULL;
    f->lock = -1;
    atomic_init(&f->wal_pages, 0);
    f->checkpoint_at = CHECKPOINT_STEP;
}

int sqlite_file_open(struct sqlite_file *f, const char *path, const struct sqlite_schema *schema,
                     char *error, size_t error_size)
{
    struct opening o = {f, path, schema, error, error_size, false, 0};
    start(f);
    if (check_directory(&o) == 0 && take_file(&o) == 0 &&
        open_connection(&o, SQLITE_OPEN_READWRITE) == 0 && prepare_to_write(&o) == 0)
        return 0;
    close_database(f);
    leave_as_it_was(&o);
    sqlite_file_close(f);
    return -1;
}

/* Without the lock and without migrations. */
static int open_as_it_is(const struct opening *o, int flags)
{
    int version = 0;
    start(o->file);
    if (open_connection(o, flags) == 0 && check_identity(o, &version) == 0) {
        if (version == o->schema->version)
            return 0;
        refuse(o, "made by an older amitap; 'amitap run' brings it up to date");
    }
    sqlite_file_close(o->file);
    return -1;
}

int sqlite_file_open_to_read(struct sqlite_file *f, const char *path,
                             const struct sqlite_schema *schema, char *error, size_t error_size)
{
    struct opening o = {f, path, schema, error, error_size, false, 0};
    return open_as_it_is(&o, SQLITE_OPEN_READONLY);
}

int sqlite_file_open_beside(struct sqlite_file *f, const char *path,
                            const struct sqlite_schema *schema, char *error, size_t error_size)
{
    struct opening o = {f, path, schema, error, error_size, false, 0};
    if (check_directory(&o) < 0 || open_as_it_is(&o, SQLITE_OPEN_READWRITE) < 0)
        return -1;
    if (execute(f, schema->durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL") ==
        SQLITE_OK)
        return 0;
    refuse(&o, "%s", sqlite3_errmsg(f->db));
    sqlite_file_close(f);
    return -1;
}

void sqlite_file_close(struct sqlite_file *f)
{
    close_database(f);
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}

sqlite3_stmt *sqlite_file_prepare(struct sqlite_file *f, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    return statement;
}

int sqlite_file_run(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

void sqlite_file_bind(sqlite3_stmt *statement, int parameter, struct slice text)
{
    sqlite3_bind_text64(statement, parameter, text.n ? text.p : "", text.n, SQLITE_STATIC,
                        SQLITE_UTF8);
}

struct slice sqlite_file_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return (struct slice){text, (size_t)sqlite3_column_bytes(statement, column)};
}

void sqlite_file_rollback(struct sqlite_file *f)
{
    if (!sqlite3_get_autocommit(f->db))
        execute(f, "ROLLBACK");
}

void sqlite_file_bound_wal(struct sqlite_file *f)
{
    unsigned pages = atomic_load(&f->wal_pages);
    if (pages < f->checkpoint_at)
        return;
    int mode = pages < CHECKPOINT_WAIT ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    sqlite3_busy_timeout(f->db, BUSY_WAL_MS);
    sqlite3_wal_checkpoint_v2(f->db, NULL, mode, NULL, NULL);
    sqlite3_busy_timeout(f->db, BUSY_MS);
    f->checkpoint_at = pages + CHECKPOINT_STEP;
}

uint64_t sqlite_file_wal_bytes(const struct sqlite_file *f)
{
    return (uint64_t)atomic_load(&f->wal_pages) * PAGE_BYTES;
}

bool sqlite_file_empty_wal(struct sqlite_file *f)
{
    if (atomic_load(&f->wal_pages) == 0)
        return true;
    sqlite3_busy_timeout(f->db, BUSY_WAL_MS);
    int rc = sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(f->db, BUSY_MS);
    if (rc != SQLITE_OK)
        return false;
    atomic_store(&f->wal_pages, 0);
    f->checkpoint_at = CHECKPOINT_STEP;
    return true;
}

int sqlite_file_sync(struct sqlite_file *f)
{
    sqlite3_file *wal = NULL;
    int rc = sqlite3_file_control(f->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&wal);
    if (rc != SQLITE_OK || !wal || !wal->pMethods)
        return rc;
    return wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
}
