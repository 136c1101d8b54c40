/* SPDX-License-Identifier: MIT */
#include "web/sse.h"

#include "web/event_id.h"
#include "web/monotonic.h"
#include "web/reply.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OPENING_MAX         256
#define RETRY_MS            2000
#define RETRY_JITTER_MS     1000
#define SNAPSHOT_BYTES_MAX  ((size_t)128 << 20)
#define RETRY_AFTER_SECONDS 5
#define REVIEW_MS           1000
#define HEARTBEAT           ": heartbeat\n\n"

/* What goes out before the changes: our opening lines, the snapshot, the line that ends it. */
enum part { PART_OPENING, PART_SNAPSHOT, PART_END, PART_CHANGES };

struct client {
    struct client *next, *before;
    struct sse *sse;
    struct MHD_Connection *connection;
    struct access_grant grant; /* whose it is */
    atomic_bool ended;         /* that one may not see it any more */
    bool suspended;            /* under sse->lock */
    uint64_t sweep;            /* the pacer's sweep that this flush belongs to */
    bool flushed;              /* has all there was in this flush */
    int64_t sent_ms;           /* when it last got something; under sse->lock while suspended */
    enum part part;
    size_t offset; /* in part */
    char opening[OPENING_MAX];
    size_t opening_n;
    const struct snapshot *snapshot;
    struct web_cursor cursor;
};

struct sse {
    const struct web_source *source;
    struct snapshots *snapshots;
    struct sse_options options;
    pthread_t pacer;
    int wake_fd;
    atomic_bool woken; /* the wake_fd has been written and not yet read */
    atomic_uint_fast64_t resets, refused;

    pthread_mutex_t lock;
    struct client *clients;
    unsigned count;
    unsigned opened;
    uint64_t sweep;
    bool stopping;
};

static void resume(struct client *c)
{
    c->suspended = false;
    c->flushed = false;
    c->sweep = c->sse->sweep;
    MHD_resume_connection(c->connection);
}

/* Ends the streams of those who may not see them any more. */
static void review(struct sse *sse, int64_t now_ms)
{
    pthread_mutex_lock(&sse->lock);
    for (struct client *c = sse->clients; c; c = c->next) {
        if (access_still(sse->options.access, &c->grant, now_ms / 1000))
            continue;
        atomic_store(&c->ended, true);
        if (c->suspended)
            resume(c);
    }
    pthread_mutex_unlock(&sse->lock);
}

/* Resumes the suspended streams that have something to send. A stream that is not suspended sees
 * by the new sweep number that it must look again before it is. */
static void sweep(struct sse *sse, bool news, int64_t now_ms)
{
    pthread_mutex_lock(&sse->lock);
    sse->sweep++;
    uint64_t newest = sse->source->newest(sse->source->ctx);
    for (struct client *c = sse->clients; c; c = c->next) {
        if (!c->suspended)
            continue; /* its thread may be writing to the rest of it */
        bool due = (news && c->cursor.seq < newest) ||
                   now_ms - c->sent_ms >= (int64_t)sse->options.heartbeat_ms;
        if (due)
            resume(c);
    }
    pthread_mutex_unlock(&sse->lock);
}

static bool is_stopping(struct sse *sse)
{
    pthread_mutex_lock(&sse->lock);
    bool stopping = sse->stopping;
    pthread_mutex_unlock(&sse->lock);
    return stopping;
}

