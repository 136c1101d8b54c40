/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_LOAD_H
#define COLLECTOR_FACTS_LOAD_H

#include "collector/facts/emit.h"
#include "collector/state/saved.h"
#include "collector/state/table.h"

/* How much a PBX is handed off at once: an AGI costs a process for each call, and a PBX stops at
 * some hundreds of them. Counted by kind, and for Stasis by the application's name too. */

enum handoff_kind {
    HANDOFF_NONE,
    HANDOFF_AGI,
    HANDOFF_FASTAGI,
    HANDOFF_ASYNCAGI,
    HANDOFF_EAGI,
    HANDOFF_STASIS,
    HANDOFF_AUDIOSOCKET,
    HANDOFF_EXTERNALMEDIA,
    HANDOFF_KINDS
};

/* "agi", "fastagi" …: handed_to of the records. */
const char *handoff_kind_name(enum handoff_kind kind);

/* The names of so many Stasis applications; further ones count under "stasis" alone. */
#define LOAD_APPLICATIONS_MAX 64u

/* The most at once in a stretch of time. */
struct load_peak {
    uint64_t most;  /* in the stretch at hand */
    uint64_t ended; /* in the last full one */
};

struct json_out;
struct json_t;

struct load {
    char *subject;     /* "agi", "stasis", "stasis/NAME" */
    char *application; /* NAME, or NULL */
    enum handoff_kind kind;
    uint64_t now, most;
    struct load_peak minute, hour;
    uint64_t runs;          /* that have begun */
    uint64_t timed;         /* that have ended, and whose begin was seen */
    int64_t total, longest; /* microseconds of these */
    int64_t since;          /* when the first one began */
    uint64_t told;          /* hash of what was told last */
    bool changed;           /* to be told at the end of the event */
    struct saved saved;
    struct load *next_changed;
};

struct loads {
    struct table by_subject;
    struct emitter *emit;
    struct saved_list *saved; /* NULL: loads are not saved */
    struct load *changed;
    int64_t minute, hour; /* of the clock, the ones at hand; counted from 1970 */
};

/* No load yet. emit is borrowed. */
struct loads loads_new(struct emitter *emit);
void loads_free(struct loads *loads);

/* One of the kind has begun, with these arguments of its application. */
void loads_began(struct loads *loads, enum handoff_kind kind, struct slice appdata);
/* It has ended after so many microseconds; -1: its begin was not seen. */
void loads_ended(struct loads *loads, enum handoff_kind kind, struct slice appdata, int64_t took);
/* One goes on that was counted before a restart. */
void loads_resume(struct loads *loads, enum handoff_kind kind, struct slice appdata);

/* The PBX's clock was set, by so many microseconds: the minute and the hour at hand go on, and end
 * by the clock as it is now. */
void loads_clock_set(struct loads *loads, int64_t by);
/* The clock of the event at hand: a full minute or hour may have ended. */
void loads_tick(struct loads *loads);
/* Tells what has changed. */
void loads_tell(struct loads *loads);
/* Tells all, after a restart. */
void loads_restored(struct loads *loads);

/* Saving one of them, and taking it back. False when the body is not as it was written. */
void loads_save(const struct loads *loads, const struct load *l, struct json_out *j);
bool loads_restore(struct loads *loads, const struct json_t *o);

#endif
