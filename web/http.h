/* SPDX-License-Identifier: MIT */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "web/web_source.h"

/* The HTTP edge: the wallboard's pages, /api/v1/state, /api/v1/stream (SSE) and /healthz, read
 * only, on a libmicrohttpd thread of its own; log-in and log-out where there are users, whose
 * passwords are hashed on another. It never logs and never touches the disk itself. */

/* What the collector needs of the edge; see web_source.h. The source and what options point to
 * must outlive the edge. */
extern const struct web_edge_ops http_edge_ops;

/* Figures for metrics and tests. */
struct http_stats {
    unsigned sse_clients;         /* streams open now */
    uint64_t sse_resets;          /* clients that were sent a reset */
    uint64_t sse_refused;         /* streams refused because sse_clients_max were open */
    uint64_t snapshots;           /* snapshots rendered */
    size_t snapshot_bytes;        /* memory held by snapshots that are being sent */
    uint64_t requests;            /* requests answered */
    uint64_t requests_odd;        /* of them refused: method, host, body, path */
    unsigned connections;         /* open now */
    uint64_t connections_refused; /* not taken: address, too many */
    uint64_t connections_cut;     /* cut: too slow, or gave way to another */
};

/* Any thread. */
struct http_stats http_edge_stats(struct web_edge *edge);

#endif
