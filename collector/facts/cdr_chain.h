/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_CHAIN_H
#define COLLECTOR_FACTS_CDR_CHAIN_H

#include "collector/facts/cdr_row.h"

/* The rows of one channel, in the order in which they were begun, and the rows of others that have
 * this channel as party B. Every channel that was seen has a chain until its rows are written. */
struct cdr_chain {
    struct channel *channel;
    struct cdr_row *first;
    struct cdr_row *last;
    struct cdr_row *as_b; /* linked by b_next */
    size_t count;
};

/* A ForkCDR in a loop must not eat the memory: past so many rows a chain appends no more. */
#define CDR_CHAIN_ROWS_MAX 256u

/* A chain with one Single row; sets channel->chain. NULL when memory is short. */
struct cdr_chain *cdr_chain_new(struct channel *channel, int64_t time);

/* Takes back a saved row of the channel, as the last of its chain, which is made when there is
 * none. False when it cannot be held: the row stays the caller's. */
bool cdr_chain_restore(struct channel *channel, struct cdr_row *row);

/* Frees the chain and its rows and forgets it as others' party B. NULL is allowed. */
void cdr_chain_free(struct cdr_chain *chain);

/* Appends a row like model (by default the chain's last). NULL past the bound. */
struct cdr_row *cdr_chain_append(struct cdr_chain *chain, const struct cdr_row *model,
                                 enum cdr_opened why, int64_t start);

/* Each engine message about the channel moves the last event of all its rows. */
void cdr_chain_stamp(struct cdr_chain *chain, int64_t time);

/* Makes a snapshot the row's party B. */
void cdr_chain_set_b(struct cdr_row *row, struct snapshot *b, struct cdr_chain *b_chain);

/* The first row that is Bridged in this bridge, or NULL. */
struct cdr_row *cdr_chain_first_in_bridge(const struct cdr_chain *chain, struct slice bridge);

/* The channel ended unseen: its open rows and those that it is party B of end then. NULL is
 * allowed. */
void cdr_chain_lost(struct cdr_chain *chain, struct unseen_end end);

/* What was answered at this moment was so earlier, while nobody saw it. NULL is allowed. */
void cdr_chain_answered_unseen(struct cdr_chain *chain, int64_t time);

#endif
