/* SPDX-License-Identifier: MIT */
/* A disk that forgets: with AMITAP_POWER set, what SQLite wrote to a file reaches it at xSync and
 * not before; until then it lies in this process's memory, for all its connections to see. Killing
 * the process is then what a power loss is to a disk: whatever was not synced is gone. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096

/* One file as this process sees it: blocks that were written and not synced, and its size. */
struct shadow {
    char *name;
    unsigned char **blocks; /* NULL: as on disk */
    size_t count;
    sqlite3_int64 size;
    struct shadow *next;
};

struct power_file {
    sqlite3_file base;
    struct shadow *shadow; /* NULL: passed through */
    sqlite3_file *real;    /* behind this struct */
};

static sqlite3_vfs *below;
static struct shadow *shadows;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct power_file *of(sqlite3_file *file)
{
    return (struct power_file *)file;
}

static struct shadow *shadow_of(const char *name, sqlite3_file *real)
{
    struct shadow *s = shadows;
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->name = strdup(name);
    real->pMethods->xFileSize(real, &s->size);
    s->next = shadows;
    shadows = s;
    return s;
}

/* The block at this index, made and filled from disk when it is to be written. */
static unsigned char *block_at(struct power_file *f, size_t index, bool make)
{
    struct shadow *s = f->shadow;
    if (index >= s->count) {
        if (!make)
            return NULL;
        size_t count = index * 2 + 16;
        s->blocks = realloc(s->blocks, count * sizeof(*s->blocks));
        if (!s->blocks)
            abort();
        memset(s->blocks + s->count, 0, (count - s->count) * sizeof(*s->blocks));
        s->count = count;
    }
    if (!s->blocks[index] && make) {
        s->blocks[index] = calloc(1, BLOCK);
        if (!s->blocks[index])
            abort();
        f->real->pMethods->xRead(f->real, s->blocks[index], BLOCK, (sqlite3_int64)index * BLOCK);
    }
    return s->blocks[index];
}

static void read_part(struct power_file *f, char *to, size_t n, sqlite3_int64 offset)
{
    const unsigned char *block = block_at(f, (size_t)(offset / BLOCK), false);
    if (block)
        memcpy(to, block + offset % BLOCK, n);
    else
        f->real->pMethods->xRead(f->real, to, (int)n, offset); /* a short read is filled with 0 */
}

static size_t part_of(size_t n, sqlite3_int64 offset)
{
    size_t room = BLOCK - (size_t)(offset % BLOCK);
    return n < room ? n : room;
}

static int power_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset)
{
    struct power_file *f = of(file);
    if (!f->shadow)
        return f->real->pMethods->xRead(f->real, to, n, offset);
    pthread_mutex_lock(&lock);
    sqlite3_int64 there = f->shadow->size - offset;
    size_t left = there <= 0 ? 0 : there < n ? (size_t)there : (size_t)n;
    bool whole = left == (size_t)n;
    memset(to, 0, (size_t)n);
    for (char *p = to; left;) {
        size_t part = part_of(left, offset);
        read_part(f, p, part, offset);
        p += part;
        offset += (sqlite3_int64)part;
        left -= part;
    }
    pthread_mutex_unlock(&lock);
    return whole ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int power_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset)
{
    struct power_file *f = of(file);
    if (!f->shadow)
        return f->real->pMethods->xWrite(f->real, from, n, offset);
    pthread_mutex_lock(&lock);
    size_t left = (size_t)n;
    for (const char *p = from; left;) {
        size_t part = part_of(left, offset);
        memcpy(block_at(f, (size_t)(offset / BLOCK), true) + offset % BLOCK, p, part);
        p += part;
        offset += (sqlite3_int64)part;
        left -= part;
    }
    if (offset > f->shadow->size)
        f->shadow->size = offset;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct power_file *f = of(file);
    if (!f->shadow)
        return f->real->pMethods->xTruncate(f->real, size);
    pthread_mutex_lock(&lock);
    f->shadow->size = size;
    for (size_t i = (size_t)((size + BLOCK - 1) / BLOCK); i < f->shadow->count; i++) {
        free(f->shadow->blocks[i]);
        f->shadow->blocks[i] = calloc(1, BLOCK);
    }
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

/* What is not synced may be lost, what is may not: now it goes to the disk. */
static int power_sync(sqlite3_file *file, int flags)
{
    struct power_file *f = of(file);
    if (!f->shadow)
        return f->real->pMethods->xSync(f->real, flags);
    struct shadow *s = f->shadow;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < s->count; i++) {
        sqlite3_int64 offset = (sqlite3_int64)i * BLOCK;
        sqlite3_int64 left = s->size - offset;
        if (s->blocks[i] && left > 0)
            f->real->pMethods->xWrite(f->real, s->blocks[i], left < BLOCK ? (int)left : BLOCK,
                                      offset);
        free(s->blocks[i]);
        s->blocks[i] = NULL;
    }
    f->real->pMethods->xTruncate(f->real, s->size);
    int rc = f->real->pMethods->xSync(f->real, flags);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int power_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    struct power_file *f = of(file);
    if (!f->shadow)
        return f->real->pMethods->xFileSize(f->real, ret_size);
    pthread_mutex_lock(&lock);
    *ret_size = f->shadow->size;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int power_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int power_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int power_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int power_check_lock(sqlite3_file *file, int *ret_taken)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, ret_taken);
}

static int power_control(sqlite3_file *file, int op, void *arg)
{
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_OK;
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int power_sector(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

/* None: SQLite must not count on writes being atomic or in order. */
static int power_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static int power_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return of(file)->real->pMethods->xShmMap(of(file)->real, page, size, extend, ret);
}

static int power_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return of(file)->real->pMethods->xShmLock(of(file)->real, offset, n, flags);
}

static void power_shm_barrier(sqlite3_file *file)
{
    of(file)->real->pMethods->xShmBarrier(of(file)->real);
}

static int power_shm_unmap(sqlite3_file *file, int delete)
{
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_check_lock,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_characteristics,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

static int power_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *ret_flags)
{
    struct power_file *f = of(file);
    (void)vfs;
    memset(f, 0, sizeof(*f));
    f->real = (sqlite3_file *)(f + 1);
    int rc = below->xOpen(below, name, f->real, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    f->base.pMethods = &methods;
    if (name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))) {
        pthread_mutex_lock(&lock);
        f->shadow = shadow_of(name, f->real);
        pthread_mutex_unlock(&lock);
    }
    return SQLITE_OK;
}

/* A deleted WAL begins empty when it is made again. */
static int power_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    pthread_mutex_lock(&lock);
    for (struct shadow *s = shadows; s; s = s->next) {
        if (strcmp(s->name, name) != 0)
            continue;
        for (size_t i = 0; i < s->count; i++) {
            free(s->blocks[i]);
            s->blocks[i] = NULL;
        }
        s->size = 0;
    }
    pthread_mutex_unlock(&lock);
    return below->xDelete(below, name, sync);
}

__attribute__((constructor)) static void power_begin(void)
{
    static sqlite3_vfs vfs;
    if (!getenv("AMITAP_POWER"))
        return;
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.szOsFile = (int)sizeof(struct power_file) + below->szOsFile;
    vfs.zName = "power";
    vfs.xOpen = power_open;
    vfs.xDelete = power_delete;
    sqlite3_vfs_register(&vfs, 1);
}
