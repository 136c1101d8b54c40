/* SPDX-License-Identifier: MIT */
#include "web/http.h"

#include "web/listen.h"
#include "web/pages.h"
#include "web/reply.h"
#include "web/request.h"
#include "web/sse.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Connections beside the streams, so that the pages and /healthz answer when all streams are
 * taken. */
#define CONNECTIONS_KEPT 32
#define TIMEOUT_SECONDS  15U
#define MEMORY_LIMIT     ((size_t)32 * 1024)

struct web_edge {
    struct MHD_Daemon *daemon;
    struct listen_socket socket;
    const struct web_source *source;
    struct snapshots *snapshots;
    struct sse *sse;
    char address[LISTEN_TEXT_MAX + 16];
    atomic_uint_fast64_t requests, requests_odd;
};

struct sent_snapshot {
    struct snapshots *snapshots;
    const struct snapshot *snapshot;
};

static ssize_t read_snapshot(void *ctx, uint64_t position, char *to, size_t size)
{
    const struct sent_snapshot *sent = ctx;
    size_t left = sent->snapshot->text.n - (size_t)position;
    size_t n = left < size ? left : size;
    memcpy(to, sent->snapshot->text.p + position, n);
    return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_snapshot(void *ctx)
{
    struct sent_snapshot *sent = ctx;
    snapshots_put(sent->snapshots, sent->snapshot);
    free(sent);
}

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum MHD_Result answer_state(struct web_edge *edge, struct MHD_Connection *connection)
{
    struct sent_snapshot *sent = calloc(1, sizeof(*sent));
    if (!sent)
        return MHD_NO;
    sent->snapshots = edge->snapshots;
    sent->snapshot = snapshots_get(edge->snapshots, monotonic_ms());
    struct MHD_Response *response =
        sent->snapshot ? MHD_create_response_from_callback(sent->snapshot->text.n, 16384,
                                                           read_snapshot, sent, free_snapshot)
                       : NULL;
    if (!response) {
        free_snapshot(sent);
        return reply_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n", true);
    }
    reply_headers(response, REPLY_JSON, REPLY_NO_STORE);
    return reply_send(connection, MHD_HTTP_OK, response);
}

static enum MHD_Result answer_health(struct web_edge *edge, struct MHD_Connection *connection)
{
    struct web_text text = {0};
    enum web_health health = edge->source->health(edge->source->ctx, &text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.n, text.p, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text.p);
        return MHD_NO;
    }
    reply_headers(response, REPLY_JSON, REPLY_NO_STORE);
    return reply_send(
        connection, health == WEB_HEALTH_OK ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, response);
}

static enum MHD_Result route(struct web_edge *edge, struct MHD_Connection *connection,
                             const char *path, const char *method)
{
    const struct page *page = page_find(path);
    if (page)
        return page_answer(page, connection);
    if (strcmp(path, "/api/v1/state") == 0)
        return answer_state(edge, connection);
    if (strcmp(path, "/api/v1/stream") == 0)
        return sse_answer(
            edge->sse, connection, strcmp(method, MHD_HTTP_METHOD_HEAD) == 0,
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID"));
    if (strcmp(path, "/healthz") == 0)
        return answer_health(edge, connection);
    atomic_fetch_add(&edge->requests_odd, 1);
    return reply_text(connection, MHD_HTTP_NOT_FOUND, "nothing here\n", false);
}

/* Called twice for a request: once its headers are read, when an odd one is refused and its
 * connection closed, and once it is whole. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **request)
{
    static char judged;
    struct web_edge *edge = ctx;
    (void)body;
    if (!*request) {
        *request = &judged;
        struct request_verdict verdict = request_judge(connection, method, version);
        if (verdict.status == 0)
            return MHD_YES;
        atomic_fetch_add(&edge->requests, 1);
        atomic_fetch_add(&edge->requests_odd, 1);
        return reply_text(connection, verdict.status, verdict.text, true);
    }
    if (*body_size)
        return MHD_NO;
    atomic_fetch_add(&edge->requests, 1);
    return route(edge, connection, path, method);
}

static void http_stop(struct web_edge *edge)
{
    if (!edge)
        return;
    if (edge->sse)
        sse_stop(edge->sse);
    if (edge->daemon)
        MHD_stop_daemon(edge->daemon); /* closes the listening socket too */
    else if (edge->socket.fd >= 0)
        close(edge->socket.fd);
    sse_free(edge->sse);
    snapshots_free(edge->snapshots);
    free(edge);
}

static bool start_threads(struct web_edge *edge, const struct web_options *options)
{
    const struct sse_options sse_options = {
        .clients_max = options->sse_clients_max ? options->sse_clients_max : 500,
        .heartbeat_ms = options->heartbeat_ms ? options->heartbeat_ms : 15000,
        .pages = pages_version(),
    };
    edge->snapshots = snapshots_new(edge->source);
    edge->sse = edge->snapshots ? sse_new(edge->source, edge->snapshots, &sse_options) : NULL;
    if (!edge->sse)
        return false;
    edge->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
        handle, edge, MHD_OPTION_LISTEN_SOCKET, edge->socket.fd, MHD_OPTION_CONNECTION_LIMIT,
        sse_options.clients_max + CONNECTIONS_KEPT, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_LIMIT, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (!edge->daemon)
        edge->socket.fd = -1; /* it may or may not have been closed */
    return edge->daemon != NULL;
}

static struct web_edge *http_start(const struct web_options *options,
                                   const struct web_source *source, char *error, size_t error_size)
{
    struct web_edge *edge = calloc(1, sizeof(*edge));
    if (!edge) {
        snprintf(error, error_size, "listen %s: out of memory", options->listen);
        return NULL;
    }
    edge->source = source;
    edge->socket.fd = -1;
    if (!listen_open(options->listen, &edge->socket, error, error_size)) {
        http_stop(edge);
        return NULL;
    }
    snprintf(edge->address, sizeof(edge->address), "http://%s/", edge->socket.address);
    sigset_t all, before; /* signals belong to the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = start_threads(edge, options);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        snprintf(error, error_size, "listen %s: the HTTP server does not start", options->listen);
        http_stop(edge);
        return NULL;
    }
    return edge;
}

static void http_wake(struct web_edge *edge)
{
    sse_wake(edge->sse);
}

static const char *http_address(const struct web_edge *edge)
{
    return edge->address;
}

const struct web_edge_ops http_edge_ops = {http_start, http_wake, http_address, http_stop};

struct http_stats http_edge_stats(struct web_edge *edge)
{
    struct http_stats stats = {.requests = atomic_load(&edge->requests),
                               .requests_odd = atomic_load(&edge->requests_odd)};
    struct sse_stats streams = sse_stats(edge->sse);
    stats.sse_clients = streams.clients;
    stats.sse_resets = streams.resets;
    stats.sse_refused = streams.refused;
    snapshots_stats(edge->snapshots, &stats.snapshots, &stats.snapshot_bytes);
    return stats;
}