static void *pace(void *ctx)
{
    struct sse *sse = ctx;
    const int64_t beat_ms = sse->options.heartbeat_ms / 15 + 1;
    int64_t swept_ms = 0, next_beat_ms = monotonic_ms() + beat_ms, next_review_ms = 0;
    bool news = false;
    while (!is_stopping(sse)) {
        int64_t now_ms = monotonic_ms();
        if (news ? now_ms - swept_ms >= SSE_FLUSH_MS : now_ms >= next_beat_ms) {
            sweep(sse, news, now_ms);
            swept_ms = now_ms;
            next_beat_ms = now_ms + beat_ms;
            news = false;
        }
        if (now_ms >= next_review_ms) {
            review(sse, now_ms);
            next_review_ms = now_ms + REVIEW_MS;
        }
        int64_t until_ms = news ? swept_ms + SSE_FLUSH_MS : next_beat_ms;
        until_ms = until_ms < next_review_ms ? until_ms : next_review_ms;
        struct pollfd wait = {.fd = sse->wake_fd, .events = POLLIN};
        uint64_t ignored;
        int timeout = until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
        /* While news wait for their time, further ones change nothing. */
        if (poll(&wait, news ? 0 : 1, timeout) > 0 &&
            read(sse->wake_fd, &ignored, sizeof(ignored)) > 0) {
            atomic_store(&sse->woken, false);
            news = true;
        }
    }
    return NULL;
}

