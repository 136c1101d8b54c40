/* SPDX-License-Identifier: MIT */
#include "collector/outbox/writer.h"

#include "collector/base/log.h"
#include "collector/base/metrics.h"
#include "collector/outbox/sqlite_file.h"
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define GROUP_BYTES     ((size_t)1024 * 1024)
#define GROUP_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define GROUP_US        20000
#define IDLE_MS         1000
#define RETRY_MS_MIN    20
/* How long what a call left in the WAL stays at most, though the writer is never idle. */
#define FORGET_US (INT64_C(60) * 1000000)
/* How soon it is tried again where a reader, as backup is, kept it; each try takes 100 ms. */
#define FORGET_AGAIN_US (INT64_C(2) * 1000000)
#define RETRY_MS_MAX    1000
#define LAST_TRIES      6 /* with the ring closed: 20 ms and twice as long each time */

struct writer {
    pthread_t thread;
    struct outbox *outbox;
    struct ring *ring;
    struct clock clock;
    struct buf group; /* batches being committed; kept until they are */
    int failing;      /* the SQLite code that was logged; SQLITE_OK when all is well */
    int64_t failing_since;
    int64_t forget_at;        /* when what was deleted is taken out of the WAL at the latest */
    uint64_t malformed;       /* as many were logged */
    struct metric_line *took; /* how long transactions take */
    bool gave_up;
    atomic_uint_fast64_t turns;
};

static void report(struct writer *w, int rc)
{
    const char *path = outbox_path(w->outbox);
    rc &= SQLITE_FILE_PRIMARY;
    if (rc == w->failing)
        return;
    if (w->failing == SQLITE_OK)
        w->failing_since = clock_mono(&w->clock);
    if (rc != SQLITE_OK)
        log_line(LOG_LEVEL_ERROR, "%s: cannot write: %s; trying again", path, sqlite3_errstr(rc));
    else
        log_line(LOG_LEVEL_WARNING, "%s: writing again after %" PRId64 " s", path,
                 (clock_mono(&w->clock) - w->failing_since) / 1000000);
    w->failing = rc;
}

static void report_malformed(struct writer *w)
{
    uint64_t malformed = outbox_stats(w->outbox).malformed;
    if (malformed != w->malformed)
        log_line(LOG_LEVEL_ERROR, "%s: %" PRIu64 " facts left out that could not be rendered",
                 outbox_path(w->outbox), malformed - w->malformed);
    w->malformed = malformed;
}

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* Commits the group, however long it takes. With the ring closed only so many tries are left. */
static void commit(struct writer *w)
{
    int delay = RETRY_MS_MIN;
    int last_tries = 0;
    for (;;) {
        atomic_fetch_add(&w->turns, 1);
        int64_t begin = clock_mono(&w->clock);
        int rc = outbox_commit(w->outbox, buf_slice(&w->group));
        metrics_observe(w->took, clock_mono(&w->clock) - begin);
        report(w, rc);
        if (rc == SQLITE_OK)
            break;
        if (ring_closed(w->ring) && ++last_tries == LAST_TRIES) {
            w->gave_up = true;
            return;
        }
        pause_ms(delay);
        delay = delay * 2 < RETRY_MS_MAX ? delay * 2 : RETRY_MS_MAX;
    }
    buf_clear(&w->group);
    report_malformed(w);
}

/* Moves one record from the ring to the group. False when it must wait for the next group. */
static bool take(struct writer *w, struct slice record)
{
    if (!buf_put_slice(&w->group, record)) {
        w->group.failed = false;
        if (w->group.n > 0)
            return false;
        log_line(LOG_LEVEL_ERROR, "%s: a batch of %zu bytes is too large and lost",
                 outbox_path(w->outbox), record.n);
        ring_refuse(w->ring);
    }
    ring_pop(w->ring);
    return true;
}

/* Collects what is there, the first record included. */
static void collect(struct writer *w, struct slice record)
{
    int64_t until = clock_mono(&w->clock) + GROUP_US;
    while (take(w, record) && w->group.n < GROUP_BYTES && clock_mono(&w->clock) < until &&
           ring_peek(w->ring, 0, &record))
        ;
}

static void forget(struct writer *w)
{
    bool gone = outbox_forget(w->outbox);
    w->forget_at = clock_mono(&w->clock) + (gone ? FORGET_US : FORGET_AGAIN_US);
}

/* Nothing came for a while: time to delete rows. Returns how long to wait for the next record. */
static int tidy(struct writer *w)
{
    bool more = false;
    report(w, outbox_tidy(w->outbox, &more));
    if (more)
        return 0;
    forget(w);
    return IDLE_MS;
}

static void *run(void *arg)
{
    struct writer *w = arg;
    int timeout = IDLE_MS;
    while (!w->gave_up) {
        struct slice record;
        atomic_fetch_add(&w->turns, 1);
        bool closed = ring_closed(w->ring);
        if (ring_peek(w->ring, timeout, &record)) {
            collect(w, record);
            commit(w);
            if (clock_mono(&w->clock) >= w->forget_at)
                forget(w);
            timeout = IDLE_MS;
        } else if (closed) {
            break;
        } else {
            timeout = tidy(w);
        }
    }
    outbox_close(w->outbox);
    return NULL;
}

struct writer *writer_start(struct outbox *o, struct ring *ring, const struct clock *clock)
{
    struct writer *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->outbox = o;
    w->ring = ring;
    w->clock = *clock;
    w->took = metrics_line(METRIC_COMMIT, "outbox", NULL);
    w->forget_at = clock_mono(clock) + FORGET_US;
    w->group = buf_new(GROUP_BYTES_MAX);
    /* Had from the start, so that memory that is short later costs no batch. */
    bool room = buf_reserve(&w->group, GROUP_BYTES_MAX);
    if (!room || pthread_create(&w->thread, NULL, run, w) != 0) {
        buf_free(&w->group);
        free(w);
        return NULL;
    }
    return w;
}

uint64_t writer_turns(struct writer *w)
{
    return atomic_load(&w->turns);
}

int writer_stop(struct writer *w)
{
    if (!w)
        return 0;
    assert(ring_closed(w->ring));
    pthread_join(w->thread, NULL);
    bool lost = w->gave_up;
    if (lost)
        log_line(LOG_LEVEL_ERROR, "%s: gave up; %zu bytes of facts and state are lost",
                 outbox_path(w->outbox), w->group.n + ring_bytes(w->ring));
    buf_free(&w->group);
    free(w);
    return lost ? -1 : 0;
}
