/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_OUTBOX_H
#define COLLECTOR_OUTBOX_OUTBOX_H

#include "collector/facts/batch.h"
#include "collector/facts/fact.h"
#include "collector/facts/privacy.h"
#include "collector/outbox/limits.h"

/* The outbox file: facts on their way to the sinks, each sink's cursor, and the live calls' state.
 * The writer thread (writer.h) alone writes; sinks wait here for commits, read rows through readers
 * of their own (outbox_reader.h) and say how far they are, so that rows nobody needs are deleted.
 * A fact is committed together with the live state it left behind, or not at all. It is masked and
 * rendered before it is written, once for each differing policy of the sinks; the live state alone
 * is in clear. */
struct outbox;

#define OUTBOX_SINKS_MAX 8

struct outbox_options {
    const char *path;
    int pages_max; /* bound of the file in SQLite pages; 0: the disk */
};

struct outbox_stats {
    uint64_t facts;        /* committed since the start */
    uint64_t malformed;    /* left out: not a fact, or past its bound as JSON */
    uint64_t transactions; /* committed */
    uint64_t failures;     /* transactions that failed and were tried again */
    uint64_t backlog;      /* rows in the file */
    uint64_t wal_bytes;    /* in use after the last commit */
};

/* Opens or makes the file. NULL with one line in error (sqlite_file_open). */
struct outbox *outbox_open(const struct outbox_options *options, char *error, size_t error_size);

/* Deletes what every sink has passed, moves the WAL into the file and closes it. The writer and all
 * readers must have ended before. NULL is allowed. */
void outbox_free(struct outbox *o);

/* The file's path and its own random name, which a sink keeps beside a cursor of its own: another
 * name is another outbox. Both live as long as the outbox. */
const char *outbox_path(const struct outbox *o);
const char *outbox_name(const struct outbox *o);

/* 64 hex digits that only this file knows, a key for what must be stable but not guessed. */
struct slice outbox_secret(const struct outbox *o);

/* Hands out a PBX's saved live state, in order of entity; body is what was put, borrowed during the
 * call. Before the writer starts. 0, or -1 with one line in outbox_error. */
typedef void outbox_state_fn(void *ctx, struct slice entity, struct slice body);
int outbox_load_state(struct outbox *o, struct slice pbx, outbox_state_fn *fn, void *ctx);
/* The last error, "PATH: reason". */
const char *outbox_error(const struct outbox *o);

/* Registers a sink before the writer starts; name and policy (NULL: all in clear) live as long as
 * the outbox, and the policy is the writer's from then on. Rows stay until all registered sinks
 * have passed them; with no sink at all they stay for ever. What waits for the sink from before
 * keeps the rendering that it had then. Returns its number, or -1 with one line in outbox_error:
 * there are OUTBOX_SINKS_MAX, or the file cannot be read or written, e.g. while another process has
 * it. */
int outbox_add_sink(struct outbox *o, const char *name, struct privacy *policy);

/* The sink's cursor: it needs nothing up to and including this seq. At first the one saved in the
 * file, 0 when there is none. */
uint64_t outbox_cursor_get(struct outbox *o, int sink);

/* Moves the cursor. Any thread. Saved by the writer with its next transaction, or within about a
 * second. */
void outbox_cursor_set(struct outbox *o, int sink, uint64_t seq);

/* Bounds what may wait for this sink, before the writer starts; one sink's rows may be bounded.
 * Only rows that every other sink has passed are given up. 0, or -1 with one line in outbox_error.
 */
int outbox_limit(struct outbox *o, int sink, const struct limits_bounds *bounds);

/* What the sink has taken up to here is not given up any more, though its cursor is not there yet.
 * Any thread. */
void outbox_hold(struct outbox *o, int sink, uint64_t seq);

/* How much was given up since it was last asked, once no more is to go for now; false when nothing
 * was. Any thread. */
bool outbox_take_given_up(struct outbox *o, struct given_up *ret);

/* What was given up of this PBX's records, also by an earlier process, and no committed gap with
 * the reason kafka_backlog tells of; once no more is to go for now. False when there is nothing.
 * Any thread; never waits for the disk. */
bool outbox_untold(struct outbox *o, const char *pbx, struct untold_span *ret);

/* How many rows wait for the sink; while it is behind the others, exactly. Any thread. */
uint64_t outbox_waiting(struct outbox *o, int sink);

/* The seq of the newest committed fact. Any thread. */
uint64_t outbox_committed(struct outbox *o);

/* A sink's thread: waits until a fact past seen is committed, the sink is woken, or timeout_ms
 * passed. Returns the newest committed seq. */
uint64_t outbox_wait(struct outbox *o, int sink, uint64_t seen, int timeout_ms);

/* Ends the sink's outbox_wait, or its next one when none is under way. Any thread. */
void outbox_wake(struct outbox *o, int sink);

/* Nothing more will be committed: the writer has ended. Wakes every sink. */
void outbox_close(struct outbox *o);
bool outbox_closed(struct outbox *o);

/* Writer: commits a batch (batch.h), one or several put together, in one transaction; with it go
 * the cursors that moved and a slice of the rows that nobody needs, or that are given up. An SQLite
 * result code; when it is not SQLITE_OK nothing was changed and the same batch may be tried again.
 */
int outbox_commit(struct outbox *o, struct slice batch);

/* Writer, when idle: notices rows of another process (outbox_guest.h), saves cursors and deletes a
 * slice of rows, if there is any to do. An SQLite result code; ret_more says whether there is more
 * to delete or to give up. */
int outbox_tidy(struct outbox *o, bool *ret_more);

/* Writer, now and then: empties the WAL, in which the state of calls that have ended still stands.
 * False when a reader kept it from that. */
bool outbox_forget(struct outbox *o);

/* Any thread. */
struct outbox_stats outbox_stats(struct outbox *o);

#endif
