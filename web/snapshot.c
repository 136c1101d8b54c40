/* SPDX-License-Identifier: MIT */
#include "web/snapshot.h"

#include <pthread.h>

/* An unchanged state is rendered again after this long, because it says what time it is. */
#define FRESH_MS 100

struct held {
    struct snapshot snapshot; /* first: a snapshot's address is its held's */
    unsigned refs;
    int64_t made_ms;
};

struct snapshots {
    const struct web_source *source;
    pthread_mutex_t lock;
    struct held *last; /* holds one reference */
    uint64_t rendered;
    size_t bytes;
};

struct snapshots *snapshots_new(const struct web_source *source)
{
    struct snapshots *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->source = source;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void unref(struct snapshots *s, struct held *held)
{
    if (!held || --held->refs > 0)
        return;
    s->bytes -= held->snapshot.text.size;
    free(held->snapshot.text.p);
    free(held);
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    unref(s, s->last);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct held *render(struct snapshots *s, int64_t now_ms)
{
    struct held *held = calloc(1, sizeof(*held));
    if (!held)
        return NULL;
    const struct web_scope everything = {NULL};
    struct snapshot *snapshot = &held->snapshot;
    if (!s->source->snapshot(s->source->ctx, &everything, &snapshot->text, &snapshot->seq)) {
        free(snapshot->text.p);
        free(held);
        return NULL;
    }
    held->refs = 1;
    held->made_ms = now_ms;
    s->rendered++;
    s->bytes += snapshot->text.size;
    return held;
}

const struct snapshot *snapshots_get(struct snapshots *s, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    struct held *last = s->last;
    bool fresh = last && now_ms - last->made_ms < FRESH_MS &&
                 last->snapshot.seq == s->source->newest(s->source->ctx);
    if (!fresh) {
        unref(s, last);
        s->last = render(s, now_ms);
    }
    struct held *held = s->last;
    if (held)
        held->refs++;
    pthread_mutex_unlock(&s->lock);
    return held ? &held->snapshot : NULL;
}

void snapshots_put(struct snapshots *s, const struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    pthread_mutex_lock(&s->lock);
    unref(s, (struct held *)(uintptr_t)snapshot);
    pthread_mutex_unlock(&s->lock);
}

void snapshots_stats(struct snapshots *s, uint64_t *ret_rendered, size_t *ret_bytes)
{
    pthread_mutex_lock(&s->lock);
    *ret_rendered = s->rendered;
    *ret_bytes = s->bytes;
    pthread_mutex_unlock(&s->lock);
}
