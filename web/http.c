/* SPDX-License-Identifier: MIT */
#include "web/http.h"

#include "web/connections.h"
#include "web/listen.h"
#include "web/login.h"
#include "web/monotonic.h"
#include "web/pages.h"
#include "web/reply.h"
#include "web/sse.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* Connections beside the streams, so that the pages and /healthz answer when all streams are
 * taken. */
#define CONNECTIONS_KEPT    32
#define REQUEST_SECONDS     15U
#define MEMORY_LIMIT        ((size_t)32 * 1024)
#define RETRY_AFTER_SECONDS 5

/* TLS 1.2 and 1.3 with forward secrecy. */
#define TLS_PRIORITIES                                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:" \
    "+AES-128-GCM:%SERVER_PRECEDENCE"

struct web_edge {
    struct MHD_Daemon *daemon;
    struct listen_socket socket;
    const struct web_source *source;
    struct web_options options; /* what they point to is the collector's */
    struct request_rules rules;
    struct access access;
    struct login login;
    struct connections *connections;
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

/* A request whose head was read. */
struct exchange {
    struct web_edge *edge;
    struct MHD_Connection *connection;
    struct request request;
    struct address peer, from;
    struct access_grant grant;
};

static enum MHD_Result answer_text(const struct exchange *x, unsigned status, const char *text)
{
    const struct reply_more none = {0};
    return reply_text(x->connection, status, text, &none);
}

static enum MHD_Result answer_state(const struct exchange *x)
{
    const struct reply_more more = {.retry_seconds = RETRY_AFTER_SECONDS, .close = true};
    struct web_edge *edge = x->edge;
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
        return reply_text(x->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n", &more);
    }
    reply_headers(response, REPLY_JSON, REPLY_NO_STORE);
    return reply_send(x->connection, MHD_HTTP_OK, response);
}

static enum MHD_Result answer_stream(const struct exchange *x)
{
    bool opened;
    enum MHD_Result result =
        sse_answer(x->edge->sse, x->connection, &x->request, &x->grant, &opened);
    if (opened)
        connections_phase(x->edge->connections, x->connection, CONNECTION_STREAM);
    return result;
}

/* A spare connection serves one request, so that the next monitor finds it free. */
static void close_if_spare(const struct exchange *x, struct MHD_Response *response)
{
    if (connections_is_spare(x->connection))
        MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result answer_health(const struct exchange *x)
{
    const struct web_source *source = x->edge->source;
    struct web_text text = {0};
    enum web_health health = source->health(source->ctx, &text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.n, text.p, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text.p);
        return MHD_NO;
    }
    reply_headers(response, REPLY_JSON, REPLY_NO_STORE);
    close_if_spare(x, response);
    return reply_send(x->connection,
                      health == WEB_HEALTH_OK ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                      response);
}

static enum MHD_Result answer_metrics(const struct exchange *x)
{
    const struct web_source *source = x->edge->source;
    const struct web_counts counts = http_edge_counts(x->edge);
    struct web_text text = {0};
    bool good = source->metrics && source->metrics(source->metrics_ctx, &counts, &text);
    struct MHD_Response *response =
        good ? MHD_create_response_from_buffer(text.n, text.p, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(text.p);
        return answer_text(x, MHD_HTTP_SERVICE_UNAVAILABLE, "no metrics\n");
    }
    reply_headers(response, "text/plain; version=0.0.4; charset=utf-8", REPLY_NO_STORE);
    close_if_spare(x, response);
    return reply_send(x->connection, MHD_HTTP_OK, response);
}

static enum MHD_Result answer_nothing(const struct exchange *x)
{
    atomic_fetch_add(&x->edge->requests_odd, 1);
    return answer_text(x, MHD_HTTP_NOT_FOUND, "nothing here\n");
}

/* A screen's cookie is renewed with the page, since browsers forget one after 400 days. */
static enum MHD_Result answer_page(const struct exchange *x)
{
    const struct page *page = page_find(x->request.path);
    char header[ACCESS_COOKIE_SIZE] = "", value[REQUEST_COOKIE_SIZE];
    if (page_for(page) == PAGE_FOR_LOGIN && !x->edge->options.users)
        return answer_nothing(x);
    if (x->grant.kind == ACCESS_KIOSK && strcmp(x->request.path, "/") == 0 &&
        request_cookie(x->request.cookie, x->edge->access.cookie, value))
        access_cookie(&x->edge->access, 'k', value + 1, header);
    return page_answer(page, x->connection, x->request.if_none_match, *header ? header : NULL);
}

struct route {
    const char *path;
    enum access_need need;
    enum MHD_Result (*answer)(const struct exchange *x);
};

/* What is not here shows to those who may see the wallboard that it is not. */
static struct route find_route(const char *path)
{
    static const struct route routes[] = {
        {"/api/v1/state", ACCESS_DISPLAY, answer_state},
        {"/api/v1/stream", ACCESS_DISPLAY, answer_stream},
        {"/healthz", ACCESS_MONITOR, answer_health},
        {"/metrics", ACCESS_MONITOR, answer_metrics},
    };
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(path, routes[i].path) == 0)
            return routes[i];
    }
    const struct page *page = page_find(path);
    if (page)
        return (struct route){path,
                              page_for(page) == PAGE_FOR_THOSE_IN ? ACCESS_DISPLAY : ACCESS_PUBLIC,
                              answer_page};
    return (struct route){path, ACCESS_DISPLAY, answer_nothing};
}

