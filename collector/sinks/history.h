/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_HISTORY_H
#define COLLECTOR_SINKS_HISTORY_H

#include "collector/base/clock.h"
#include "collector/config/config.h"
#include "collector/outbox/outbox.h"

/* The history sink: copies committed records from the outbox into its own file's tables, rows and
 * its cursor in one transaction. Every table can be read by others while it runs. */
struct history;

struct history_stats {
    uint64_t rows;      /* records read from the outbox since the start */
    uint64_t refused;   /* of these, gone to dead_letters */
    uint64_t expired;   /* rows deleted for their age */
    uint64_t failures;  /* transactions that failed and were tried again */
    uint64_t wal_bytes; /* in use after the last commit */
    uint64_t lag;       /* records committed to the outbox and not yet copied */
};

struct history_options {
    const char *path;
    struct outbox *outbox;
    const struct clock *clock;
    struct privacy *policy; /* NULL: in clear; outlives the outbox's writer */
    const struct config_section
        *section; /* the store's, for how long rows are kept; NULL: for ever */
};

/* Opens or makes the file and registers with the outbox as a sink; before the writer starts. What
 * the options point to outlives the sink. NULL with one line in error. */
struct history *history_open(const struct history_options *options, char *error, size_t error_size);

/* Copies what is committed now and not yet copied. 0, or an SQLite result code: what was copied
 * before it stays. Without the thread only. */
int history_catch_up(struct history *h);

/* Starts the thread. 0, or -1. The clock must outlive it. */
int history_start(struct history *h);

/* Lets the thread copy what is committed, for 10 seconds at most, with a disk that keeps failing
 * for about a second, and ends it; closes the file. What was not copied is at the next start. To be
 * called after writer_stop and before outbox_free. NULL is allowed. */
void history_stop(struct history *h);

/* For one other sink's thread: keeps row seq of the outbox in dead_letters, as refused by that sink
 * for this reason, without what the history's privacy policy hides of it. To be asked again until
 * it says true: then it survives power loss. Never waits; the sink's cursor must not pass the row
 * before. After a crash a row may be kept twice. */
bool history_bury(struct history *h, const char *sink, uint64_t seq, const char *reason);

/* Any thread. */
struct history_stats history_stats(struct history *h);

#endif
