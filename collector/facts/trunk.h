/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_TRUNK_H
#define COLLECTOR_FACTS_TRUNK_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"

/* Trunks: endpoints that bring and take calls with the outside, and what goes over them in each
 * interval of the stream's clock. A call is a channel of the trunk's device. One that is born Ring
 * came in, any other goes out (Asterisk 12 to 23); one that was up before the tap joined is no
 * attempt. */

/* Hang-up causes told apart in one interval; further ones count under cause 0. */
#define TRUNK_CAUSES_MAX 32u
#define TRUNKS_MAX       4096u

struct trunk_failure {
    int64_t cause;
    uint64_t count;
};

/* What went over it since the interval began. */
struct trunk_figures {
    uint64_t attempts_in, attempts_out;
    uint64_t answered;
    uint64_t failed;    /* ended without an answer */
    uint64_t calls_max; /* most at once */
    int64_t used;       /* microseconds, of all its calls together */
    struct trunk_failure failures[TRUNK_CAUSES_MAX];
    size_t causes;
};

struct trunk {
    char *name;      /* the endpoint's, "PJSIP/carrier" */
    bool wanted;     /* configured, or an endpoint of a registration */
    uint64_t calls;  /* up or on their way now */
    int64_t unseen;  /* calls may have gone unseen up to here; 0: not in this interval */
    int64_t start;   /* of the interval */
    int64_t counted; /* up to when used is counted */
    struct trunk_figures figures;
    bool changed;
    struct trunk *next_changed;
    uint64_t told; /* what of it was told last (emit_end_state) */
    struct saved saved;
};

struct trunks {
    struct table by_name;
    struct emitter *emit;
    int64_t interval; /* microseconds */
    int64_t boundary; /* when the present interval ends; 0 before the first event */
    struct trunk *changed;
    struct saved_list *saved; /* NULL: trunks are not saved */
    uint64_t refused;
};

/* None yet. emit is borrowed. Intervals begin at multiples of `interval` microseconds. */
struct trunks trunks_new(struct emitter *emit, int64_t interval);
/* Frees them all; tells nothing. */
void trunks_free(struct trunks *trunks);

/* The trunk of that endpoint, made when it is new. NULL when there is no room. */
struct trunk *trunks_want(struct trunks *trunks, struct slice name);
/* The trunk that a channel of this name belongs to, or NULL. */
struct trunk *trunks_of_channel(const struct trunks *trunks, struct slice channel);

/* The stream's clock: ends intervals that are over. To be called before each event's own effects.
 */
void trunks_time(struct trunks *trunks, int64_t now);

/* A call begins to use the trunk: seen to begin (in or out), or known from a list or a restart. */
enum trunk_call { TRUNK_CALL_IN, TRUNK_CALL_OUT, TRUNK_CALL_KNOWN };
void trunk_begin(struct trunks *trunks, struct trunk *t, enum trunk_call how);
/* It was answered. */
void trunk_answer(struct trunks *trunks, struct trunk *t);
/* It is over. cause is its hang-up cause when it was an attempt that nobody answered, else -1. */
void trunk_end(struct trunks *trunks, struct trunk *t, int64_t cause);

/* Tells the live state of those that changed. */
void trunks_tell(struct trunks *trunks);

/* A trunk that was saved. NULL when there is no room. */
struct trunk *trunks_restore(struct trunks *trunks, struct slice name);
/* All were taken back, and those that are still wanted are said to be: the others end. */
void trunks_drop_unwanted(struct trunks *trunks);
/* A call that was saved goes on to use the trunk. */
void trunk_rejoin(struct trunk *t);
/* All calls have rejoined: tells the trunks. */
void trunks_restored(struct trunks *trunks);

/* The tap was blind until now: what is counted in the intervals up to this one is not all. */
void trunks_blind(struct trunks *trunks);

/* The PBX's clock was set: intervals begin anew by it, with what they have counted. */
void trunks_clock_set(struct trunks *trunks, int64_t by);

#endif
