/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_LIVE_VIEW_H
#define COLLECTOR_VIEW_LIVE_VIEW_H

#include "collector/base/clock.h"
#include "collector/base/ring.h"
#include "collector/facts/privacy.h"
#include "collector/view/counts.h"
#include "web/web_source.h"

/* What the wallboard shows, folded from facts alone: live calls, queues, agents, today's counters
 * and each PBX's link. One thread, "view", takes batches from the loop's ring; the web edge reads
 * through a web_source from threads of its own.
 *
 * Of STATE facts the last per (pbx, subject) is shown until its tombstone. EVENT facts move today's
 * counters; the day is that of the process's time zone, and facts of earlier days are not counted.
 * A BATCH_NOTE is what pbx_status_note takes. */
struct live_view;

/* 0 or NULL for each takes the default. */
struct live_view_options {
    const char *boot;       /* this run's name, letters and digits; else a random one */
    size_t change_bytes;    /* how many bytes of changes are kept for slow clients: 4 MiB */
    size_t entities_max;    /* calls, queues, agents and endpoints together: 200000 */
    size_t state_bytes;     /* their JSON: 60 MiB */
    struct privacy *policy; /* masks what is folded: in clear; it outlives the view */
};

/* NULL when memory is short. */
struct live_view *live_view_new(const struct clock *clock, const struct live_view_options *options);
/* After live_view_stop and once nothing reads its source any more. NULL is allowed. */
void live_view_free(struct live_view *v);

/* Before the start: a configured PBX, shown as connecting until it is. */
void live_view_add_pbx(struct live_view *v, struct slice pbx);

/* When today began, microseconds since 1970: what is stored from then on is what to seed with. */
int64_t live_view_today(struct live_view *v);

/* Visits that ended today and are stored. */
struct live_view_visits {
    struct slice pbx, queue;
    struct slice outcome;         /* the queue record's word */
    uint64_t n;                   /* how many */
    int64_t wait_us, wait_us_max; /* the sum and the longest of their waits */
    uint64_t within;              /* answered within the service level */
};
void live_view_seed_queue(struct live_view *v, const struct live_view_visits *visits);

/* Calls of today that are over, or CDRs, and stored. Calls that are over have also been started. */
void live_view_seed_calls(struct live_view *v, struct slice pbx, enum counts_calls what,
                          uint64_t n);

/* Starts the thread. wake(wake_ctx) is called after each change, on that thread. False when there
 * is no thread. The ring outlives live_view_stop. */
bool live_view_start(struct live_view *v, struct ring *ring, void (*wake)(void *ctx),
                     void *wake_ctx);

/* Ends the thread, once the ring is empty if it is closed. */
void live_view_stop(struct live_view *v);

/* So many states could not be kept for the view in all, whose ring was full: it may show what has
 * ended from then on, and says so. Any thread; never blocks. */
void live_view_states_lost(struct live_view *v, uint64_t n);

/* What the web edge reads. Valid as long as the view. */
struct web_source live_view_source(struct live_view *v);

/* What the thread does, for tests: folds a batch; then tells of what changed, and of a new day.
 * live_view_publish returns whether there are new changes. */
void live_view_fold(struct live_view *v, struct slice batch);
bool live_view_publish(struct live_view *v);

#endif
