/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_FIGURES_H
#define COLLECTOR_SINKS_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The figures of queues and agents, from stored visits and agent intervals alone, so that another
 * threshold gives what it would have given then. SQL sums, schemas/figures.def has the formulas. A
 * visit counts in the window in which it was joined; what has not ended yet is not stored and not
 * counted. */

enum figure {
#define FIGURE(id, name, unit, scope, formula, c) FIGURE_##id,
#include "schemas/figures.def"
#undef FIGURE
    FIGURE_COUNT
};

enum figure_unit { FIGURE_UNIT_COUNT, FIGURE_UNIT_PERCENT, FIGURE_UNIT_SECONDS };

struct figure_info {
    const char *name;
    enum figure_unit unit;
};

/* The figure's row of schemas/figures.def; a constant. */
const struct figure_info *figure_info(enum figure figure);

/* What the formulas are made of, of one window and one queue, one agent, or all. */
struct figures_sums {
    double offered, answered, abandoned, short_abandons, flow_out, blocked, lost_sight;
    double answered_within, abandoned_within; /* NAN: a threshold is not known */
    double answered_wait, abandoned_wait;     /* seconds, as all below */
    double answered_p[4], abandoned_p[4];     /* p50, p90, p95, longest; NAN: of nothing */
    double talk;                              /* as queue_log counts, hold included */
    double hold;
    bool hold_known;
    double acw;
    double staffed, paused, busy;
    double transferred, repeat_callers, callbacks_owed;
};

struct figures_window {
    int64_t from, to; /* microseconds since 1970, to exclusive */
};

/* So many windows times queues or agents are computed at most. */
#define FIGURES_ROWS_MAX 200000u

struct figures_query {
    const char *path;                     /* of the history */
    const char *pbx;                      /* NULL: all */
    const char *queue;                    /* NULL: all */
    bool agents;                          /* a row for each agent instead of each queue */
    const struct figures_window *windows; /* in order, apart from each other */
    size_t window_count;
    int64_t threshold; /* microseconds; -1: each visit's own service_level_seconds */
    int64_t short_abandon;
};

struct figures_row {
    size_t window;
    const char *pbx;             /* NULL in the row of all */
    const char *queue;           /* NULL: all, or an agent's row */
    const char *agent;           /* interface; NULL: no agent's row */
    const char *name;            /* of the agent, or NULL */
    double values[FIGURE_COUNT]; /* NAN: null */
};

typedef void figures_fn(void *ctx, const struct figures_row *row);

/* Hands out, window by window, a row for each queue (or agent) that has something in any window, or
 * for the queue that was asked for, and then, unless one was, a row of all. What a row points to is
 * borrowed during the call. Opens the file for reading only. 0, or -1 with one line in error. */
int figures_read(const struct figures_query *query, figures_fn *fn, void *ctx, char *error,
                 size_t error_size);

#endif