static enum MHD_Result refuse_unknown(const struct exchange *x)
{
    const struct reply_more to_login = {.location = "login"};
    if (x->grant.kind != ACCESS_NOBODY)
        return answer_text(x, MHD_HTTP_FORBIDDEN, "this is for the wallboard only\n");
    if (strcmp(x->request.path, "/") == 0)
        return reply_text(x->connection, MHD_HTTP_SEE_OTHER, "log in first\n", &to_login);
    return answer_text(x, MHD_HTTP_UNAUTHORIZED, "log in first\n");
}

/* Whom a log-in counts against and is told of: where a request says that somebody passed it on, and
 * nobody says for whom, the one who sent it, lest a header be a way past the limit and the log. */
static const struct address *who_tries(const struct exchange *x)
{
    return address_is_known(&x->from) ? &x->from : &x->peer;
}

static enum MHD_Result answer(const struct exchange *x)
{
    if (request_is_logout(&x->request))
        return login_end(&x->edge->login, x->connection, &x->grant, who_tries(x));
    const struct route route = find_route(x->request.path);
    return access_has(&x->grant, route.need) ? route.answer(x) : refuse_unknown(x);
}

static enum MHD_Result see_header(void *ctx, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    (void)kind;
    request_header(ctx, key, value);
    return MHD_YES;
}

static void read_exchange(struct exchange *x)
{
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, see_header, &x->request);
    x->peer = connections_peer(x->connection);
    x->from = access_from(&x->edge->access, &x->peer, &x->request);
    x->grant = access_ask(&x->edge->access, &x->request, &x->peer, monotonic_ms() / 1000);
}

/* Whether its connection serves such a request: the spare ones are kept for monitors. */
static bool is_served_there(const struct exchange *x)
{
    return !connections_is_spare(x->connection) ||
           find_route(x->request.path).need == ACCESS_MONITOR;
}

/* Its head was read: an odd one is refused and its connection closed. A log-in is begun, and is
 * what the next calls are about. */
