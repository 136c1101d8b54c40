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

/* What the edge counts itself. */
struct web_counts {
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

    /* Appends /metrics in Prometheus' text format 0.0.4, the edge's own counts among them. False
     * when memory is short. NULL: there are none. */
    bool (*metrics)(void *metrics_ctx, const struct web_counts *counts, struct web_text *text);
    void *metrics_ctx; /* what this one gets: metrics are not the live state's alone */
};

#define WEB_NAME_SIZE   65
#define WEB_SECRET_SIZE 65 /* 64 hexadecimal digits and a NUL */

/* Somebody who may see something. */
struct web_person {
    char name[WEB_NAME_SIZE];
    bool display;  /* the wallboard and nothing else */
    uint64_t mark; /* changes with the password, token or code */
};

/* What is told of people, to be logged. Who logged in or out, or was not let in for want of
 * randomness, is told by name; with who was refused or limited comes what was typed as one, empty
 * with a screen's code. */
enum web_event { WEB_LOGGED_IN, WEB_REFUSED, WEB_LIMITED, WEB_LOGGED_OUT, WEB_NOT_LET_IN };

/* What became of a screen's code. */
enum web_entry {
    WEB_ENTRY_REFUSED, /* it is none, too old, or was used */
    WEB_ENTRY_FAILED, /* it is good, and still is: the screen could not be kept, which was logged */
    WEB_ENTRY_LET_IN
};

/* Who may see the wallboard. password, enter and refresh take their time (a hash made to be slow,
 * the disk), and are called by one thread of the edge that does nothing else; the others are quick
 * and called by any. Secrets are texts; none is kept. */
struct web_users {
    void *ctx;

    /* Whether the password is this person's; as slow when there is no such person. */
    bool (*password)(void *ctx, const char *name, const char *password, struct web_person *person);

    /* Lets a screen in by the code of its one-time URL, and makes the cookie it is known by. */
    enum web_entry (*enter)(void *ctx, const char *code, char cookie[WEB_SECRET_SIZE],
                            struct web_person *person);

    /* Looks, each second, whether the users were changed. True when they were. */
    bool (*refresh)(void *ctx);

    /* Whose token, or which screen's cookie, this is. */
    bool (*token)(void *ctx, const char *token, struct web_person *person);
    bool (*kiosk)(void *ctx, const char *cookie, struct web_person *person);

    /* Whether this person may still come in as before. */
    bool (*still)(void *ctx, const struct web_person *person);

    /* Something happened to somebody at this address. Never blocks. */
    void (*tell)(void *ctx, enum web_event event, const char *name, const char *address);
};

/* Addresses that begin with the same bits; IPv4's as ::ffff:a.b.c.d, 96 bits more. */
struct web_network {
    uint8_t bytes[16];
    unsigned bits;
};

struct web_networks {
    const struct web_network *list;
    size_t n;
};

struct web_options {
    const char *listen;       /* "127.0.0.1:8088", "[::1]:8088" or "localhost:8088"; port 0: any */
    unsigned sse_clients_max; /* 0: 500 */
    unsigned heartbeat_ms;    /* 0: 15000 */

    /* NULL: whoever can connect sees everything. Without users, and without TLS or a proxy, only a
     * loopback address is listened on. */
    const struct web_users *users;
    bool (*random)(void *bytes, size_t n); /* fills a key's bytes, false when it cannot; any thread;
                                              needed with users */
    const char *tls_certificate;           /* PEM text, its chain behind it; NULL: no TLS */
    const char *tls_key;                   /* PEM text */
    const char *const *hosts; /* names that are served, beside localhost and addresses */
    size_t hosts_n;
    struct web_networks allow;   /* who may ask beside this machine; none: everybody */
    struct web_networks proxies; /* these do TLS, and say in X-Forwarded-For who asks; nobody else
                                    may connect then, but this machine */
    struct web_networks
        monitors;             /* who beside this machine may ask /healthz and /metrics unknown */
    unsigned per_address_max; /* connections from one address; 0: 100 */
    unsigned request_seconds; /* how long a request may take to come; 0: 15 */
    unsigned idle_seconds;    /* a session that is not used for so long ends; 0: 3600 */
    unsigned session_seconds; /* and any after so long; 0: 43200 */
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
