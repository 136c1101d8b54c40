/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX       65536u
#define SESSIONS_MAX    1024u
#define AUTH_TIMEOUT_MS 30000u
#define LAST_MAX        512u

struct sim_session {
    struct sim_sessions *all;
    struct sim_session *next;
    struct sim_account account;
    int fd;
    struct event *readable;
    struct event *writable;
    struct event *timer; /* until the log-in, or until `last` is sent */
    struct buf in;
    struct buf out;
    size_t sent; /* bytes at the front of out that the socket has taken */
    struct buf last;
    bool stalled; /* the socket took no more; waiting for it */
    bool ending;
    bool dead; /* to be freed by the next flush */
};

struct sim_sessions {
    struct event_base *base;
    struct sim_session_options options;
    struct sim_session_ops ops;
    int fd;
    struct event *acceptable;
    struct event *stall; /* pending: nothing is sent */
    struct sim_session *first;
    unsigned count;
    uint64_t opened;
    uint64_t cut;
};

static struct timeval ms_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static void session_free(struct sim_session *s)
{
    s->all->ops.closed(s->all->ops.ctx, s);
    s->all->count--;
    struct event *events[] = {s->readable, s->writable, s->timer};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    close(s->fd);
    buf_free(&s->in);
    buf_free(&s->out);
    buf_free(&s->last);
    free(s);
}

static void session_cut(struct sim_session *s)
{
    s->all->cut += !s->dead;
    s->dead = true;
}

/* Sends what the socket takes; waits for the socket, at most the write timeout, when it is full. */
static void session_send(struct sim_session *s)
{
    bool quiet = evtimer_pending(s->all->stall, NULL);
    while (!quiet && !s->dead && !s->stalled && s->sent < s->out.n) {
        ssize_t n = send(s->fd, s->out.p + s->sent, s->out.n - s->sent, MSG_NOSIGNAL);
        if (n > 0) {
            s->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            struct timeval wait = ms_timeval(s->all->options.writetimeout_ms);
            s->stalled = true;
            event_add(s->writable, s->all->options.writetimeout_ms ? &wait : NULL);
        } else if (errno != EINTR) {
            s->dead = true;
        }
    }
    if (s->sent == s->out.n) {
        buf_clear(&s->out);
        s->sent = 0;
        s->dead = s->dead || (s->ending && s->last.n == 0);
    } else if (s->sent > s->out.n / 2) {
        buf_drop(&s->out, s->sent);
        s->sent = 0;
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct sim_session *s = arg;
    (void)fd;
    s->stalled = false;
    /* Both, when we had no time ourselves: then Asterisk (ast_iostream_write) writes as well. */
    if (!(what & EV_WRITE))
        session_cut(s);
    sim_sessions_flush(s->all);
}

/* Takes whole actions off the input; main/manager.c takes CR LF, we take a bare LF as well. */
static void session_actions(struct sim_session *s)
{
    size_t done = 0, line = 0;
    for (size_t i = 0; i < s->in.n && !s->ending && !s->dead; i++) {
        if (s->in.p[i] != '\n')
            continue;
        size_t length = i - line - (i > line && s->in.p[i - 1] == '\r');
        if (length == 0) {
            struct slice lines = {s->in.p + done, line - done};
            if (lines.n)
                s->all->ops.action(s->all->ops.ctx, s, lines);
            done = i + 1;
        }
        line = i + 1;
    }
    buf_drop(&s->in, done);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct sim_session *s = arg;
    (void)what;
    if (s->ending) {
        event_del(s->readable);
        return;
    }
    char *to = buf_reserve(&s->in, 4096);
    ssize_t n = to ? recv(fd, to, 4096, 0) : 0;
    if (n > 0) {
        s->in.n += (size_t)n;
        session_actions(s);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        s->dead = true;
    }
    sim_sessions_flush(s->all);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct sim_session *s = arg;
    (void)fd;
    (void)what;
    if (s->ending) {
        buf_put_slice(&s->out, buf_slice(&s->last));
        buf_clear(&s->last);
    } else if (!s->account.logged_in) {
        s->dead = true;
    }
    sim_sessions_flush(s->all);
}

static bool session_start(struct sim_session *s)
{
    struct event_base *base = s->all->base;
    s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
    s->writable = event_new(base, s->fd, EV_WRITE, on_writable, s);
    s->timer = evtimer_new(base, on_timer, s);
    if (!s->readable || !s->writable || !s->timer)
        return false;
    struct timeval wait = ms_timeval(AUTH_TIMEOUT_MS);
    return event_add(s->readable, NULL) == 0 && evtimer_add(s->timer, &wait) == 0;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct sim_sessions *all = arg;
    (void)what;
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    struct sim_session *s = all->count < SESSIONS_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        close(client);
        return;
    }
    *s = (struct sim_session){.all = all,
                              .next = all->first,
                              .fd = client,
                              .account.id = ++all->opened,
                              .in = buf_new(INPUT_MAX),
                              .out = buf_new(all->options.queue_bytes),
                              .last = buf_new(LAST_MAX)};
    all->first = s;
    all->count++;
    int yes = 1; /* as main/manager.c does */
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (all->options.sndbuf)
        setsockopt(client, SOL_SOCKET, SO_SNDBUF, &all->options.sndbuf,
                   sizeof(all->options.sndbuf));
    s->dead = !session_start(s);
    all->ops.opened(all->ops.ctx, s);
    sim_sessions_flush(all);
}