static enum MHD_Result judge(const struct exchange *x, void **ret_try)
{
    struct web_edge *edge = x->edge;
    struct request_verdict verdict = request_judge(&x->request, &edge->rules);
    struct reply_more closing = {.close = true};
    if (verdict.status == 0 && !access_allows(&edge->access, &x->from))
        verdict = (struct request_verdict){MHD_HTTP_FORBIDDEN, "not from this address\n"};
    if (verdict.status == 0 && !is_served_there(x)) {
        verdict = (struct request_verdict){MHD_HTTP_SERVICE_UNAVAILABLE, "too many connections\n"};
        closing.retry_seconds = RETRY_AFTER_SECONDS;
    }
    if (verdict.status == 0 && request_is_login(&x->request)) {
        *ret_try = login_try_new(&edge->login, x->connection, &x->grant, who_tries(x));
        connections_phase(edge->connections, x->connection, CONNECTION_BODY);
        return *ret_try ? MHD_YES : MHD_NO;
    }
    connections_phase(edge->connections, x->connection, CONNECTION_ANSWER);
    if (verdict.status == 0)
        return MHD_YES;
    if (verdict.status == MHD_HTTP_METHOD_NOT_ALLOWED)
        closing.allow = edge->rules.people && strcmp(x->request.path, "/login") == 0
                            ? "GET, HEAD, POST"
                            : "GET, HEAD";
    atomic_fetch_add(&edge->requests, 1);
    if (verdict.status != MHD_HTTP_SERVICE_UNAVAILABLE)
        atomic_fetch_add(&edge->requests_odd, 1);
    return reply_text(x->connection, verdict.status, verdict.text, &closing);
}

/* What a request that is no log-in has as its state. */
static char judged;

/* Called for a request once its head is read, then with each part of its body, then when it is
 * whole, and again when a log-in was worked on. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **state)
{
    struct web_edge *edge = ctx;
    (void)version;
    if (*state && *state != &judged) {
        if (*body_size) {
            login_try_take(*state, body, *body_size);
            *body_size = 0;
            return MHD_YES;
        }
        connections_phase(edge->connections, connection, CONNECTION_ANSWER);
        return login_try_go_on(*state, monotonic_ms() / 1000);
    }
    struct exchange x = {
        .edge = edge, .connection = connection, .request = {.path = path, .method = method}};
    read_exchange(&x);
    if (!*state) {
        *state = &judged;
        return judge(&x, state);
    }
    if (*body_size)
        return MHD_NO;
    atomic_fetch_add(&edge->requests, 1);
    return answer(&x);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode why)
{
    struct web_edge *edge = ctx;
    (void)why;
    if (*state != &judged)
        login_try_free(*state);
    *state = NULL;
    connections_phase(edge->connections, connection, CONNECTION_HEAD);
}

/* Paths are compared as they were sent: ours need no escapes, and what is escaped is not ours. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

static void tick(void *ctx)
{
    struct web_edge *edge = ctx;
    const struct web_users *users = edge->options.users;
    connections_sweep(edge->connections);
    if (users && users->refresh(users->ctx))
        sessions_review(edge->access.sessions, users);
}

static void http_stop(struct web_edge *edge)
{
    if (!edge)
        return;
    if (edge->login.worker)
        worker_stop(edge->login.worker);
    if (edge->sse)
        sse_stop(edge->sse);
    if (edge->daemon)
        MHD_stop_daemon(edge->daemon); /* closes the listening socket too */
    else if (edge->socket.fd >= 0)
        close(edge->socket.fd);
    worker_free(edge->login.worker);
    sse_free(edge->sse);
    snapshots_free(edge->snapshots);
    connections_free(edge->connections);
    sessions_free(edge->access.sessions);
    attempts_free(edge->login.attempts);
    free(edge);
}

/* What every request is judged by. */
static bool make_access(struct web_edge *edge)
{
    const struct web_options *o = &edge->options;
    const struct sessions_options sessions = {o->idle_seconds ? o->idle_seconds : 3600,
                                              o->session_seconds ? o->session_seconds : 43200,
                                              o->random};
    const char *port = strrchr(edge->socket.address, ':') + 1;
    bool tls = o->tls_certificate || o->proxies.n;
    edge->rules = (struct request_rules){o->hosts, o->hosts_n, o->users != NULL, tls};
    edge->access.options = o;
    edge->access.secure = tls;
    /* Cookies do not tell ports apart. With __Host- no neighbouring host can set one. */
    snprintf(edge->access.cookie, sizeof(edge->access.cookie), "%samitap-%.5s",
             tls ? "__Host-" : "", port);
    edge->login.access = &edge->access;
    edge->login.attempts = attempts_new();
    edge->access.sessions = o->users ? sessions_new(&sessions) : NULL;
    return edge->login.attempts && (edge->access.sessions || !o->users);
}

