/* SPDX-License-Identifier: MIT */
/* A disk that fails: AMITAP_IO=WHAT:N makes the Nth write, sync, read or truncate of SQLite's files
 * fail, or with WHAT full the Nth write find no room; WHAT:N+ the Nth and all that follow, until
 * the file AMITAP_IO_UNTIL is there. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum operation { NONE, WRITE, SYNC, READ, TRUNCATE };

struct io_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *below;
static enum operation wanted;
static int code;
static unsigned long at;
static bool lasting;
static const char *until;
static atomic_ulong times;

static struct io_file *of(sqlite3_file *file)
{
    return (struct io_file *)file;
}

static bool fails(enum operation operation)
{
    if (operation != wanted)
        return false;
    unsigned long n = atomic_fetch_add(&times, 1) + 1;
    return lasting ? n >= at && !(until && access(until, F_OK) == 0) : n == at;
}

static int io_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int io_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset)
{
    return fails(READ) ? code : of(file)->real->pMethods->xRead(of(file)->real, to, n, offset);
}

static int io_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset)
{
    return fails(WRITE) ? code : of(file)->real->pMethods->xWrite(of(file)->real, from, n, offset);
}

static int io_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return fails(TRUNCATE) ? code : of(file)->real->pMethods->xTruncate(of(file)->real, size);
}

static int io_sync(sqlite3_file *file, int flags)
{
    return fails(SYNC) ? code : of(file)->real->pMethods->xSync(of(file)->real, flags);
}

static int io_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return of(file)->real->pMethods->xFileSize(of(file)->real, ret_size);
}

static int io_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int io_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int io_check_lock(sqlite3_file *file, int *ret_taken)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, ret_taken);
}

static int io_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int io_sector(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int io_characteristics(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static int io_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return of(file)->real->pMethods->xShmMap(of(file)->real, page, size, extend, ret);
}

static int io_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return of(file)->real->pMethods->xShmLock(of(file)->real, offset, n, flags);
}

static void io_shm_barrier(sqlite3_file *file)
{
    of(file)->real->pMethods->xShmBarrier(of(file)->real);
}

static int io_shm_unmap(sqlite3_file *file, int delete)
{
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = io_close,
    .xRead = io_read,
    .xWrite = io_write,
    .xTruncate = io_truncate,
    .xSync = io_sync,
    .xFileSize = io_size,
    .xLock = io_lock,
    .xUnlock = io_unlock,
    .xCheckReservedLock = io_check_lock,
    .xFileControl = io_control,
    .xSectorSize = io_sector,
    .xDeviceCharacteristics = io_characteristics,
    .xShmMap = io_shm_map,
    .xShmLock = io_shm_lock,
    .xShmBarrier = io_shm_barrier,
    .xShmUnmap = io_shm_unmap,
};

static int io_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                   int *ret_flags)
{
    struct io_file *f = of(file);
    (void)vfs;
    memset(f, 0, sizeof(*f));
    f->real = (sqlite3_file *)(f + 1);
    int rc = below->xOpen(below, name, f->real, flags, ret_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}

static void read_wish(const char *wish)
{
    static const struct {
        const char *name;
        enum operation operation;
        int code;
    } known[] = {{"write", WRITE, SQLITE_IOERR_WRITE},
                 {"full", WRITE, SQLITE_FULL},
                 {"sync", SYNC, SQLITE_IOERR_FSYNC},
                 {"read", READ, SQLITE_IOERR_READ},
                 {"truncate", TRUNCATE, SQLITE_IOERR_TRUNCATE}};
    size_t n = strcspn(wish, ":");
    char *end;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == n && strncmp(known[i].name, wish, n) == 0) {
            wanted = known[i].operation;
            code = known[i].code;
        }
    }
    at = strtoul(wish + n + (wish[n] == ':'), &end, 10);
    lasting = *end == '+';
    if (wanted == NONE || !at)
        abort();
}

__attribute__((constructor)) static void io_begin(void)
{
    static sqlite3_vfs vfs;
    const char *wish = getenv("AMITAP_IO");
    if (!wish)
        return;
    until = getenv("AMITAP_IO_UNTIL");
    read_wish(wish);
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.szOsFile = (int)sizeof(struct io_file) + below->szOsFile;
    vfs.zName = "io";
    vfs.xOpen = io_open;
    sqlite3_vfs_register(&vfs, 1);
}
