/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_LIMITS_H
#define COLLECTOR_OUTBOX_LIMITS_H

#include "collector/base/clock.h"
#include "collector/facts/fact.h"
#include "collector/outbox/untold.h"

/* What may wait in the outbox for a sink that is away. Past a bound in rows or bytes the rows of
 * the least worth are given up, the oldest of them first, until a sixteenth below it; those of the
 * next worth once no other is left, or is to come into reach. What is too old is given up whatever
 * it is. Each step is a bounded slice, inside the writer's transaction. */

struct limits_bounds {
    uint64_t rows;  /* 0: none, here and below */
    uint64_t bytes; /* of the file that are in use */
    int64_t
        age_us;         /* by the records' own time; what tells of the past when it comes, imported
                         * and republished records, gaps, and the tap's word of its connections, stays */
    struct clock clock; /* for age_us */
};

/* Records that were given up. */
struct given_up {
    uint64_t rows[FACT_WORTH_COUNT];
};

/* Which rows may be given up: after < seq <= to. Those up to newest may later. */
struct limits_range {
    uint64_t after, to, newest;
};

/* Where the look at what is too old is. Each goes on where the last one found nothing old any more,
 * then sweeps some rows from where the last sweep ended: what a PBX whose clock is ahead brought is
 * old later than what stands behind it, and goes within hours of it. */
struct limits_look {
    uint64_t old_to, swept_to;
    unsigned sweeps; /* done in this look */
};

/* What a step did, to be kept once it is committed. */
struct limits_step {
    struct given_up given_up;
    uint64_t at[FACT_WORTH_COUNT];
    uint64_t after;
    struct limits_look look;
    int rc; /* SQLite's */
    bool looked_at_age;
    bool over, more;
    bool waits; /* rows of less worth, which may not go yet, are to go instead */
};

struct limits {
    struct sqlite_file *file;
    struct untold *untold;
    struct limits_bounds bounds;
    sqlite3_stmt *give_up, *give_up_rendering, *lesser, *young, *pages;
    bool over;                     /* past a bound, and not a sixteenth below it yet */
    uint64_t at[FACT_WORTH_COUNT]; /* up to here nothing of this worth is left */
    uint64_t after;
    struct limits_look look;
    int64_t rest_until; /* monotonic */
};

/* Makes it; the file of untold, to which goes what is given up, outlives it. False with the error
 * in the file's handle. limits_free after a failure too. */
bool limits_init(struct limits *l, struct untold *untold, const struct limits_bounds *bounds);
void limits_free(struct limits *l);

/* Inside or outside of a transaction: is there something to be given up, when so many rows wait? */
bool limits_due(struct limits *l, uint64_t waiting);

/* Inside a transaction: gives up a slice of the range. An SQLite result code; ret holds what was
 * done, and more where another step is due. */
int limits_step(struct limits *l, struct limits_range range, uint64_t waiting,
                struct limits_step *ret);

/* The transaction of this step is committed. */
void limits_keep(struct limits *l, const struct limits_step *step);

/* How many rows were given up in all. */
uint64_t given_up_rows(const struct given_up *g);

/* Adds more to sum. */
void given_up_add(struct given_up *sum, const struct given_up *more);

#endif
