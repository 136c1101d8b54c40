/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_chain.h"

#include "collector/base/memory.h"

#include <stdlib.h>

static void append(struct cdr_chain *chain, struct cdr_row *row)
{
    row->chain = chain;
    if (chain->last)
        chain->last->next = row;
    else
        chain->first = row;
    chain->last = row;
    chain->count++;
}

struct cdr_chain *cdr_chain_new(struct channel *channel, int64_t time)
{
    struct cdr_chain *chain = memory_zeroed(1, sizeof(*chain));
    struct cdr_row *row = chain ? cdr_row_new(channel->now, time) : NULL;
    if (!row) {
        free(chain);
        return NULL;
    }
    chain->channel = channel;
    append(chain, row);
    channel->chain = chain;
    return chain;
}

bool cdr_chain_restore(struct channel *channel, struct cdr_row *row)
{
    struct cdr_chain *chain = channel->chain;
    if (!chain)
        chain = memory_zeroed(1, sizeof(*chain));
    if (!chain || chain->count >= CDR_CHAIN_ROWS_MAX)
        return false;
    chain->channel = channel;
    channel->chain = chain;
    append(chain, row);
    return true;
}

static void forget_b(struct cdr_row *row)
{
    if (!row->b_chain)
        return;
    for (struct cdr_row **p = &row->b_chain->as_b; *p; p = &(*p)->b_next) {
        if (*p == row) {
            *p = row->b_next;
            break;
        }
    }
    row->b_chain = NULL;
    row->b_next = NULL;
}

void cdr_chain_free(struct cdr_chain *chain)
{
    if (!chain)
        return;
    while (chain->as_b)
        forget_b(chain->as_b);
    while (chain->first) {
        struct cdr_row *row = chain->first;
        chain->first = row->next;
        forget_b(row);
        cdr_row_free(row);
    }
    chain->channel->chain = NULL;
    free(chain);
}

struct cdr_row *cdr_chain_append(struct cdr_chain *chain, const struct cdr_row *model,
                                 enum cdr_opened why, int64_t start)
{
    if (chain->count >= CDR_CHAIN_ROWS_MAX)
        return NULL;
    struct cdr_row *row = cdr_row_append(model ? model : chain->last, start);
    if (!row)
        return NULL;
    row->opened = why;
    append(chain, row);
    return row;
}

void cdr_chain_stamp(struct cdr_chain *chain, int64_t time)
{
    for (struct cdr_row *row = chain->first; row; row = row->next)
        row->last_event = time;
    saved_touch(&chain->channel->saved);
}

void cdr_chain_set_b(struct cdr_row *row, struct snapshot *b, struct cdr_chain *b_chain)
{
    snapshot_set(&row->b, b);
    cdr_row_is_open(row);
    if (row->b_chain == b_chain)
        return;
    forget_b(row);
    row->b_chain = b_chain;
    if (b_chain) {
        row->b_next = b_chain->as_b;
        b_chain->as_b = row;
    }
}

struct cdr_row *cdr_chain_first_in_bridge(const struct cdr_chain *chain, struct slice bridge)
{
    struct cdr_row *row = chain->first;
    while (row && !cdr_row_in_bridge(row, bridge))
        row = row->next;
    return row;
}

static void lose(struct cdr_row *row, struct unseen_end end)
{
    if (row->end)
        return;
    row->chain->channel->blind = true;
    row->end_latest = end.latest;
    if (row->last_event < end.earliest)
        row->last_event = end.earliest;
}

void cdr_chain_lost(struct cdr_chain *chain, struct unseen_end end)
{
    if (!chain)
        return;
    for (struct cdr_row *row = chain->first; row; row = row->next)
        lose(row, end);
    for (struct cdr_row *row = chain->as_b; row; row = row->b_next)
        lose(row, end);
}

void cdr_chain_answered_unseen(struct cdr_chain *chain, int64_t time)
{
    for (struct cdr_row *row = chain ? chain->first : NULL; row; row = row->next) {
        if (row->answer && row->answer >= time)
            row->flags |= CDR_ANSWERED_UNSEEN;
    }
}
