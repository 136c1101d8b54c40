/* SPDX-License-Identifier: MIT */
#ifndef WEB_WORKER_H
#define WEB_WORKER_H

#include <stdbool.h>

/* A thread for what takes its time, so that no request waits for it: jobs in their order, at most
 * WORKER_JOBS_MAX waiting, and a look around each second. */
#define WORKER_JOBS_MAX 16

struct worker;

/* What a job is part of. done is false when the worker ends without having worked on it. */
struct worker_job {
    struct worker_job *next;
    void (*work)(struct worker_job *job);
    void (*done)(struct worker_job *job, bool worked);
};

/* Starts it. tick is called each second, by the thread. NULL when memory or threads are short. */
struct worker *worker_new(void (*tick)(void *ctx), void *ctx);

/* Hands a job over: work is called by the thread, then done, under a lock that this takes too, so
 * that what begin does to the job (called under it before the job can be worked on) is seen. False
 * when too many wait; nothing was called then. */
bool worker_put(struct worker *w, struct worker_job *job, void (*begin)(struct worker_job *job));

/* Ends the thread; jobs that wait are done without having been worked on. No job may be put after
 * it, or is refused. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

#endif
