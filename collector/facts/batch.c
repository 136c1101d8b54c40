/* SPDX-License-Identifier: MIT */
#include "collector/facts/batch.h"

#include <assert.h>

struct item_head {
    uint32_t kind;
    uint32_t pbx;
    uint32_t entity;
    uint32_t body;
};

bool batch_put(struct buf *batch, const struct batch_item *item)
{
    struct item_head head = {(uint32_t)item->kind, (uint32_t)item->pbx.n, (uint32_t)item->entity.n,
                             (uint32_t)item->body.n};
    size_t size = sizeof(head) + item->pbx.n + item->entity.n + item->body.n;
    if (!buf_reserve(batch, size))
        return false;
    buf_put(batch, &head, sizeof(head));
    buf_put_slice(batch, item->pbx);
    buf_put_slice(batch, item->entity);
    buf_put_slice(batch, item->body);
    return true;
}

static struct slice take(struct slice batch, size_t *offset, size_t n)
{
    assert(n <= batch.n - *offset);
    struct slice s = {batch.p + *offset, n};
    *offset += n;
    return s;
}

bool batch_next(struct slice batch, size_t *offset, struct batch_item *ret_item)
{
    if (*offset >= batch.n)
        return false;
    struct item_head head;
    memcpy(&head, take(batch, offset, sizeof(head)).p, sizeof(head));
    ret_item->kind = (enum batch_item_kind)head.kind;
    ret_item->pbx = take(batch, offset, head.pbx);
    ret_item->entity = take(batch, offset, head.entity);
    ret_item->body = take(batch, offset, head.body);
    return true;
}
