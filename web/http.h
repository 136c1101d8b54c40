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

/* Figures for metrics and tests. Any thread. */
struct web_counts http_edge_counts(struct web_edge *edge);

#endif
