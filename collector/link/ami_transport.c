/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_transport.h"
#include "collector/base/buf.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An unfinished frame is at most AMI_FRAME_MAX long, then it is cut; so a whole turn fits behind
 * it. The padding lets searches look at whole blocks. */
#define BUFFER_SIZE    (AMI_TRANSPORT_TURN_BYTES + 2 * AMI_FRAME_MAX)
#define BUFFER_PADDING 64
#define WHY_SIZE       256

struct ami_transport {
    struct event_base *base;
    struct clock clock;
    struct ami_transport_ops ops;
    void *ctx;
    int fd; /* -1: closed */
    bool connecting;
    bool shaking; /* hands, by TLS */
    bool was_shaking;
    bool read_waits;             /* TLS reads when the socket is writable */
    struct ami_tls_session *tls; /* NULL: in clear */
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
    ami_tls_session_free(t->tls);
    t->tls = NULL;
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
    char text[WHY_SIZE];
    snprintf(text, sizeof(text), "%s", why); /* the TLS session's own words go with it */
    t->was_shaking = t->shaking;
    ami_transport_close(t);
    t->ops.closed(t->ctx, text);
    t->was_shaking = false;
}

bool ami_transport_was_shaking(const struct ami_transport *t)
{
    return t->was_shaking;
}

/* What became of one attempt to read or write. */
enum moved { MOVED, MOVED_LATER, MOVED_CLOSED, MOVED_FAILED };

static enum moved moved_by_tls(struct ami_transport *t, enum ami_tls_result result, bool reading)
{
    switch (result) {
    case AMI_TLS_DONE:
        return MOVED;
    case AMI_TLS_WANT_WRITE:
        t->read_waits |= reading;
        return event_add(t->writable, NULL) == 0 ? MOVED_LATER : MOVED_FAILED;
    case AMI_TLS_WANT_READ:
        return MOVED_LATER;
    case AMI_TLS_CLOSED:
        return MOVED_CLOSED;
    case AMI_TLS_FAILED:
        break;
    }
    return MOVED_FAILED;
}

