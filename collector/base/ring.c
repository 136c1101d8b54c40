/* SPDX-License-Identifier: MIT */
#include "collector/base/ring.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* A record is its length and its bytes, rounded up to whole words and never broken at the end of
 * the memory: where it would not fit, SKIP stands for its length and the record goes to the front.
 * Positions change under the lock; bytes are copied outside it, since what lies between head and
 * tail belongs to one side alone. */
#define WORD sizeof(uint64_t)
#define SKIP UINT64_MAX

struct ring {
    char *bytes;
    size_t size;
    size_t head; /* where the writer goes on */
    size_t tail; /* where the reader goes on */
    size_t used; /* bytes between them, skipped ones included */
    bool closed;
    uint64_t refused;
    pthread_mutex_t lock;
    pthread_cond_t filled;
};

static uint64_t length_at(const struct ring *r, size_t at)
{
    uint64_t n = 0;
    memcpy(&n, r->bytes + at, sizeof n);
    return n;
}

static void set_length_at(struct ring *r, size_t at, uint64_t n)
{
    memcpy(r->bytes + at, &n, sizeof n);
}

static size_t record_size(uint64_t n)
{
    return WORD + (((size_t)n + WORD - 1) & ~(WORD - 1));
}

static bool init_locks(struct ring *r)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) {
        return false;
    }
    bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&r->filled, &attr) == 0;
    pthread_condattr_destroy(&attr);
    if (ok && pthread_mutex_init(&r->lock, NULL) != 0) {
        pthread_cond_destroy(&r->filled);
        ok = false;
    }
    return ok;
}

struct ring *ring_new(size_t max)
{
    size_t size = max < 8 * WORD ? 8 * WORD : max & ~(WORD - 1);
    struct ring *r = calloc(1, sizeof *r);
    char *bytes = malloc(size);
    if (!r || !bytes || !init_locks(r)) {
        free(bytes);
        free(r);
        return NULL;
    }
    r->bytes = bytes;
    r->size = size;
    return r;
}

void ring_free(struct ring *r)
{
    if (!r) {
        return;
    }
    pthread_cond_destroy(&r->filled);
    pthread_mutex_destroy(&r->lock);
    free(r->bytes);
    free(r);
}

/* Where the one goes on that stood at this place and took n bytes, which do not reach past the end.
 */
static size_t place_after(const struct ring *r, size_t at, size_t n)
{
    return at + n == r->size ? 0 : at + n;
}

/* Where a record of n bytes goes, after *ret_skip bytes at the end that are left out. False when
 * it does not fit. */
static bool find_room(struct ring *r, size_t n, size_t *ret_skip)
{
    if (n > r->size) {
        return false;
    }
    if (r->used == 0) {
        r->head = r->tail = 0;
    }
    size_t need = record_size(n);
    size_t skip = need > r->size - r->head ? r->size - r->head : 0;
    *ret_skip = skip;
    return skip + need <= r->size - r->used;
}

bool ring_push(struct ring *r, struct slice record)
{
    size_t skip = 0;
    pthread_mutex_lock(&r->lock);
    bool fits = !r->closed && find_room(r, record.n, &skip);
    if (!fits) {
        r->refused++;
    }
    size_t head = r->head;
    pthread_mutex_unlock(&r->lock);
    if (!fits) {
        return false;
    }
    if (skip) {
        set_length_at(r, head, SKIP);
        head = 0;
    }
    set_length_at(r, head, record.n);
    if (record.n) {
        memcpy(r->bytes + head + WORD, record.p, record.n);
    }
    size_t need = record_size(record.n);
    pthread_mutex_lock(&r->lock);
    r->head = place_after(r, head, need);
    r->used += skip + need;
    pthread_cond_signal(&r->filled);
    pthread_mutex_unlock(&r->lock);
    return true;
}

void ring_refuse(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->refused++;
    pthread_mutex_unlock(&r->lock);
}

void ring_close(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->closed = true;
    pthread_cond_broadcast(&r->filled);
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held: waits until there is something to read. */
static bool wait_filled(struct ring *r, int timeout_ms)
{
    struct timespec until = {0};
    if (timeout_ms > 0) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + (int64_t)(timeout_ms % 1000) * 1000000;
        until.tv_sec += timeout_ms / 1000 + ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
    }
    int rc = 0;
    while (r->used == 0 && !r->closed && timeout_ms != 0 && rc != ETIMEDOUT) {
        rc = timeout_ms < 0 ? pthread_cond_wait(&r->filled, &r->lock)
                            : pthread_cond_timedwait(&r->filled, &r->lock, &until);
    }
    return r->used > 0;
}

bool ring_peek(struct ring *r, int timeout_ms, struct slice *ret_record)
{
    pthread_mutex_lock(&r->lock);
    bool filled = wait_filled(r, timeout_ms);
    if (filled) {
        uint64_t n = length_at(r, r->tail);
        if (n == SKIP) {
            r->used -= r->size - r->tail;
            r->tail = 0;
            n = length_at(r, 0);
        }
        *ret_record = (struct slice){r->bytes + r->tail + WORD, (size_t)n};
    }
    pthread_mutex_unlock(&r->lock);
    return filled;
}

void ring_pop(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    assert(r->used > 0 && length_at(r, r->tail) != SKIP);
    size_t need = record_size(length_at(r, r->tail));
    r->tail = place_after(r, r->tail, need);
    r->used -= need;
    pthread_mutex_unlock(&r->lock);
}

bool ring_closed(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    bool closed = r->closed;
    pthread_mutex_unlock(&r->lock);
    return closed;
}

size_t ring_bytes(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    size_t used = r->used;
    pthread_mutex_unlock(&r->lock);
    return used;
}

size_t ring_max(const struct ring *r)
{
    return r->size;
}

uint64_t ring_refused(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t refused = r->refused;
    pthread_mutex_unlock(&r->lock);
    return refused;
}
