/* SPDX-License-Identifier: MIT */
#ifndef WEB_WEB_SOURCE_H
#define WEB_WEB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All that the web edge knows of the collector. The collector fills a web_source; the web edge
 * calls it from its own threads. Nothing here blocks on disk or on the PBX. */

/* Text that is appended to; grow returns room for n more bytes or NULL. */
struct web_text {
    char *p;
    size_t n;
    size_t size;
};

/* Which rows a client may see. NULL tenant: all of them. */
struct web_scope {
    const char *tenant;
};

enum web_health { WEB_HEALTH_OK, WEB_HEALTH_DEGRADED };

struct web_source {
    void *ctx;

    /* Appends the whole live state as one JSON object (with "boot" and "seq": the change that it
     * includes last). Returns that seq in *ret_seq. False when memory is short. */
    bool (*snapshot)(void *ctx, const struct web_scope *scope, struct web_text *text,
                     uint64_t *ret_seq);

    /* Copies whole SSE messages of the changes after *cursor into to (as many as fit size) and
     * moves *cursor. Returns the bytes written, 0 when there is nothing newer, or -1 when the
     * change after *cursor is no longer held: the client needs a reset and a snapshot. */
    ssize_t (*changes)(void *ctx, const struct web_scope *scope, uint64_t *cursor, char *to,
                       size_t size);

    /* The seq of the newest change. */
    uint64_t (*newest)(void *ctx);

    /* This run's name, part of every SSE id "<boot>-<seq>". Lives as long as the source. */
    const char *(*boot)(void *ctx);

    /* Appends /healthz's JSON: each PBX with connected and data age. */
    enum web_health (*health)(void *ctx, struct web_text *text);
};

/* Appends; false when memory is short or the text would pass 64 MiB. */
bool web_text_put(struct web_text *text, const char *bytes, size_t n);

struct web_options {
    const char *listen; /* "127.0.0.1:8088" or "[::1]:8088" */
    unsigned sse_clients_max;
};

struct web_edge;

/* What main.c hands to the collector as the web edge, so that only main.c knows web/http.h. */
struct web_edge_ops {
    /* Starts listening. NULL on failure, with one line of reason in error. */
    struct web_edge *(*start)(const struct web_options *options, const struct web_source *source,
                              char *error, size_t error_size);
    /* Tells the edge that there are newer changes. Any thread; never blocks for long. */
    void (*wake)(struct web_edge *edge);
    /* Ends all connections and the threads. NULL is allowed. */
    void (*stop)(struct web_edge *edge);
};

#endif
