/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_TABLE_H
#define COLLECTOR_STATE_TABLE_H

#include "parsers/slice.h"
#include <stdint.h>

/* Open addressing from a key of bytes to a value that holds that key itself. Linear probing over
 * slots of hash and pointer, so that a miss rarely touches a value. */
typedef struct slice (*table_key_of)(const void *value);

struct table_slot {
    uint64_t hash;
    void *value;
};

struct table {
    struct table_slot *slots;
    size_t mask; /* slots - 1; slots are a power of two; NULL slots: 0 */
    size_t count;
    size_t max; /* bound on count; past it table_add refuses */
    uint64_t refused;
    table_key_of key_of;
};

/* An empty table for at most max values; allocates nothing yet. */
struct table table_new(size_t max, table_key_of key_of);

/* Frees the slots; the values are the caller's. */
void table_free(struct table *t);

/* The value with this key, or NULL. */
void *table_find(const struct table *t, struct slice key);

/* Adds a value whose key is not in the table yet. False when the bound is reached or memory is
 * short (counted in refused). */
bool table_add(struct table *t, void *value);

/* Takes out the value with this key, if there. */
void table_remove(struct table *t, struct slice key);

/* Walks all values: *position starts at 0; NULL at the end. The table must not change meanwhile. */
void *table_next(const struct table *t, size_t *position);

/* The table's hash of some bytes. */
uint64_t table_hash(struct slice key);

#endif
