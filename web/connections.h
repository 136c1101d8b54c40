/* SPDX-License-Identifier: MIT */
#ifndef WEB_CONNECTIONS_H
#define WEB_CONNECTIONS_H

#include "web/address.h"
#include <microhttpd.h>

/* Who is connected, and what each connection waits for since when. Past `max` connections the one
 * that waits longest gives way: for a request or the rest of it CONNECTIONS_WAIT_MS at least, for
 * its client to read an answer CONNECTIONS_ANSWER_MS, streams never. Past that only
 * CONNECTIONS_SPARE more are taken, from where /healthz and /metrics may be asked, and serve
 * nothing else. What takes too long is cut: libmicrohttpd's own time-out begins anew with each
 * byte. */
#define CONNECTIONS_SPARE     4
#define CONNECTIONS_SLACK     32 /* that were cut and are not gone yet */
#define CONNECTIONS_BODIES    16 /* that wait for a body at once */
#define CONNECTIONS_WAIT_MS   2000
#define CONNECTIONS_ANSWER_MS 5000

struct connections;

struct connections_options {
    unsigned max;
    unsigned per_address_max; /* this machine and proxies have no such limit */
    unsigned request_seconds;
    struct web_networks allow, proxies, monitors;
};

/* What a connection is about. */
enum connection_phase {
    CONNECTION_HEAD,   /* a request's head is awaited, for 5 s more than request_seconds */
    CONNECTION_BODY,   /* its body, for request_seconds */
    CONNECTION_ANSWER, /* it is answered, for two minutes */
    CONNECTION_STREAM  /* for ever */
};

struct connections_stats {
    unsigned open;
    uint64_t refused; /* not taken: address, or too many */
    uint64_t cut;     /* too slow, or gave way */
};

/* What the options point to must outlive it. NULL when memory is short. */
struct connections *connections_new(const struct connections_options *options);
void connections_free(struct connections *c);

/* libmicrohttpd's MHD_AcceptPolicyCallback and MHD_NotifyConnectionCallback. */
enum MHD_Result connections_accept(void *ctx, const struct sockaddr *from, socklen_t n);
void connections_notify(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
                        enum MHD_ConnectionNotificationCode what);

/* Cuts what is too slow. Any thread. */
void connections_sweep(struct connections *c);

/* Says what a connection is about from now on. When CONNECTIONS_BODIES wait for a body already, the
 * one that waits longest gives way to this one. */
void connections_phase(struct connections *c, struct MHD_Connection *connection,
                       enum connection_phase phase);

/* Where it comes from, and whether it is one of the spare ones. */
struct address connections_peer(struct MHD_Connection *connection);
bool connections_is_spare(struct MHD_Connection *connection);

/* As they are now; any thread. */
struct connections_stats connections_stats(struct connections *c);

#endif
