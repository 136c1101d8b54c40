/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_transport.h"
#include "collector/base/buf.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/* An unfinished frame is at most AMI_FRAME_MAX long, then it is cut; so a whole turn fits behind
 * it. The padding lets searches look at whole blocks. */
#define BUFFER_SIZE    (AMI_TRANSPORT_TURN_BYTES + 2 * AMI_FRAME_MAX)
#define BUFFER_PADDING 64

struct ami_transport {
    struct event_base *base;
    struct clock clock;
    struct ami_transport_ops ops;
    void *ctx;
    int fd; /* -1: closed */
    bool connecting;
    bool in_callback;
    unsigned connection; /* counts, so that a callback that closes it is noticed */
    struct event *readable;
    struct event *writable;
    struct ami_framer framer;
    struct buf out;
    struct ami_transport_counters counters;
    size_t n;
    char bytes[BUFFER_SIZE + BUFFER_PADDING];
};

struct ami_transport *ami_transport_new(struct event_base *base, const struct clock *clock,
                                        const struct ami_transport_ops *ops, void *ctx)
{
    struct ami_transport *t = calloc(1, sizeof *t);
    if (t) {
        t->base = base;
        t->clock = *clock;
        t->ops = *ops;
        t->ctx = ctx;
        t->fd = -1;
        t->out = buf_new(AMI_TRANSPORT_SEND_MAX);
    }
    return t;
}

void ami_transport_close(struct ami_transport *t)
{
    if (t->fd < 0) {
        return;
    }
    event_free(t->readable);
    event_free(t->writable);
    close(t->fd);
    t->fd = -1;
    t->connection++;
    t->n = 0;
    buf_clear(&t->out);
}

void ami_transport_free(struct ami_transport *t)
{
    if (t) {
        assert(!t->in_callback);
        ami_transport_close(t);
        buf_free(&t->out);
        free(t);
    }
}

static void lose(struct ami_transport *t, const char *why)
{
    ami_transport_close(t);
    t->ops.closed(t->ctx, why);
}

/* Writes what waits; false when the connection is lost by it. */
static bool flush_out(struct ami_transport *t)
{
    while (t->out.n > 0) {
        ssize_t n = send(t->fd, t->out.p, t->out.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return event_add(t->writable, NULL) == 0;
        }
        if (n < 0) {
            return false;
        }
        t->counters.bytes_out += (uint64_t)n;
        buf_drop(&t->out, (size_t)n);
    }
    return true;
}

static void finish_connecting(struct ami_transport *t)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error) {
        lose(t, strerror(error));
        return;
    }
    t->connecting = false;
    if (event_add(t->readable, NULL) != 0) {
        lose(t, "the loop takes no more events");
        return;
    }
    t->ops.connected(t->ctx);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct ami_transport *t = arg;
    (void)fd;
    (void)what;
    t->in_callback = true;
    if (t->connecting) {
        finish_connecting(t);
    } else if (!flush_out(t)) {
        lose(t, strerror(errno));
    }
    t->in_callback = false;
    t->ops.turn_end(t->ctx);
}

/* Hands over the whole frames of the buffer and keeps the rest at its front. */
static void deliver(struct ami_transport *t, int64_t arrival_us)
{
    unsigned connection = t->connection;
    struct slice rest = {t->bytes, t->n};
    struct ami_frame frame;
    size_t consumed = 0;
    while (ami_frame_next(&t->framer, rest, &frame, &consumed) == AMI_FRAME_OK) {
        t->counters.frames++;
        t->ops.frame(t->ctx, &frame, arrival_us);
        if (t->connection != connection) {
            return;
        }
        rest = slice_from_offset(rest, consumed);
    }
    rest = slice_from_offset(rest, consumed);
    if (rest.n && rest.p != t->bytes) {
        memmove(t->bytes, rest.p, rest.n);
    }
    t->n = rest.n;
}

static void read_once(struct ami_transport *t)
{
    size_t room = BUFFER_SIZE - t->n;
    assert(room >= AMI_TRANSPORT_TURN_BYTES);
    ssize_t n = recv(t->fd, t->bytes + t->n, AMI_TRANSPORT_TURN_BYTES, 0);
    if (n > 0) {
        t->ops.bytes(t->ctx, (struct slice){t->bytes + t->n, (size_t)n});
        t->n += (size_t)n;
        t->counters.bytes_in += (uint64_t)n;
        uint64_t cut_frames = t->framer.cut_frames, cut_lines = t->framer.cut_lines;
        struct ami_transport_counters *c = &t->counters;
        unsigned connection = t->connection;
        deliver(t, clock_now(&t->clock));
        if (t->connection == connection) {
            c->cut_frames += t->framer.cut_frames - cut_frames;
            c->cut_lines += t->framer.cut_lines - cut_lines;
        }
    } else if (n == 0) {
        lose(t, "");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        lose(t, strerror(errno));
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct ami_transport *t = arg;
    (void)fd;
    (void)what;
    int64_t begin = clock_mono(&t->clock);
    t->in_callback = true;
    read_once(t);
    t->in_callback = false;
    t->ops.turn_end(t->ctx);
    int64_t took = clock_mono(&t->clock) - begin;
    if (took > t->counters.longest_turn_us) {
        t->counters.longest_turn_us = took;
    }
}

/* Small actions leave at once; a peer that vanished without a word is found out some day even when
 * nobody pings it. */
static void set_options(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

bool ami_transport_connect(struct ami_transport *t, const struct sockaddr *address, socklen_t size)
{
    assert(t->fd < 0);
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    set_options(fd);
    if (connect(fd, address, size) != 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    t->readable = event_new(t->base, fd, EV_READ | EV_PERSIST, on_readable, t);
    t->writable = event_new(t->base, fd, EV_WRITE, on_writable, t);
    if (!t->readable || !t->writable || event_add(t->writable, NULL) != 0) {
        if (t->readable) {
            event_free(t->readable);
        }
        if (t->writable) {
            event_free(t->writable);
        }
        close(fd);
        errno = ENOMEM;
        return false;
    }
    t->fd = fd;
    t->connecting = true;
    t->framer = (struct ami_framer){0};
    return true;
}

bool ami_transport_send(struct ami_transport *t, const struct ami_action_text *action)
{
    if (t->fd < 0 || t->connecting || action->n == 0 ||
        !buf_put(&t->out, action->bytes, action->n)) {
        return false;
    }
    /* An error is not told here: the socket becomes readable with it. */
    (void)flush_out(t);
    return true;
}

const struct ami_transport_counters *ami_transport_counters(const struct ami_transport *t)
{
    return &t->counters;
}
