/* SPDX-License-Identifier: MIT */
#include "collector/link/resolver.h"
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct resolver_lookup {
    struct resolver_lookup *next;
    char *host;
    char port[8];
    resolver_done *done; /* NULL: cancelled. Only the loop reads or writes it */
    void *ctx;
    struct resolver_result result;
};

struct list {
    struct resolver_lookup *first;
    struct resolver_lookup **end;
};

/* What loop and thread share; whoever is last frees it. */
struct shared {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct list waiting;
    struct list ready;
    unsigned count; /* lookups in either list or at work */
    unsigned users;
    bool closing;
    int wake; /* eventfd: there is something ready */
};

struct resolver {
    struct shared *shared;
    struct event *ready;
};

static void list_init(struct list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(struct list *l, struct resolver_lookup *lookup)
{
    lookup->next = NULL;
    *l->end = lookup;
    l->end = &lookup->next;
}

static struct resolver_lookup *list_take(struct list *l)
{
    struct resolver_lookup *lookup = l->first;
    if (lookup) {
        l->first = lookup->next;
        if (!l->first) {
            l->end = &l->first;
        }
    }
    return lookup;
}

/* False when it is not in the list. */
static bool list_remove(struct list *l, struct resolver_lookup *lookup)
{
    for (struct resolver_lookup **p = &l->first; *p; p = &(*p)->next) {
        if (*p != lookup)
            continue;
        *p = lookup->next;
        if (!*p)
            l->end = p;
        return true;
    }
    return false;
}

static void lookup_free(struct resolver_lookup *lookup)
{
    free(lookup->host);
    free(lookup);
}

static void list_free(struct list *l)
{
    for (struct resolver_lookup *lookup; (lookup = list_take(l));) {
        lookup_free(lookup);
    }
}

static void shared_free(struct shared *s)
{
    list_free(&s->waiting);
    list_free(&s->ready);
    if (s->wake >= 0) {
        close(s->wake);
    }
    pthread_cond_destroy(&s->asked);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Called with the lock held, which it releases. */
static void shared_leave(struct shared *s)
{
    bool last = --s->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (last) {
        shared_free(s);
    }
}

/* With AI_NUMERICHOST it asks nobody, and a name has no address. */
static void resolve(struct resolver_lookup *lookup, int flags)
{
    struct addrinfo hints = {.ai_flags = flags, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct resolver_result *result = &lookup->result;
    int error = getaddrinfo(lookup->host, lookup->port, &hints, &found);
    for (struct addrinfo *a = found; a && result->count < RESOLVER_ADDRESSES_MAX; a = a->ai_next) {
        if (a->ai_addrlen <= sizeof result->addresses[0].address) {
            memcpy(&result->addresses[result->count].address, a->ai_addr, a->ai_addrlen);
            result->addresses[result->count++].size = a->ai_addrlen;
        }
    }
    if (found) {
        freeaddrinfo(found);
    }
    const char *why = error ? gai_strerror(error) : "no address";
    result->error = result->count ? NULL : why;
}

static void *resolver_thread(void *arg)
{
    struct shared *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        struct resolver_lookup *lookup = list_take(&s->waiting);
        if (!lookup) {
            pthread_cond_wait(&s->asked, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        resolve(lookup, 0);
        pthread_mutex_lock(&s->lock);
        list_add(&s->ready, lookup);
        eventfd_write(s->wake, 1);
    }
    shared_leave(s);
    return NULL;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct shared *s = ((struct resolver *)arg)->shared;
    eventfd_t count;
    (void)what;
    eventfd_read(fd, &count);
    pthread_mutex_lock(&s->lock);
    struct resolver_lookup *lookup = s->ready.first;
    list_init(&s->ready);
    for (struct resolver_lookup *l = lookup; l; l = l->next) {
        s->count--;
    }
    pthread_mutex_unlock(&s->lock);
    while (lookup) {
        struct resolver_lookup *next = lookup->next;
        if (lookup->done) {
            lookup->done(lookup->ctx, &lookup->result);
        }
        lookup_free(lookup);
        lookup = next;
    }
}

static struct shared *shared_new(void)
{
    struct shared *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->asked, NULL);
    list_init(&s->waiting);
    list_init(&s->ready);
    s->users = 2;
    s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return s;
}

static bool start_thread(struct shared *s)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool ok = pthread_create(&thread, &attr, resolver_thread, s) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

struct resolver *resolver_new(struct event_base *base)
{
    struct resolver *r = calloc(1, sizeof *r);
    struct shared *s = shared_new();
    struct event *ready = NULL;
    if (r && s && s->wake >= 0) {
        ready = event_new(base, s->wake, EV_READ | EV_PERSIST, on_ready, r);
    }
    if (!ready || event_add(ready, NULL) != 0 || !start_thread(s)) {
        if (ready) {
            event_free(ready);
        }
        if (s) {
            shared_free(s);
        }
        free(r);
        return NULL;
    }
    r->shared = s;
    r->ready = ready;
    return r;
}

void resolver_free(struct resolver *r)
{
    if (!r) {
        return;
    }
    struct shared *s = r->shared;
    event_free(r->ready);
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->asked);
    shared_leave(s);
    free(r);
}

/* What is resolved already does not wait for the thread, which may be busy with a name. False when
 * there is no room. */
static bool add(struct shared *s, struct resolver_lookup *lookup)
{
    pthread_mutex_lock(&s->lock);
    bool room = s->count < RESOLVER_LOOKUPS_MAX;
    s->count += room;
    if (room && lookup->result.count) {
        list_add(&s->ready, lookup);
        eventfd_write(s->wake, 1);
    } else if (room) {
        list_add(&s->waiting, lookup);
        pthread_cond_signal(&s->asked);
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

struct resolver_lookup *resolver_start(struct resolver *r, const char *host, uint16_t port,
                                       resolver_done *done, void *ctx)
{
    struct resolver_lookup *lookup = calloc(1, sizeof *lookup);
    char *name = strdup(host);
    if (!lookup || !name) {
        free(lookup);
        free(name);
        return NULL;
    }
    lookup->host = name;
    lookup->done = done;
    lookup->ctx = ctx;
    snprintf(lookup->port, sizeof lookup->port, "%u", port);
    resolve(lookup, AI_NUMERICHOST | AI_NUMERICSERV);
    if (!add(r->shared, lookup)) {
        lookup_free(lookup);
        return NULL;
    }
    return lookup;
}

void resolver_cancel(struct resolver *r, struct resolver_lookup *lookup)
{
    if (!lookup) {
        return;
    }
    struct shared *s = r->shared;
    lookup->done = NULL;
    pthread_mutex_lock(&s->lock);
    bool waited = list_remove(&s->waiting, lookup);
    s->count -= waited;
    pthread_mutex_unlock(&s->lock);
    if (waited) {
        lookup_free(lookup);
    }
}
