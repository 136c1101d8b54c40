/* SPDX-License-Identifier: MIT */
#include "collector/state/saved.h"

struct saved_list saved_list_new(void)
{
    return (struct saved_list){.gone = buf_new(SAVED_GONE_BYTES_MAX)};
}

void saved_list_free(struct saved_list *list)
{
    buf_free(&list->gone);
}

void saved_touch(struct saved *s)
{
    if (!s->list || s->dirty)
        return;
    s->dirty = true;
    s->previous = NULL;
    s->next = s->list->first;
    if (s->next)
        s->next->previous = s;
    s->list->first = s;
}

static void unlink_saved(struct saved *s)
{
    if (!s->dirty)
        return;
    if (s->previous)
        s->previous->next = s->next;
    else
        s->list->first = s->next;
    if (s->next)
        s->next->previous = s->previous;
    s->dirty = false;
}

void saved_end(struct saved *s, struct slice kind, struct slice key)
{
    if (!s->list)
        return;
    unlink_saved(s);
    if (!s->stored)
        return;
    struct buf *gone = &s->list->gone;
    if (!buf_reserve(gone, kind.n + key.n + 1)) {
        gone->failed = false;
        s->list->lost++;
        return;
    }
    buf_put_slice(gone, kind);
    buf_put_slice(gone, key);
    buf_put_char(gone, 0);
}

struct saved *saved_take(struct saved_list *list)
{
    struct saved *s = list->first;
    if (!s)
        return NULL;
    unlink_saved(s);
    s->next = list->taken;
    list->taken = s;
    return s;
}

void saved_settle(struct saved_list *list, bool stored)
{
    struct saved *s = list->taken;
    list->taken = NULL;
    while (s) {
        struct saved *next = s->next;
        s->next = NULL;
        if (!stored)
            saved_touch(s);
        s = next;
    }
    if (stored)
        buf_clear(&list->gone);
}
