/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_TAP_H
#define COLLECTOR_FACTS_TAP_H

#include "collector/facts/cdr_row.h"
#include "collector/facts/queue_drift.h"

/* Everything that is derived from one PBX's events: it advances the state of channels, bridges,
 * calls, queue visits and agents and emits the facts that follow. Deterministic: the same events
 * give the same facts. Used by one thread. */
struct tap;

struct tap_options {
    struct slice pbx; /* name of the pbx section; borrowed for the tap's life */
    struct slice tap; /* this tap's own name; borrowed for the tap's life */
    struct cdr_options cdr;
    /* As in queues.conf; AMI does not show them. */
    bool log_membername_as_agent;      /* ADDMEMBER, REMOVEMEMBER name the member */
    bool log_restricted_caller_id;     /* ENTERQUEUE has the number also of who hides it */
    bool log_caller_id_name;           /* ENTERQUEUE has the caller's name */
    bool log_unpause_on_reason_change; /* another reason for a pause is an UNPAUSE and a PAUSE */
    /* Names of the channel variables that hand-offs show; borrowed for the tap's life. */
    const char *const *variables;
    size_t variable_count;
    /* Wrap-up times of queues, "queue=seconds": AMI shows a member's own alone. Borrowed. */
    const char *const *wrapuptimes;
    size_t wrapuptime_count;
    int64_t short_abandon; /* microseconds: abandoned sooner is short_abandon; 0: none is */
    /* Gets, with the sink's ctx, each CDR row that Asterisk would not write, as a fact of kind cdr
     * with its reason. NULL: they are no fact. Asking changes ids of others. */
    emit_sink dropped;
    const char *const *trunks; /* endpoints that are trunks; borrowed for the tap's life */
    size_t trunk_count;        /* 0: those are that a listed outbound registration belongs to */
    int64_t trunk_interval;    /* microseconds that an interval of a trunk's figures lasts */
    int64_t unsure; /* microseconds after which a call that nothing confirms counts as ended */
};

/* Asterisk's defaults, but unanswered and congestion on, so that no attempt is missing. */
struct tap_options tap_options_default(struct slice pbx);

/* NULL when memory is short. Facts go to sink, borrowed for the call. */
struct tap *tap_new(const struct tap_options *options, emit_sink sink, void *ctx);
void tap_free(struct tap *tap);

/* One event or list item, received at arrival (microseconds since 1970; used where the PBX sends
 * no Timestamp, 0 when not known, as in a recording). */
void tap_event(struct tap *tap, const struct ami_message *m, int64_t arrival);

/* The stream broke or began: facts tap_disconnected, tap_connected. */
void tap_connected(struct tap *tap, struct slice version, int64_t now);
void tap_disconnected(struct tap *tap, struct slice reason, int64_t now);

/* Nothing is seen of the PBX since `from`: all that is live has to be confirmed after the next
 * log-in, which is tap_connected, and its snapshot, which ends with tap_snapshot_end. reason is one
 * word: why. Before a restart is over (tap_restored) it is that the tap was down. */
void tap_lost_sight(struct tap *tap, int64_t from, struct slice reason);
/* What was taken since `from`, a tap_position, may be wrong though the stream goes on: blind since
 * then, until lists that tap_looks_again announces were read. */
void tap_doubts(struct tap *tap, int64_t from, struct slice reason);
/* The lists are asked for once more within a session: as after tap_connected, but no fact. */
void tap_looks_again(struct tap *tap, int64_t now);
/* Which of the PBX's hosts the next tap_connected is about; borrowed for the call. */
void tap_host(struct tap *tap, struct slice host);
/* When the PBX was started, in whatever words it has for that (CoreStatus). Another start than the
 * one before: nothing of before is left. */
void tap_booted(struct tap *tap, struct slice startup);
/* All lists that could be asked for were answered, or refused: fact gap, and what none of them
 * could confirm is unsure from now on. */
void tap_snapshot_end(struct tap *tap, int64_t now);

/* Up to where the stream was followed, the PBX's time: its newest event's Timestamp; before the
 * first one now, the machine's, as the PBX's clock shows it. */
int64_t tap_position(const struct tap *tap, int64_t now);
/* What events after this position gave was lost, up to now: fact gap, and every state is told again
 * with the next event about it. reason is one word. */
void tap_lost(struct tap *tap, int64_t position, int64_t now, struct slice reason);
/* Facts of these times, which are their own and so the PBX's, were lost behind the tap: fact gap.
 * reason is one word. */
void tap_gap(struct tap *tap, int64_t from, int64_t to, struct slice reason);

/* The lists asked for after log-in. What a list that was answered in full does not hold, though it
 * was known before the list was asked for and no event has shown it since, is gone. */
enum tap_list {
    TAP_LIST_CHANNELS,
    TAP_LIST_BRIDGES,
    TAP_LIST_QUEUES,
    TAP_LIST_DEVICES,
    TAP_LIST_REGISTRATIONS,
    TAP_LISTS
};
void tap_list_begin(struct tap *tap, enum tap_list list);
void tap_list_end(struct tap *tap, enum tap_list list, bool complete, int64_t now);

/* QueueStatus asked for while the stream is followed: what is held is compared with it, and what
 * differs is told at a later tick. */
void tap_check_begin(struct tap *tap);
void tap_check_end(struct tap *tap, bool complete, int64_t now);

/* About once a second while the stream is followed: what ends by the clock alone ends also when the
 * PBX is silent. now is this machine's; the stream's time goes on from its last event. */
void tap_tick(struct tap *tap, int64_t now);

/* Saving and restoring the live state. save calls put for each entity that changed since the last
 * save, with its JSON, or with an empty body for one that is gone, and at the end done: false when
 * none of it could be kept, so that the next save tells it again. NULL: all of it is kept. */
typedef void (*tap_put)(void *ctx, struct slice entity, struct slice body);
typedef bool (*tap_saved)(void *ctx);
void tap_save(struct tap *tap, tap_put put, tap_saved done, void *ctx);

/* Takes back one saved entity, at start, before any event. False when the body cannot be read. */
bool tap_restore(struct tap *tap, struct slice entity, struct slice body);

/* All saved entities were taken back: ties them together and tells what is live. */
void tap_restored(struct tap *tap);

/* When an event came last, by this machine's clock where it is known; an earlier run's last one
 * after a restart. 0: never. */
int64_t tap_last_event(const struct tap *tap);

/* By how much the Timestamp of the last event is ahead of its arrival, microseconds. False when it
 * had none, or the arrival is not known. */
bool tap_event_ahead(const struct tap *tap, int64_t *ret_ahead);

/* What tap_event_ahead told at the end of an earlier run, after a restart and before an event.
 * False when that is not known. */
bool tap_ahead_before(const struct tap *tap, int64_t *ret_ahead);

/* This machine's clock was moved by so much since the last call of any function; the PBX's was not.
 */
void tap_clock_moved(struct tap *tap, int64_t by);

/* The PBX sends events without Timestamp. */
bool tap_is_untimed(const struct tap *tap);

struct tap_counters {
    uint64_t events;
    uint64_t unknown_channels;                 /* events about channels the tap never saw begin */
    uint64_t channels, bridges, calls, visits; /* now */
    uint64_t refused; /* entities that a table, a bridge or an agent had no room for */
    uint64_t facts_too_large;
    struct drift_counters drift; /* Cdr events held against derived rows */
    struct queue_drift_counters queue_drift;
};
/* As they are now. */
struct tap_counters tap_counters(const struct tap *tap);

#endif
