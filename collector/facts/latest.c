/* SPDX-License-Identifier: MIT */
#include "collector/facts/latest.h"

#include "collector/facts/batch.h"
#include "collector/facts/fact.h"
#include "collector/state/table.h"
#include <stdlib.h>

#define SUBJECTS_MAX 200000
#define KEY_MAX      1024

struct held {
    struct held *next; /* in the order of first loss */
    char *batch;       /* of this subject's last item alone; NULL: it was lost */
    size_t batch_n, key_n;
    char key[];
};

struct latest {
    struct table subjects;
    struct held *first, **last;
    size_t bytes, bytes_max;
    uint64_t lost;
    struct buf item, key; /* scratch */
};

static struct slice key_of(const void *value)
{
    const struct held *h = value;
    return (struct slice){h->key, h->key_n};
}

struct latest *latest_new(size_t bytes_max)
{
    struct latest *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->subjects = table_new(SUBJECTS_MAX, key_of);
    l->last = &l->first;
    l->bytes_max = bytes_max;
    l->item = buf_new(bytes_max);
    l->key = buf_new(KEY_MAX);
    return l;
}

void latest_free(struct latest *l)
{
    if (!l)
        return;
    latest_clear(l);
    table_free(&l->subjects);
    buf_free(&l->item);
    buf_free(&l->key);
    free(l);
}

void latest_clear(struct latest *l)
{
    while (l->first) {
        struct held *h = l->first;
        l->first = h->next;
        free(h->batch);
        free(h);
    }
    table_free(&l->subjects);
    l->last = &l->first;
    l->bytes = 0;
}

bool latest_is_empty(const struct latest *l)
{
    return !l->first;
}

uint64_t latest_lost(const struct latest *l)
{
    return l->lost;
}

static void put_key(struct buf *key, char kind, struct slice pbx, struct slice subject)
{
    buf_clear(key);
    buf_put_char(key, kind);
    buf_put_slice(key, pbx);
    buf_put_char(key, '\0');
    buf_put_slice(key, subject);
}

/* The subject of an item into key. False where only the item itself would tell what was lost. */
static bool find_key(struct buf *key, const struct batch_item *item)
{
    struct fact_head head;
    if (item->kind == BATCH_NOTE) {
        put_key(key, 'n', item->pbx, item->entity);
        return true;
    }
    if (item->kind != BATCH_FACT || !fact_read_head(item->body, &head))
        return false;
    if (head.kind == FACT_TAP_CONNECTED || head.kind == FACT_TAP_DISCONNECTED)
        put_key(key, 't', head.pbx, head.subject);
    else if (fact_kind_info(head.kind)->state)
        put_key(key, (char)('A' + head.kind), head.pbx, head.subject);
    else
        return false;
    return true;
}

/* The subject's place; a new one at the end. NULL when there is no room for one. */
static struct held *held_of(struct latest *l, struct slice key)
{
    struct held *h = table_find(&l->subjects, key);
    if (h || key.n + sizeof(*h) > l->bytes_max - l->bytes)
        return h;
    h = calloc(1, sizeof(*h) + key.n);
    if (!h)
        return NULL;
    h->key_n = key.n;
    memcpy(h->key, key.p, key.n);
    if (!table_add(&l->subjects, h)) {
        free(h);
        return NULL;
    }
    *l->last = h;
    l->last = &h->next;
    l->bytes += sizeof(*h) + key.n;
    return h;
}

static bool hold(struct latest *l, struct held *h, struct slice batch)
{
    l->bytes -= h->batch_n;
    h->batch_n = 0;
    free(h->batch);
    h->batch = batch.n <= l->bytes_max - l->bytes ? malloc(batch.n) : NULL;
    if (!h->batch)
        return false;
    memcpy(h->batch, batch.p, batch.n);
    h->batch_n = batch.n;
    l->bytes += batch.n;
    return true;
}

static void take(struct latest *l, const struct batch_item *item)
{
    if (!find_key(&l->key, item))
        return;
    struct held *h = l->key.failed ? NULL : held_of(l, buf_slice(&l->key));
    buf_clear(&l->item);
    if (!h || !batch_put(&l->item, item) || !hold(l, h, buf_slice(&l->item)))
        l->lost++;
}

void latest_take(struct latest *l, struct slice batch)
{
    size_t offset = 0;
    struct batch_item item;
    while (batch_next(batch, &offset, &item))
        take(l, &item);
}

bool latest_put(const struct latest *l, struct buf *batch)
{
    for (const struct held *h = l->first; h; h = h->next) {
        if (!buf_put(batch, h->batch, h->batch_n))
            return false;
    }
    return true;
}