void sse_wake(struct sse *sse)
{
    const uint64_t one = 1;
    if (!atomic_exchange(&sse->woken, true) && write(sse->wake_fd, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN);
}

static void open_with_changes(struct client *c, uint64_t seq, unsigned retry_ms)
{
    int n = snprintf(c->opening, sizeof(c->opening), "retry: %u\n\n", retry_ms);
    c->opening_n = (size_t)n;
    c->part = PART_OPENING;
    c->offset = 0;
    c->cursor = (struct web_cursor){.seq = seq};
}

/* False when there is no memory for a snapshot. */
static bool open_with_snapshot(struct client *c, bool reset, unsigned retry_ms)
{
    struct sse *sse = c->sse;
    c->snapshot = snapshots_get(sse->snapshots, monotonic_ms());
    if (!c->snapshot)
        return false;
    if (reset)
        atomic_fetch_add(&sse->resets, 1);
    open_with_changes(c, c->snapshot->seq, retry_ms);
    int n = snprintf(c->opening + c->opening_n, sizeof(c->opening) - c->opening_n,
                     "%sid: %.64s-%" PRIu64 "\nevent: snapshot\ndata: ",
                     reset ? "event: reset\ndata: {}\n\n" : "", sse->source->boot(sse->source->ctx),
                     c->snapshot->seq);
    c->opening_n += (size_t)n;
    assert(c->opening_n < sizeof(c->opening));
    return true;
}

static size_t copy_part(struct client *c, const char *text, size_t n, char *to, size_t size)
{
    size_t left = n - c->offset;
    size_t taken = left < size ? left : size;
    memcpy(to, text + c->offset, taken);
    c->offset += taken;
    if (c->offset == n) {
        c->offset = 0;
        c->part++;
    }
    return taken;
}

/* Copies what stands before the changes; 0 when all of it has gone out. */
static size_t read_parts(struct client *c, char *to, size_t size)
{
    size_t n = 0;
    while (n < size && c->part != PART_CHANGES) {
        if (c->part == PART_OPENING)
            n += copy_part(c, c->opening, c->opening_n, to + n, size - n);
        else if (!c->snapshot)
            c->part = PART_CHANGES;
        else if (c->part == PART_SNAPSHOT)
            n += copy_part(c, c->snapshot->text.p, c->snapshot->text.n, to + n, size - n);
        else
            n += copy_part(c, "\n\n", 2, to + n, size - n);
    }
    if (c->part == PART_CHANGES && c->snapshot) {
        snapshots_put(c->sse->snapshots, c->snapshot);
        c->snapshot = NULL;
    }
    return n;
}

/* What this client gets next: bytes, 0 when there is nothing, or an end-of-stream code. */
static ssize_t produce(struct client *c, char *to, size_t size)
{
    struct sse *sse = c->sse;
    const struct web_source *source = sse->source;
    const struct web_scope everything = {NULL};
    if (atomic_load(&c->ended))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (c->flushed)
        return 0;
    size_t n = read_parts(c, to, size);
    if (n)
        return (ssize_t)n;
    ssize_t changes = source->changes(source->ctx, &everything, &c->cursor, to, size);
    if (changes < 0) {
        /* The middle of a message cannot be taken back: end, and let the client come again. */
        if (c->cursor.offset || !open_with_snapshot(c, true, RETRY_MS))
            return MHD_CONTENT_READER_END_OF_STREAM;
        return (ssize_t)read_parts(c, to, size);
    }
    c->flushed = c->cursor.offset == 0 && c->cursor.seq >= source->newest(source->ctx);
    if (changes == 0 && monotonic_ms() - c->sent_ms >= (int64_t)sse->options.heartbeat_ms &&
        size >= strlen(HEARTBEAT)) {
        memcpy(to, HEARTBEAT, strlen(HEARTBEAT));
        return (ssize_t)strlen(HEARTBEAT);
    }
    return changes;
}

enum pause { PAUSE_SUSPENDED, PAUSE_AGAIN, PAUSE_STOPPING };

/* Suspends a client that has all there is. A change that came since is either still to be swept, so
 * that the pacer will resume us, or was swept while we were not suspended, which the sweep number
 * tells: then we go on. */
static enum pause pause_client(struct client *c)
{
    struct sse *sse = c->sse;
    enum pause result = PAUSE_SUSPENDED;
    pthread_mutex_lock(&sse->lock);
    if (sse->stopping) {
        result = PAUSE_STOPPING;
    } else if (c->sweep != sse->sweep) {
        c->sweep = sse->sweep;
        c->flushed = false;
        result = PAUSE_AGAIN;
    } else {
        c->suspended = true;
        MHD_suspend_connection(c->connection);
    }
    pthread_mutex_unlock(&sse->lock);
    return result;
}

static ssize_t read_stream(void *ctx, uint64_t position, char *to, size_t size)
{
    struct client *c = ctx;
    (void)position;
    for (;;) {
        ssize_t n = produce(c, to, size);
        if (n > 0)
            c->sent_ms = monotonic_ms();
        if (n != 0)
            return n;
        switch (pause_client(c)) {
        case PAUSE_SUSPENDED:
            return 0;
        case PAUSE_STOPPING:
            return MHD_CONTENT_READER_END_OF_STREAM;
        case PAUSE_AGAIN:
            break;
        }
    }
}

static void client_free(void *ctx)
{
    struct client *c = ctx;
    struct sse *sse = c->sse;
    pthread_mutex_lock(&sse->lock);
    if (c->before)
        c->before->next = c->next;
    else
        sse->clients = c->next;
    if (c->next)
        c->next->before = c->before;
    sse->count--;
    pthread_mutex_unlock(&sse->lock);
    snapshots_put(sse->snapshots, c->snapshot);
    free(c);
}

/* A linked client, or NULL when there are too many or memory is short. */
static struct client *client_new(struct sse *sse, struct MHD_Connection *connection,
                                 const struct access_grant *grant, unsigned *ret_retry_ms)
{
    uint64_t rendered;
    size_t snapshot_bytes;
    snapshots_stats(sse->snapshots, &rendered, &snapshot_bytes);
    struct client *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->sse = sse;
    c->connection = connection;
    c->grant = *grant;
    c->sent_ms = monotonic_ms();
    pthread_mutex_lock(&sse->lock);
    if (sse->stopping || sse->count >= sse->options.clients_max ||
        snapshot_bytes > SNAPSHOT_BYTES_MAX) {
        pthread_mutex_unlock(&sse->lock);
        free(c);
        return NULL;
    }
    sse->count++;
    /* Spread, so that a restart is not met by every page at once. */
    *ret_retry_ms = RETRY_MS + sse->opened++ * 397 % RETRY_JITTER_MS;
    c->sweep = sse->sweep;
    c->next = sse->clients;
    if (c->next)
        c->next->before = c;
    sse->clients = c;
    pthread_mutex_unlock(&sse->lock);
    return c;
}

static struct MHD_Response *stream_response(struct sse *sse, struct client *c)
{
    struct MHD_Response *response =
        c ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, c, client_free)
          : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    reply_headers(response, "text/event-stream", REPLY_NO_STORE);
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    MHD_add_response_header(response, "X-Amitap-Pages", sse->options.pages);
    if (c && c->grant.kind == ACCESS_SESSION)
        MHD_add_response_header(response, "X-Amitap-Person", c->grant.person.name);
    return response;
}