static bool make_rooms(struct web_edge *edge, unsigned clients_max)
{
    const struct web_options *o = &edge->options;
    const struct connections_options connections = {
        .max = clients_max + CONNECTIONS_KEPT,
        .per_address_max = o->per_address_max ? o->per_address_max : 100,
        .request_seconds = o->request_seconds,
        .allow = o->allow,
        .proxies = o->proxies,
        .monitors = o->monitors};
    const struct sse_options sse_options = {
        .clients_max = clients_max,
        .heartbeat_ms = o->heartbeat_ms ? o->heartbeat_ms : 15000,
        .pages = pages_version(),
        .access = &edge->access,
    };
    edge->connections = connections_new(&connections);
    edge->snapshots = snapshots_new(edge->source);
    edge->sse = edge->snapshots ? sse_new(edge->source, edge->snapshots, &sse_options) : NULL;
    edge->login.worker = edge->connections ? worker_new(tick, edge) : NULL;
    return edge->sse && edge->login.worker;
}

static bool start_threads(struct web_edge *edge)
{
    const struct web_options *o = &edge->options;
    const unsigned clients_max = o->sse_clients_max ? o->sse_clients_max : 500;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (!make_access(edge) || !make_rooms(edge, clients_max))
        return false;
    edge->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            (o->tls_certificate ? (unsigned)MHD_USE_TLS : 0),
        0, connections_accept, edge->connections, handle, edge, MHD_OPTION_LISTEN_SOCKET,
        edge->socket.fd, MHD_OPTION_CONNECTION_LIMIT,
        clients_max + CONNECTIONS_KEPT + CONNECTIONS_SPARE + CONNECTIONS_SLACK,
        MHD_OPTION_CONNECTION_TIMEOUT, o->request_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        MEMORY_LIMIT, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
        connections_notify, edge->connections, MHD_OPTION_NOTIFY_COMPLETED, completed, edge,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_ARRAY,
        o->tls_certificate ? tls : none, MHD_OPTION_END);
    if (!edge->daemon)
        edge->socket.fd = -1; /* it may or may not have been closed */
    return edge->daemon != NULL;
}

static bool may_listen_anywhere(const struct web_options *o)
{
    return o->users && (o->tls_certificate || o->proxies.n);
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
    edge->options = *options;
    edge->options.request_seconds =
        options->request_seconds ? options->request_seconds : REQUEST_SECONDS;
    edge->socket.fd = -1;
    if (!listen_open(options->listen, may_listen_anywhere(options), &edge->socket, error,
                     error_size)) {
        http_stop(edge);
        return NULL;
    }
    snprintf(edge->address, sizeof(edge->address), "%s://%s/",
             options->tls_certificate ? "https" : "http", edge->socket.address);
    sigset_t all, before; /* signals belong to the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = start_threads(edge);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        snprintf(error, error_size, "listen %s: the HTTP server does not start%s", options->listen,
                 options->tls_certificate ? "; is the certificate the key's?" : "");
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

struct web_counts http_edge_counts(struct web_edge *edge)
{
    struct web_counts stats = {.requests = atomic_load(&edge->requests),
                               .requests_odd = atomic_load(&edge->requests_odd)};
    struct sse_stats streams = sse_stats(edge->sse);
    stats.sse_clients = streams.clients;
    stats.sse_resets = streams.resets;
    stats.sse_refused = streams.refused;
    snapshots_stats(edge->snapshots, &stats.snapshots, &stats.snapshot_bytes);
    struct connections_stats connections = connections_stats(edge->connections);
    stats.connections = connections.open;
    stats.connections_refused = connections.refused;
    stats.connections_cut = connections.cut;
    return stats;
}
