/* SPDX-License-Identifier: MIT */
#ifndef WEB_WEB_SOURCE_H
#define WEB_WEB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* All that the web edge knows of the collector. The collector fills a web_source; the web edge
 * calls it from its own threads. Nothing here blocks on disk or on the PBX. */

/* Text that is appended to with web_text_put; whoever holds it frees p. Starts as {0}. */
struct web_text {
    char *p;
    size_t n;
    size_t size;
};

#define WEB_TEXT_MAX ((size_t)64 << 20)

/* Appends; false, with the text unchanged, when memory is short or it would pass WEB_TEXT_MAX. */
static inline bool web_text_put(struct web_text *text, const char *bytes, size_t n)
{
    if (n > WEB_TEXT_MAX - text->n)
        return false;
    if (text->n + n > text->size) {
        size_t size = text->size ? text->size : 1024;
        while (size < text->n + n)
            size *= 2;
        char *p = realloc(text->p, size);
        if (!p)
            return false;
        text->p = p;
        text->size = size;
    }
    if (n)
        memcpy(text->p + text->n, bytes, n);
    text->n += n;
    return true;
}

/* Which rows a client may see. NULL tenant: all of them. */
struct web_scope {
    const char *tenant;
};

/* Where a client stands in the changes: it has all up to seq, and offset bytes of the next. */
struct web_cursor {
    uint64_t seq;
    size_t offset;
};

enum web_health { WEB_HEALTH_OK, WEB_HEALTH_DEGRADED };

struct web_source {
    void *ctx;

    /* Appends the whole live state as one JSON object on one line (with "boot" and "seq": the
     * change that it includes last). Returns that seq in *ret_seq. False when memory is short. */
    bool (*snapshot)(void *ctx, const struct web_scope *scope, struct web_text *text,
                     uint64_t *ret_seq);

    /* Copies rendered SSE messages of the changes after *cursor into to, at most size bytes, and
     * moves *cursor; the last one may be cut, its rest comes at the next call. Returns the bytes
     * written, 0 when there is nothing newer, or -1 when the change after *cursor is not held
     * (too old, or not of this run): the client needs a reset and a snapshot. */
    ssize_t (*changes)(void *ctx, const struct web_scope *scope, struct web_cursor *cursor,
                       char *to, size_t size);

    /* The seq of the newest change; 0 when there was none. */
    uint64_t (*newest)(void *ctx);

    /* This run's name, part of every SSE id "<boot>-<seq>": letters and digits. Lives as long as
     * the source. */
    const char *(*boot)(void *ctx);

    /* Appends /healthz's JSON: each PBX with connected and data age. */
    enum web_health (*health)(void *ctx, struct web_text *text);
};

struct web_options {
    const char *listen;       /* "127.0.0.1:8088", "[::1]:8088" or "localhost:8088"; port 0: any */
    unsigned sse_clients_max; /* 0: 500 */
    unsigned heartbeat_ms;    /* 0: 15000 */
};

struct web_edge;

/* What main.c hands to the collector as the web edge, so that only main.c knows web/http.h. */
struct web_edge_ops {
    /* Starts listening. NULL on failure, with one line of reason in error. */
    struct web_edge *(*start)(const struct web_options *options, const struct web_source *source,
                              char *error, size_t error_size);
    /* Tells the edge that there are newer changes. Any thread; never blocks. */
    void (*wake)(struct web_edge *edge);
    /* "http://127.0.0.1:8088/", with the port that was really taken. Lives as long as the edge. */
    const char *(*address)(const struct web_edge *edge);
    /* Ends all connections and the threads. NULL is allowed. */
    void (*stop)(struct web_edge *edge);
};

#endif
