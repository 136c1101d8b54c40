/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_DRIFT_H
#define COLLECTOR_FACTS_DRIFT_H

#include "collector/facts/cdr_compare.h"
#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"

/* Where an account sees Cdr events (class cdr, cdr_manager; Asterisk 12 to 23) each is held against
 * the derived row; a difference is a fact of kind drift. A channel's Cdr events come before or
 * after its Hangup, by which our rows are derived; so rows wait for each other, by Uniqueid. Of
 * channels born before the stream was followed nothing is said. */

/* Rows of both sides are there but are not the same: more may come. */
#define DRIFT_SETTLE_US ((int64_t)2 * 1000000)
/* Rows of one side alone: cdr.conf's batch mode keeps Cdr events back for 300 s by default. */
#define DRIFT_HOLD_US ((int64_t)330 * 1000000)
/* While no Cdr event has come yet, our rows only wait for the first one. */
#define DRIFT_UNSEEN_US ((int64_t)10 * 1000000)
/* Past these bounds rows are not compared (counted as unpaired). */
#define DRIFT_CHANNELS_MAX 10000u
#define DRIFT_ROWS_MAX     256u

struct drift_row {
    struct drift_row *next;
    struct cdr_record record; /* its texts lie in bytes */
    bool guessed;             /* ours: lastdata is a guess, and the row says so */
    char bytes[];
};

struct drift_rows {
    struct drift_row *first, *last;
    size_t count;
};

/* The rows of one channel that wait for their counterparts. */
struct drift_channel {
    char *uniqueid;
    struct drift_rows ours, theirs;
    int64_t until;
    uint64_t number; /* in the order of coming */
    bool settling;   /* both sides have rows */
    bool unasked;    /* ours alone, from before the first Cdr event */
    bool blind;      /* ours are inferred: nothing is to be said of them */
    bool touched;
    struct drift_channel *next_touched;
    struct drift_channel *next, *previous;
    struct saved saved;
};

struct drift_list {
    struct drift_channel *first, *last;
};

struct drift_counters {
    uint64_t compared; /* Cdr events that had a row of ours */
    uint64_t differing;
    uint64_t missing;  /* Cdr events without a row of ours */
    uint64_t extra;    /* rows of ours without a Cdr event */
    uint64_t unpaired; /* not compared: the stream broke, or a bound was reached */
};

struct drift {
    struct emitter *emit;
    struct table by_uniqueid;
    struct drift_list lone, settling; /* in the order of their deadlines */
    struct drift_channel *touched;
    struct saved saved;
    bool rounds;   /* initiatedseconds */
    int64_t since; /* the stream is followed from here on; 0: no event yet */
    bool sees;     /* a Cdr event has come since then */
    bool zone_known;
    int64_t zone; /* of the PBX's clock, seconds before UTC's */
    uint64_t number;
    struct drift_counters counters;
};

/* Nothing waits. emit and saved are borrowed. */
struct drift drift_new(struct emitter *emit, bool rounds);
/* Frees what waits; tells nothing. */
void drift_free(struct drift *d);

/* The stream begins, or begins anew: what waits will not be completed. */
void drift_begin(struct drift *d);
/* An event came, at emit->now: what waited too long is told as it is. */
void drift_expire(struct drift *d);

/* A fact of kind cdr was derived. Copies what it needs. */
void drift_derived(struct drift *d, struct slice fact);
/* A Cdr event. Copies what it needs. */
void drift_cdr(struct drift *d, const struct ami_message *m);
/* The event at hand is done: channels whose rows are complete are compared. */
void drift_tell(struct drift *d);

/* When the channel of this Uniqueid was born, by its epoch second, in microseconds; false when it
 * has none. */
bool drift_born(struct slice uniqueid, int64_t *ret_us);
/* Whether it was born before the stream was followed. */
bool drift_is_older(const struct drift *d, struct slice uniqueid);

/* A channel's rows as JSON, and back: what they are stored under is "drift/<Uniqueid>". False when
 * the body is not as it was written. d->saved is stored under "drift". */
void drift_channel_json(const struct drift_channel *c, struct json_out *j);
bool drift_channel_restore(struct drift *d, struct slice uniqueid, struct slice body);
void drift_json(const struct drift *d, struct json_out *j);
bool drift_restore(struct drift *d, struct slice body);
/* All was taken back: orders what waits. */
void drift_restored(struct drift *d);

/* The PBX's clock was set: rows are waited for as long as before. */
void drift_clock_set(struct drift *d, int64_t by);

#endif
