/* SPDX-License-Identifier: MIT */
#include "collector/commands/recording.h"

#include "collector/base/ring.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the disk may be behind: half a minute of a very busy PBX. */
#define RING_BYTES ((size_t)64 * 1024 * 1024)

struct recording {
    char *path;
    FILE *out;
    FILE *raw; /* where the bytes go first; out itself when nothing is to be scrubbed */
    struct ring *ring;
    pthread_t writer;
    bool part;
    atomic_int error; /* errno of the writer */
    struct recording_totals totals;
};

static void *write_records(void *ctx)
{
    struct recording *r = ctx;
    struct slice bytes;
    while (ring_peek(r->ring, -1, &bytes)) {
        if (!atomic_load(&r->error) && fwrite(bytes.p, 1, bytes.n, r->raw) != bytes.n)
            atomic_store(&r->error, errno ? errno : EIO);
        ring_pop(r->ring);
    }
    return NULL;
}

/* A file that goes away with the process. Not every file system has O_TMPFILE. */
static int open_unnamed(const char *path)
{
    char *copy = strdup(path);
    char *name = NULL;
    int fd = copy ? open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    if (fd < 0 && copy && asprintf(&name, "%s.XXXXXX", path) > 0) {
        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0)
            unlink(name);
        free(name);
    }
    free(copy);
    return fd;
}

static void recording_free(struct recording *r)
{
    if (r->raw && r->raw != r->out)
        fclose(r->raw);
    if (r->out)
        fclose(r->out);
    ring_free(r->ring);
    free(r->path);
    free(r);
}

static FILE *stream_of(int fd)
{
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!f && fd >= 0)
        close(fd);
    return f;
}

static bool open_files(struct recording *r, const char *path, bool scrub)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    r->out = stream_of(fd);
    r->raw = scrub && r->out ? stream_of(open_unnamed(path)) : r->out;
    if (r->raw) {
        /* What came is on the disk, should the process be killed; a turn's bytes are one write. */
        setvbuf(r->raw, NULL, _IONBF, 0);
        return true;
    }
    int saved = errno;
    unlink(path);
    errno = saved;
    return false;
}

static bool start_writer(struct recording *r)
{
    r->ring = ring_new(RING_BYTES);
    if (!r->ring)
        return false;
    errno = pthread_create(&r->writer, NULL, write_records, r);
    return errno == 0;
}

struct recording *recording_new(const char *path, bool scrub)
{
    struct recording *r = calloc(1, sizeof(*r));
    if (r)
        r->path = strdup(path);
    bool opened = r && r->path && open_files(r, path, scrub);
    if (opened && start_writer(r))
        return r;
    fprintf(stderr, "amitap: record: %s: %s\n", path, strerror(errno));
    if (opened)
        unlink(path);
    if (r)
        recording_free(r);
    return NULL;
}

void recording_bytes(struct recording *r, struct slice bytes)
{
    if (r->part && ring_push(r->ring, SLICE("\r\n\r\n"))) {
        r->part = false;
        r->totals.bytes += 4;
    }
    if (!r->part && ring_push(r->ring, bytes)) {
        r->totals.bytes += bytes.n;
    } else {
        r->totals.lost += bytes.n;
        r->part = true;
    }
}

void recording_part(struct recording *r)
{
    r->part = r->totals.bytes > 0;
}

bool recording_failed(struct recording *r)
{
    return atomic_load(&r->error) != 0;
}

static int scrub_it(struct recording *r)
{
    uint8_t key[SCRUB_KEY_SIZE];
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return -1;
    int result = scrub_file(r->raw, r->out, key, &r->totals.scrub);
    explicit_bzero(key, sizeof(key));
    return result;
}

bool recording_end(struct recording *r, struct recording_totals *ret_totals)
{
    ring_close(r->ring);
    pthread_join(r->writer, NULL);
    errno = atomic_load(&r->error);
    bool good = errno == 0 && fflush(r->raw) == 0;
    if (good && r->raw != r->out)
        good = scrub_it(r) == 0;
    good = good && fflush(r->out) == 0 && fsync(fileno(r->out)) == 0;
    if (!good)
        fprintf(stderr, "amitap: record: %s: %s\n", r->path, strerror(errno));
    if (r->totals.bytes == 0)
        unlink(r->path);
    *ret_totals = r->totals;
    recording_free(r);
    return good;
}
