/* SPDX-License-Identifier: MIT */
#include "collector/state/table.h"

#include "collector/base/memory.h"

#include <assert.h>
#include <stdlib.h>

#define TABLE_FIRST_SLOTS 64u

struct table table_new(size_t max, table_key_of key_of)
{
    return (struct table){.max = max, .key_of = key_of};
}

void table_free(struct table *t)
{
    free(t->slots);
    *t = table_new(t->max, t->key_of);
}

/* Eight bytes at a time, multiplied and folded. The keys are ids that a PBX made, so resistance to
 * chosen keys is worth less than speed; the probe length is bounded by the load factor. */
uint64_t table_hash(struct slice key)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ key.n;
    while (key.n) {
        uint64_t word = 0;
        size_t n = key.n < 8 ? key.n : 8;
        memcpy(&word, key.p, n);
        h = (h ^ word) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
        key = slice_from_offset(key, n);
    }
    return h;
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t slot_of(const struct table *t, uint64_t hash, struct slice key)
{
    size_t i = hash & t->mask;
    while (t->slots[i].value) {
        if (t->slots[i].hash == hash && slice_equal(t->key_of(t->slots[i].value), key))
            break;
        i = (i + 1) & t->mask;
    }
    return i;
}

void *table_find(const struct table *t, struct slice key)
{
    if (!t->slots)
        return NULL;
    return t->slots[slot_of(t, table_hash(key), key)].value;
}

static void place(struct table *t, uint64_t hash, void *value)
{
    size_t i = hash & t->mask;
    while (t->slots[i].value)
        i = (i + 1) & t->mask;
    t->slots[i] = (struct table_slot){hash, value};
}

static bool grow(struct table *t)
{
    size_t slots = t->slots ? (t->mask + 1) * 2 : TABLE_FIRST_SLOTS;
    struct table bigger = *t;
    bigger.slots = memory_zeroed(slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    bigger.mask = slots - 1;
    for (size_t i = 0; t->slots && i <= t->mask; i++) {
        if (t->slots[i].value)
            place(&bigger, t->slots[i].hash, t->slots[i].value);
    }
    free(t->slots);
    *t = bigger;
    return true;
}

bool table_add(struct table *t, void *value)
{
    bool full = !t->slots || (t->count + 1) * 4 > (t->mask + 1) * 3;
    if (t->count >= t->max || (full && !grow(t))) {
        t->refused++;
        return false;
    }
    struct slice key = t->key_of(value);
    assert(!table_find(t, key));
    place(t, table_hash(key), value);
    t->count++;
    return true;
}

void table_remove(struct table *t, struct slice key)
{
    if (!t->slots)
        return;
    size_t hole = slot_of(t, table_hash(key), key);
    if (!t->slots[hole].value)
        return;
    t->count--;
    /* Close the gap: move back each follower that probed over it. */
    for (size_t i = (hole + 1) & t->mask; t->slots[i].value; i = (i + 1) & t->mask) {
        size_t home = t->slots[i].hash & t->mask;
        if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole].value = NULL;
}

void *table_next(const struct table *t, size_t *position)
{
    while (t->slots && *position <= t->mask) {
        void *value = t->slots[(*position)++].value;
        if (value)
            return value;
    }
    return NULL;
}
