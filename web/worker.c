/* SPDX-License-Identifier: MIT */
#include "web/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct worker {
    void (*tick)(void *ctx);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct worker_job *first, **last;
    unsigned waiting;
    bool stopping;
};

static struct worker_job *take(struct worker *w)
{
    struct worker_job *job = w->first;
    if (!job)
        return NULL;
    w->first = job->next;
    if (!w->first)
        w->last = &w->first;
    w->waiting--;
    return job;
}

static struct timespec now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t;
}

static bool is_past(const struct timespec *t)
{
    struct timespec n = now();
    return n.tv_sec > t->tv_sec || (n.tv_sec == t->tv_sec && n.tv_nsec >= t->tv_nsec);
}

/* The next job; NULL when a tick is due or the end has come. Called under the lock. */
static struct worker_job *await(struct worker *w, const struct timespec *until)
{
    while (!w->stopping && !w->first && !is_past(until))
        pthread_cond_timedwait(&w->news, &w->lock, until);
    return w->stopping || is_past(until) ? NULL : take(w);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct timespec next = now();
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        struct worker_job *job = await(w, &next);
        pthread_mutex_unlock(&w->lock);
        if (job) {
            job->work(job);
        } else {
            w->tick(w->ctx);
            next = now();
            next.tv_sec++;
        }
        pthread_mutex_lock(&w->lock);
        if (job)
            job->done(job, true);
    }
    for (struct worker_job *job; (job = take(w));)
        job->done(job, false);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct worker *worker_new(void (*tick)(void *ctx), void *ctx)
{
    struct worker *w = calloc(1, sizeof(*w));
    pthread_condattr_t attributes;
    if (!w)
        return NULL;
    w->tick = tick;
    w->ctx = ctx;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->news, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&w->thread, NULL, work, w) != 0) {
        pthread_cond_destroy(&w->news);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
    }
    pthread_setname_np(w->thread, "web-worker");
    return w;
}

bool worker_put(struct worker *w, struct worker_job *job, void (*begin)(struct worker_job *job))
{
    pthread_mutex_lock(&w->lock);
    bool taken = !w->stopping && w->waiting < WORKER_JOBS_MAX;
    if (taken) {
        job->next = NULL;
        *w->last = job;
        w->last = &job->next;
        w->waiting++;
        begin(job);
        pthread_cond_signal(&w->news);
    }
    pthread_mutex_unlock(&w->lock);
    return taken;
}

void worker_stop(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