static bool is_later(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static enum moved send_some(struct ami_transport *t, size_t *ret_n)
{
    if (t->tls)
        return moved_by_tls(t, ami_tls_write(t->tls, t->out.p, t->out.n, ret_n), false);
    ssize_t n = send(t->fd, t->out.p, t->out.n, MSG_NOSIGNAL);
    *ret_n = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return MOVED;
    return is_later(errno) && event_add(t->writable, NULL) == 0 ? MOVED_LATER : MOVED_FAILED;
}

static enum moved receive_some(struct ami_transport *t, char *bytes, size_t size, size_t *ret_n)
{
    if (t->tls)
        return moved_by_tls(t, ami_tls_read(t->tls, bytes, size, ret_n), true);
    ssize_t n = recv(t->fd, bytes, size, 0);
    *ret_n = n > 0 ? (size_t)n : 0;
    if (n > 0)
        return MOVED;
    if (n == 0)
        return MOVED_CLOSED;
    return is_later(errno) ? MOVED_LATER : MOVED_FAILED;
}

static const char *why_of(const struct ami_transport *t)
{
    return t->tls ? ami_tls_why(t->tls) : strerror(errno);
}

/* Writes what waits; false when the connection is lost by it. */
static bool flush_out(struct ami_transport *t)
{
    while (t->out.n > 0) {
        size_t n = 0;
        enum moved moved = send_some(t, &n);
        t->counters.bytes_out += n;
        buf_drop(&t->out, n);
        if (moved == MOVED_LATER)
            return true;
        if (moved != MOVED)
            return false;
    }
    return true;
}

static void open_up(struct ami_transport *t)
{
    if (event_add(t->readable, NULL) != 0) {
        lose(t, "the loop takes no more events");
        return;
    }
    t->ops.connected(t->ctx);
}

/* One step of the TLS handshake. */
static void shake_hands(struct ami_transport *t)
{
    switch (ami_tls_handshake(t->tls)) {
    case AMI_TLS_DONE:
        t->shaking = false;
        open_up(t);
        return;
    case AMI_TLS_WANT_READ:
        if (event_add(t->readable, NULL) == 0)
            return;
        break;
    case AMI_TLS_WANT_WRITE:
        if (event_add(t->writable, NULL) == 0)
            return;
        break;
    case AMI_TLS_CLOSED:
    case AMI_TLS_FAILED:
        break;
    }
    lose(t, ami_tls_why(t->tls));
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
    if (t->shaking)
        shake_hands(t);
    else
        open_up(t);
}

static void read_turn(struct ami_transport *t);

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct ami_transport *t = arg;
    (void)fd;
    (void)what;
    t->ops.turn_begin(t->ctx);
    t->in_callback = true;
    if (t->connecting) {
        finish_connecting(t);
    } else if (t->shaking) {
        shake_hands(t);
    } else if (!flush_out(t)) {
        lose(t, why_of(t));
    } else if (t->read_waits) {
        t->read_waits = false;
        read_turn(t);
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

/* What was read goes to the frames. */
static void take_in(struct ami_transport *t, size_t n)
{
    struct ami_transport_counters *c = &t->counters;
    uint64_t cut_frames = t->framer.cut_frames, cut_lines = t->framer.cut_lines;
    unsigned connection = t->connection;
    t->ops.bytes(t->ctx, (struct slice){t->bytes + t->n, n});
    t->n += n;
    c->bytes_in += n;
    deliver(t, clock_now(&t->clock));
    if (t->connection == connection) {
        c->cut_frames += t->framer.cut_frames - cut_frames;
        c->cut_lines += t->framer.cut_lines - cut_lines;
    }
}

/* Acknowledges at once what was read, which Linux would put off by up to 40 ms for a peer that
 * sends small pieces: meanwhile they fill the PBX's socket, and while its congestion control keeps
 * few of them under way (BBR each 10 s) for longer than its writetimeout. The kernel forgets the
 * option. */
static void acknowledge(const struct ami_transport *t)
{
    int yes = 1;
    setsockopt(t->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

/* In clear one read takes all that is there; TLS gives a record at a time. */
static void read_turn(struct ami_transport *t)
{
    unsigned connection = t->connection;
    size_t n = 0, got = 0;
    enum moved moved;
    assert(BUFFER_SIZE - t->n >= AMI_TRANSPORT_TURN_BYTES);
    do {
        moved = receive_some(t, t->bytes + t->n + got, AMI_TRANSPORT_TURN_BYTES - got, &n);
        got += n;
    } while (t->tls && moved == MOVED && got < AMI_TRANSPORT_TURN_BYTES);
    char why[WHY_SIZE];
    snprintf(why, sizeof(why), "%s", moved == MOVED_FAILED ? why_of(t) : "");
    if (got) {
        acknowledge(t);
        take_in(t, got);
    }
    if (t->connection != connection)
        return;
    if (moved == MOVED_CLOSED || moved == MOVED_FAILED)
        lose(t, why);
    else if (t->tls && ami_tls_pending(t->tls))
        event_active(t->readable, EV_READ, 0);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct ami_transport *t = arg;
    (void)fd;
    (void)what;
    t->ops.turn_begin(t->ctx);
    int64_t begin = clock_mono(&t->clock);
    t->in_callback = true;
    if (t->shaking)
        shake_hands(t);
    else
        read_turn(t);
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

/* The connection that is begun, as far as it got. */
static bool give_up(struct ami_transport *t, int fd, int error)
{
    if (t->readable)
        event_free(t->readable);
    if (t->writable)
        event_free(t->writable);
    ami_tls_session_free(t->tls);
    t->readable = t->writable = NULL;
    t->tls = NULL;
    close(fd);
    errno = error;
    return false;
}

bool ami_transport_connect(struct ami_transport *t, const struct ami_transport_peer *peer)
{
    assert(t->fd < 0);
    int fd = socket(peer->address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    t->readable = t->writable = NULL;
    t->tls = NULL;
    set_options(fd);
    if (connect(fd, peer->address, peer->size) != 0 && errno != EINPROGRESS)
        return give_up(t, fd, errno);
    t->readable = event_new(t->base, fd, EV_READ | EV_PERSIST, on_readable, t);
    t->writable = event_new(t->base, fd, EV_WRITE, on_writable, t);
    if (peer->tls)
        t->tls = ami_tls_session_new(peer->tls, fd, peer->host);
    if (!t->readable || !t->writable || !t->tls != !peer->tls || event_add(t->writable, NULL) != 0)
        return give_up(t, fd, ENOMEM);
    t->fd = fd;
    t->connecting = true;
    t->shaking = peer->tls != NULL;
    t->read_waits = false;
    t->framer = (struct ami_framer){0};
    return true;
}

bool ami_transport_send(struct ami_transport *t, const struct ami_action_text *action)
{
    if (t->fd < 0 || t->connecting || t->shaking || action->n == 0 ||
        !buf_put(&t->out, action->bytes, action->n)) {
        return false;
    }
    /* An error is not told here: the socket becomes readable with it. */
    (void)flush_out(t);
    return true;
}

static void put_address(int fd, int (*of)(int, struct sockaddr *, socklen_t *),
                        char text[INET6_ADDRSTRLEN])
{
    struct sockaddr_storage address;
    struct sockaddr *plain = (struct sockaddr *)&address;
    socklen_t size = sizeof(address);
    if (of(fd, plain, &size) != 0 ||
        getnameinfo(plain, size, text, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) != 0)
        text[0] = '\0';
}

struct ami_transport_ends ami_transport_ends(const struct ami_transport *t)
{
    struct ami_transport_ends ends = {"", ""};
    if (t->fd >= 0) {
        put_address(t->fd, getsockname, ends.ours);
        put_address(t->fd, getpeername, ends.theirs);
    }
    return ends;
}

const struct ami_transport_counters *ami_transport_counters(const struct ami_transport *t)
{
    return &t->counters;
}
