/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_TRANSPORT_H
#define COLLECTOR_LINK_AMI_TRANSPORT_H

#include "collector/base/clock.h"
#include "collector/link/ami_tls.h"
#include "parsers/ami_action.h"
#include "parsers/ami_frame.h"
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The bytes of one AMI connection, in clear or over TLS: a non-blocking socket, a linear receive
 * buffer, frames. A turn reads at most AMI_TRANSPORT_TURN_BYTES, so that one busy PBX does not keep
 * the loop from the others. With TLS the process must ignore SIGPIPE. */

#define AMI_TRANSPORT_TURN_BYTES 262144u
/* What may wait to be sent. A PBX that takes no more is as good as gone. */
#define AMI_TRANSPORT_SEND_MAX 65536u

struct ami_transport;

/* Where to connect to; all is borrowed, tls until the transport is closed. */
struct ami_transport_peer {
    const struct sockaddr *address;
    socklen_t size;
    const char *host;    /* as configured: what its certificate must be for */
    struct ami_tls *tls; /* NULL: in clear */
};

/* Called in the loop. Each may call ami_transport_close, none ami_transport_free. */
struct ami_transport_ops {
    /* After the TLS handshake, where there is one. */
    void (*connected)(void *ctx);
    /* The frame's slices live as long as the call. arrival_us: when it was read, since 1970. */
    void (*frame)(void *ctx, const struct ami_frame *frame, int64_t arrival_us);
    /* Connecting failed, or the connection is lost; it is closed already. why: for people, "" when
     * the peer closed it in order. Not called after ami_transport_close. */
    void (*closed)(void *ctx, const char *why);
    /* First, whenever the loop woke the transport. */
    void (*turn_begin)(void *ctx);
    /* Last, whenever any of the others was called. */
    void (*turn_end)(void *ctx);
    /* What was read, before its frames are handed over; the bytes live as long as the call. Must
     * not close. */
    void (*bytes)(void *ctx, struct slice bytes);
};

struct ami_transport_counters {
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t frames;
    uint64_t cut_frames; /* frames and lines past their caps (ami_frame.h) */
    uint64_t cut_lines;
    int64_t longest_turn_us; /* of reading once and all that its frames caused */
};

/* A transport that is closed, or NULL when memory is short. ops and clock are copied. */
struct ami_transport *ami_transport_new(struct event_base *base, const struct clock *clock,
                                        const struct ami_transport_ops *ops, void *ctx);
void ami_transport_free(struct ami_transport *t);

/* Begins to connect; connected or closed follows. False, with errno, when that cannot begin. The
 * transport must be closed. */
bool ami_transport_connect(struct ami_transport *t, const struct ami_transport_peer *peer);

/* Whether the closed callback at hand is about a TLS handshake that failed. */
bool ami_transport_was_shaking(const struct ami_transport *t);

/* Sends an action, or keeps it until the socket takes it. False when the transport is closed, the
 * action is empty (it was refused) or AMI_TRANSPORT_SEND_MAX would be passed. */
bool ami_transport_send(struct ami_transport *t, const struct ami_action_text *action);

/* Closes the connection at once; nothing more is called for it but turn_end. */
void ami_transport_close(struct ami_transport *t);

/* The numeric addresses of a connection's two ends; "" where there is none. */
struct ami_transport_ends {
    char ours[INET6_ADDRSTRLEN];
    char theirs[INET6_ADDRSTRLEN];
};

/* Of the connection that is up. */
struct ami_transport_ends ami_transport_ends(const struct ami_transport *t);

/* Borrowed; counts over all connections. */
const struct ami_transport_counters *ami_transport_counters(const struct ami_transport *t);

#endif