static void on_stall_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sim_sessions_flush(arg);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 64) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

struct sim_sessions *sim_sessions_new(struct event_base *base,
                                      const struct sim_session_options *options,
                                      const struct sim_session_ops *ops, char *error,
                                      size_t error_size)
{
    struct sim_sessions *all = calloc(1, sizeof(*all));
    if (!all) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    *all = (struct sim_sessions){.base = base, .options = *options, .ops = *ops};
    all->stall = evtimer_new(base, on_stall_over, all);
    all->fd = all->stall ? listen_on(options->port) : -1;
    if (all->fd >= 0)
        all->acceptable = event_new(base, all->fd, EV_READ | EV_PERSIST, on_acceptable, all);
    if (all->acceptable && event_add(all->acceptable, NULL) == 0)
        return all;
    snprintf(error, error_size, "127.0.0.1:%u: %s", options->port, strerror(errno));
    sim_sessions_free(all);
    return NULL;
}

void sim_sessions_free(struct sim_sessions *all)
{
    if (!all)
        return;
    for (struct sim_session *s = all->first; s; s = s->next)
        s->dead = true;
    sim_sessions_flush(all);
    if (all->acceptable)
        event_free(all->acceptable);
    if (all->stall)
        event_free(all->stall);
    if (all->fd >= 0)
        close(all->fd);
    free(all);
}

uint16_t sim_sessions_port(const struct sim_sessions *all)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);
    return getsockname(all->fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port)
                                                                         : 0;
}

unsigned sim_sessions_logged_in(const struct sim_sessions *all)
{
    unsigned n = 0;
    for (const struct sim_session *s = all->first; s; s = s->next)
        n += s->account.logged_in && !s->ending && !s->dead;
    return n;
}

uint64_t sim_sessions_opened(const struct sim_sessions *all)
{
    return all->opened;
}

uint64_t sim_sessions_cut(const struct sim_sessions *all)
{
    return all->cut;
}

size_t sim_sessions_waiting(const struct sim_sessions *all)
{
    size_t most = 0;
    for (const struct sim_session *s = all->first; s; s = s->next)
        if (s->out.n - s->sent > most)
            most = s->out.n - s->sent;
    return most;
}

void sim_sessions_event(struct sim_sessions *all, uint32_t classes, struct slice bytes)
{
    for (struct sim_session *s = all->first; s; s = s->next) {
        if (!s->account.logged_in || s->ending || s->dead ||
            (s->account.events & classes) != classes)
            continue;
        if (!buf_put_slice(&s->out, bytes))
            session_cut(s);
    }
}

void sim_sessions_end(struct sim_sessions *all)
{
    for (struct sim_session *s = all->first; s; s = s->next)
        s->ending = s->ending || s->account.logged_in;
}

void sim_sessions_stall(struct sim_sessions *all, unsigned ms)
{
    struct timeval wait = ms_timeval(ms);
    evtimer_add(all->stall, &wait);
}

void sim_sessions_flush(struct sim_sessions *all)
{
    struct sim_session **at = &all->first;
    while (*at) {
        struct sim_session *s = *at;
        session_send(s);
        if (s->dead) {
            *at = s->next;
            session_free(s);
        } else {
            at = &s->next;
        }
    }
}

struct sim_account *sim_session_account(struct sim_session *s)
{
    return &s->account;
}

struct buf *sim_session_out(struct sim_session *s)
{
    return &s->out;
}

void sim_session_end(struct sim_session *s)
{
    s->ending = true;
}

void sim_session_end_later(struct sim_session *s, unsigned ms, struct slice last)
{
    struct timeval wait = ms_timeval(ms);
    s->ending = true;
    buf_put_slice(&s->last, last);
    evtimer_add(s->timer, &wait);
}
