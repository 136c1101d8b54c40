/* SPDX-License-Identifier: MIT */
#include "collector/state/snapshot.h"

#include "collector/base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct snapshot {
    unsigned refs;
    int priority;
    int state;
    int cause;
    unsigned flags;
    enum snapshot_ama ama;
    uint16_t start[SNAPSHOT_TEXTS + 1]; /* where each text begins in bytes; the next is its end */
    char bytes[];
};

struct snapshot *snapshot_new(const struct snapshot_values *values)
{
    size_t size = 0;
    for (int i = 0; i < SNAPSHOT_TEXTS; i++)
        size += slice_head(values->text[i], SNAPSHOT_TEXT_MAX).n;
    assert(size <= UINT16_MAX);
    struct snapshot *s = memory_bytes(sizeof(*s) + size);
    if (!s)
        return NULL;
    s->refs = 1;
    s->priority = values->priority;
    s->state = values->state;
    s->cause = values->cause;
    s->flags = values->flags;
    s->ama = values->ama;
    uint16_t at = 0;
    for (int i = 0; i < SNAPSHOT_TEXTS; i++) {
        struct slice text = slice_head(values->text[i], SNAPSHOT_TEXT_MAX);
        s->start[i] = at;
        if (text.n)
            memcpy(s->bytes + at, text.p, text.n);
        at = (uint16_t)(at + text.n);
    }
    s->start[SNAPSHOT_TEXTS] = at;
    return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    s->refs++;
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (s && --s->refs == 0)
        free(s);
}

void snapshot_set(struct snapshot **where, struct snapshot *s)
{
    if (s)
        snapshot_ref(s);
    snapshot_unref(*where);
    *where = s;
}

struct slice snapshot_text(const struct snapshot *s, enum snapshot_text which)
{
    return (struct slice){s->bytes + s->start[which],
                          (size_t)(s->start[which + 1] - s->start[which])};
}

int snapshot_priority(const struct snapshot *s)
{
    return s->priority;
}

int snapshot_state(const struct snapshot *s)
{
    return s->state;
}

int snapshot_cause(const struct snapshot *s)
{
    return s->cause;
}

unsigned snapshot_flags(const struct snapshot *s)
{
    return s->flags;
}

struct snapshot_values snapshot_values(const struct snapshot *s)
{
    struct snapshot_values v = {.priority = s->priority,
                                .state = s->state,
                                .cause = s->cause,
                                .flags = s->flags,
                                .ama = s->ama};
    for (int i = 0; i < SNAPSHOT_TEXTS; i++)
        v.text[i] = snapshot_text(s, (enum snapshot_text)i);
    return v;
}

bool snapshot_equal(const struct snapshot *s, const struct snapshot_values *values)
{
    if (s->priority != values->priority || s->state != values->state || s->cause != values->cause ||
        s->flags != values->flags || s->ama != values->ama)
        return false;
    for (int i = 0; i < SNAPSHOT_TEXTS; i++) {
        struct slice text = slice_head(values->text[i], SNAPSHOT_TEXT_MAX);
        if (!slice_equal(snapshot_text(s, (enum snapshot_text)i), text))
            return false;
    }
    return true;
}

bool snapshot_same_place(const struct snapshot *a, const struct snapshot *b)
{
    return a->priority == b->priority &&
           slice_equal(snapshot_text(a, SNAPSHOT_CONTEXT), snapshot_text(b, SNAPSHOT_CONTEXT)) &&
           slice_equal(snapshot_text(a, SNAPSHOT_EXTEN), snapshot_text(b, SNAPSHOT_EXTEN));
}