enum MHD_Result sse_answer(struct sse *sse, struct MHD_Connection *connection,
                           const struct request *r, const struct access_grant *grant,
                           bool *ret_opened)
{
    const struct reply_more later = {.retry_seconds = RETRY_AFTER_SECONDS};
    const struct reply_more closing = {.retry_seconds = RETRY_AFTER_SECONDS, .close = true};
    const char *last_event_id = r->last_event_id;
    const struct web_source *source = sse->source;
    unsigned retry_ms = RETRY_MS;
    uint64_t seq;
    *ret_opened = false;
    if (strcmp(r->method, MHD_HTTP_METHOD_HEAD) == 0)
        return reply_send(connection, MHD_HTTP_OK, stream_response(sse, NULL));
    struct client *c = client_new(sse, connection, grant, &retry_ms);
    if (!c) {
        atomic_fetch_add(&sse->refused, 1);
        return reply_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams\n", &later);
    }
    if (last_event_id && event_id_read(last_event_id, source->boot(source->ctx),
                                       source->newest(source->ctx), &seq)) {
        open_with_changes(c, seq, retry_ms);
    } else if (!open_with_snapshot(c, last_event_id != NULL, retry_ms)) {
        client_free(c);
        return reply_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n", &closing);
    }
    struct MHD_Response *response = stream_response(sse, c);
    if (!response)
        client_free(c);
    *ret_opened = response != NULL;
    return reply_send(connection, MHD_HTTP_OK, response);
}

struct sse *sse_new(const struct web_source *source, struct snapshots *snapshots,
                    const struct sse_options *options)
{
    struct sse *sse = calloc(1, sizeof(*sse));
    if (!sse)
        return NULL;
    sse->source = source;
    sse->snapshots = snapshots;
    sse->options = *options;
    pthread_mutex_init(&sse->lock, NULL);
    sse->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sse->wake_fd < 0 || pthread_create(&sse->pacer, NULL, pace, sse) != 0) {
        if (sse->wake_fd >= 0)
            close(sse->wake_fd);
        pthread_mutex_destroy(&sse->lock);
        free(sse);
        return NULL;
    }
    pthread_setname_np(sse->pacer, "web-pacer");
    return sse;
}

void sse_stop(struct sse *sse)
{
    pthread_mutex_lock(&sse->lock);
    sse->stopping = true;
    for (struct client *c = sse->clients; c; c = c->next) {
        if (!c->suspended)
            continue;
        c->suspended = false;
        c->flushed = true;
        MHD_resume_connection(c->connection);
    }
    pthread_mutex_unlock(&sse->lock);
    sse_wake(sse);
    pthread_join(sse->pacer, NULL);
}

void sse_free(struct sse *sse)
{
    if (!sse)
        return;
    assert(!sse->clients);
    close(sse->wake_fd);
    pthread_mutex_destroy(&sse->lock);
    free(sse);
}

struct sse_stats sse_stats(struct sse *sse)
{
    struct sse_stats stats = {.resets = atomic_load(&sse->resets),
                              .refused = atomic_load(&sse->refused)};
    pthread_mutex_lock(&sse->lock);
    stats.clients = sse->count;
    pthread_mutex_unlock(&sse->lock);
    return stats;
}
