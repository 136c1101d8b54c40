/* SPDX-License-Identifier: MIT */
#include "web/connections.h"

#include "web/monotonic.h"
#include <pthread.h>

#define SECOND        ((int64_t)1000)
#define HEAD_EXTRA_MS (5 * SECOND)
#define ANSWER_MS     (120 * SECOND)
#define NEVER         INT64_MAX

struct entry {
    struct entry *next, *before;
    struct address peer;
    int fd;
    bool spare, cut;
    enum connection_phase phase;
    int64_t since, until; /* monotonic milliseconds */
};

struct connections {
    struct connections_options options;
    pthread_mutex_t lock;
    struct entry *first;
    unsigned open;  /* without spare ones and those that were cut */
    unsigned spare; /* likewise */
    uint64_t refused, cuts;
    bool next_is_spare; /* the one that was just accepted */
};

struct connections *connections_new(const struct connections_options *options)
{
    struct connections *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->options = *options;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void connections_free(struct connections *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The socket is open as long as its entry is there, so that this cuts no other one. libmicrohttpd
 * sees the end of it and closes it. */
static void cut(struct connections *c, struct entry *e)
{
    if (e->cut)
        return;
    e->cut = true;
    c->cuts++;
    if (e->spare)
        c->spare--;
    else
        c->open--;
    shutdown(e->fd, SHUT_RDWR);
}

static bool may_connect(const struct connections_options *o, const struct address *peer)
{
    const struct web_networks *only = o->proxies.n ? &o->proxies : &o->allow;
    return only->n == 0 || address_is_here(peer) || address_is_in(peer, only);
}

static unsigned count_of(const struct connections *c, const struct address *peer)
{
    const struct address client = address_client(peer);
    unsigned n = 0;
    for (const struct entry *e = c->first; e; e = e->next) {
        const struct address other = address_client(&e->peer);
        n += !e->cut && address_same(&other, &client);
    }
    return n;
}

static bool has_too_many(const struct connections *c, const struct address *peer)
{
    return !address_is_here(peer) && !address_is_in(peer, &c->options.proxies) &&
           count_of(c, peer) >= c->options.per_address_max;
}

/* When others may have its place. An answer has longer: its client may be slow, or its password be
 * looked at. */
static int64_t patience_ends(const struct entry *e)
{
    return e->phase == CONNECTION_STREAM   ? NEVER
           : e->phase == CONNECTION_ANSWER ? e->since + CONNECTIONS_ANSWER_MS
                                           : e->since + CONNECTIONS_WAIT_MS;
}

/* The one that waits longest goes, if it had its time. */
static bool make_room(struct connections *c, int64_t now)
{
    struct entry *longest = NULL;
    for (struct entry *e = c->first; e; e = e->next) {
        if (!e->cut && !e->spare && patience_ends(e) < now &&
            (!longest ||
             patience_ends(e) <= patience_ends(longest))) /* the list's first came last */
            longest = e;
    }
    if (longest)
        cut(c, longest);
    return longest != NULL;
}

/* Past the bound the one that waits longest goes, however short that was: a body that does come
 * comes with its head. */
static void make_room_for_body(struct connections *c)
{
    struct entry *longest = NULL;
    unsigned n = 0;
    for (struct entry *e = c->first; e; e = e->next) {
        if (e->cut || e->phase != CONNECTION_BODY)
            continue;
        n++;
        if (!longest || e->since <= longest->since)
            longest = e;
    }
    if (n >= CONNECTIONS_BODIES)
        cut(c, longest);
}

static bool accept_peer(struct connections *c, const struct address *peer)
{
    c->next_is_spare = false;
    if (!may_connect(&c->options, peer) || has_too_many(c, peer))
        return false;
    if (c->open < c->options.max || make_room(c, monotonic_ms()))
        return true;
    c->next_is_spare = address_is_here(peer) || address_is_in(peer, &c->options.monitors);
    return c->next_is_spare && c->spare < CONNECTIONS_SPARE;
}

enum MHD_Result connections_accept(void *ctx, const struct sockaddr *from, socklen_t n)
{
    struct connections *c = ctx;
    const struct address peer = address_of(from);
    (void)n;
    pthread_mutex_lock(&c->lock);
    bool accepted = accept_peer(c, &peer);
    c->refused += !accepted;
    pthread_mutex_unlock(&c->lock);
    return accepted ? MHD_YES : MHD_NO;
}

static void set_phase(const struct connections *c, struct entry *e, enum connection_phase phase)
{
    const int64_t request = c->options.request_seconds * SECOND;
    e->phase = phase;
    e->since = monotonic_ms();
    e->until = phase == CONNECTION_HEAD     ? e->since + request + HEAD_EXTRA_MS
               : phase == CONNECTION_BODY   ? e->since + request
               : phase == CONNECTION_ANSWER ? e->since + ANSWER_MS
                                            : NEVER;
}

static struct entry *add(struct connections *c, struct MHD_Connection *connection)
{
    struct entry *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->peer = address_of(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    e->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    set_phase(c, e, CONNECTION_HEAD);
    pthread_mutex_lock(&c->lock);
    e->spare = c->next_is_spare;
    if (e->spare)
        c->spare++;
    else
        c->open++;
    e->next = c->first;
    if (e->next)
        e->next->before = e;
    c->first = e;
    pthread_mutex_unlock(&c->lock);
    return e;
}

static void take_away(struct connections *c, struct entry *e)
{
    pthread_mutex_lock(&c->lock);
    if (e->before)
        e->before->next = e->next;
    else
        c->first = e->next;
    if (e->next)
        e->next->before = e->before;
    if (!e->cut && e->spare)
        c->spare--;
    else if (!e->cut)
        c->open--;
    pthread_mutex_unlock(&c->lock);
    free(e);
}

void connections_notify(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
                        enum MHD_ConnectionNotificationCode what)
{
    struct connections *c = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_ctx = add(c, connection);
    else if (*socket_ctx)
        take_away(c, *socket_ctx);
}

void connections_sweep(struct connections *c)
{
    const int64_t now = monotonic_ms();
    pthread_mutex_lock(&c->lock);
    for (struct entry *e = c->first; e; e = e->next) {
        if (now >= e->until)
            cut(c, e);
    }
    pthread_mutex_unlock(&c->lock);
}

static struct entry *entry_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void connections_phase(struct connections *c, struct MHD_Connection *connection,
                       enum connection_phase phase)
{
    struct entry *e = entry_of(connection);
    if (!e)
        return;
    pthread_mutex_lock(&c->lock);
    if (phase == CONNECTION_BODY)
        make_room_for_body(c);
    set_phase(c, e, phase);
    pthread_mutex_unlock(&c->lock);
}

struct address connections_peer(struct MHD_Connection *connection)
{
    const struct entry *e = entry_of(connection);
    return e ? e->peer : (struct address){{0}};
}

bool connections_is_spare(struct MHD_Connection *connection)
{
    const struct entry *e = entry_of(connection);
    return !e || e->spare; /* memory was short: serve as little as can be */
}

struct connections_stats connections_stats(struct connections *c)
{
    pthread_mutex_lock(&c->lock);
    struct connections_stats stats = {c->open + c->spare, c->refused, c->cuts};
    pthread_mutex_unlock(&c->lock);
    return stats;
}
