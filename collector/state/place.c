/* SPDX-License-Identifier: MIT */
#include "collector/state/place.h"

#include "collector/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 512u

/* The texts of one place, packed behind the head: key, extension, application, data. */
struct place {
    size_t key, context, exten, application, data;
    int priority;
    char bytes[];
};

static struct slice place_key_of(const void *value)
{
    const struct place *p = value;
    return (struct slice){p->bytes, p->key};
}

static struct slice place_exten(const struct place *p)
{
    return (struct slice){p->bytes + p->context, p->exten};
}

static struct slice place_application(const struct place *p)
{
    return (struct slice){p->bytes + p->key, p->application};
}

static struct slice place_data(const struct place *p)
{
    return (struct slice){p->bytes + p->key + p->application, p->data};
}

struct place_memory place_memory_new(void)
{
    return (struct place_memory){table_new(PLACES_MAX, place_key_of)};
}

void place_memory_free(struct place_memory *memory)
{
    size_t position = 0;
    void *value;
    while ((value = table_next(&memory->places, &position)))
        free(value);
    table_free(&memory->places);
}

/* "context" NUL "exten" NUL priority; false when it is longer than any real place. */
static bool write_key(const struct place_key *key, char text[KEY_MAX], size_t *ret_n)
{
    if (key->context.n + key->exten.n + 16 > KEY_MAX)
        return false;
    size_t n = 0;
    memcpy(text, key->context.p, key->context.n);
    n += key->context.n;
    text[n++] = 0;
    if (key->exten.n)
        memcpy(text + n, key->exten.p, key->exten.n);
    n += key->exten.n;
    text[n++] = 0;
    n += (size_t)snprintf(text + n, KEY_MAX - n, "%d", key->priority);
    *ret_n = n;
    return true;
}

static struct place *place_new(const struct place_key *key, struct slice text,
                               struct slice application, struct slice data)
{
    struct place *p = memory_bytes(sizeof(*p) + text.n + application.n + data.n);
    if (!p)
        return NULL;
    *p = (struct place){text.n, key->context.n + 1, key->exten.n, application.n,
                        data.n, key->priority};
    memcpy(p->bytes, text.p, text.n);
    memcpy(p->bytes + text.n, application.p, application.n);
    if (data.n)
        memcpy(p->bytes + text.n + application.n, data.p, data.n);
    return p;
}

void place_memory_put(struct place_memory *memory, const struct place_key *key,
                      struct slice application, struct slice data)
{
    char bytes[KEY_MAX];
    struct slice text = {bytes, 0};
    if (!application.n || !key->context.n || !write_key(key, bytes, &text.n))
        return;
    struct place *held = table_find(&memory->places, text);
    if (held && slice_equal(place_application(held), application) &&
        slice_equal(place_data(held), data))
        return;
    struct place *p = place_new(key, text, application, data);
    if (!p)
        return;
    if (held) {
        table_remove(&memory->places, text);
        free(held);
    }
    if (!table_add(&memory->places, p))
        free(p);
}

/* data with each occurrence of one extension replaced by another; false when there was none, or no
 * room. */
static bool replace(struct slice data, struct slice from, struct slice with, struct buf *to)
{
    bool replaced = false;
    buf_clear(to);
    while (data.n) {
        bool here = from.n && slice_starts(data, from);
        buf_put_slice(to, here ? with : slice_head(data, 1));
        data = slice_from_offset(data, here ? from.n : 1);
        replaced |= here;
    }
    return replaced && !to->failed;
}

/* Another extension at the same context and priority runs this application. */
static bool is_sibling(const struct place *p, const struct place_key *key, struct slice application)
{
    struct slice context = {p->bytes, p->context - 1};
    return p->priority == key->priority && slice_equal(context, key->context) &&
           slice_equal(place_application(p), application);
}

enum place_found place_memory_data(const struct place_memory *memory, const struct place_key *key,
                                   struct slice application, struct buf *to)
{
    char bytes[KEY_MAX];
    struct slice text = {bytes, 0};
    buf_clear(to);
    if (!write_key(key, bytes, &text.n))
        return PLACE_UNKNOWN;
    const struct place *exact = table_find(&memory->places, text);
    if (exact && slice_equal(place_application(exact), application))
        return buf_put_slice(to, place_data(exact)) ? PLACE_SEEN : PLACE_UNKNOWN;
    const struct place *p;
    size_t position = 0;
    while ((p = table_next(&memory->places, &position))) {
        if (is_sibling(p, key, application) &&
            replace(place_data(p), place_exten(p), key->exten, to))
            return PLACE_SIBLING;
    }
    return PLACE_UNKNOWN;
}
