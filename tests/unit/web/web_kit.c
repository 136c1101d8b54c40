/* SPDX-License-Identifier: MIT */
#include "tests/unit/web/web_kit.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static bool source_snapshot(void *ctx, const struct web_scope *scope, struct web_text *text,
                            uint64_t *ret_seq)
{
    struct kit *k = ctx;
    char head[128];
    (void)scope;
    pthread_mutex_lock(&k->lock);
    *ret_seq = k->newest;
    int n = snprintf(head, sizeof(head), "{\"seq\":%u,\"pad\":\"", (unsigned)k->newest);
    bool ok = web_text_put(text, head, (size_t)n);
    for (size_t i = 0; ok && i < k->snapshot_bytes; i += 64)
        ok = web_text_put(text, "0123456789012345678901234567890123456789012345678901234567890123",
                          64);
    ok = ok && web_text_put(text, "\"}", 2);
    pthread_mutex_unlock(&k->lock);
    return ok;
}

static ssize_t source_changes(void *ctx, const struct web_scope *scope, struct web_cursor *cursor,
                              char *to, size_t size)
{
    struct kit *k = ctx;
    size_t n = 0;
    (void)scope;
    pthread_mutex_lock(&k->lock);
    if (cursor->seq > k->newest || (cursor->seq < k->newest && cursor->seq + 1 < k->oldest)) {
        pthread_mutex_unlock(&k->lock);
        return -1;
    }
    while (n < size && cursor->seq < k->newest) {
        const char *text = k->changes[cursor->seq + 1];
        size_t left = strlen(text + cursor->offset);
        size_t taken = left < size - n ? left : size - n;
        memcpy(to + n, text + cursor->offset, taken);
        n += taken;
        cursor->offset += taken;
        if (taken == left) {
            cursor->seq++;
            cursor->offset = 0;
        }
    }
    pthread_mutex_unlock(&k->lock);
    return (ssize_t)n;
}

static uint64_t source_newest(void *ctx)
{
    struct kit *k = ctx;
    pthread_mutex_lock(&k->lock);
    uint64_t newest = k->newest;
    pthread_mutex_unlock(&k->lock);
    return newest;
}

static const char *source_boot(void *ctx)
{
    (void)ctx;
    return "boot";
}

static enum web_health source_health(void *ctx, struct web_text *text)
{
    struct kit *k = ctx;
    web_text_put(text, "{}", 2);
    return k->degraded ? WEB_HEALTH_DEGRADED : WEB_HEALTH_OK;
}

void kit_start(struct kit *k, unsigned clients_max, unsigned heartbeat_ms)
{
    const struct web_options options = {.sse_clients_max = clients_max,
                                        .heartbeat_ms = heartbeat_ms};
    kit_start_with(k, &options);
}

void kit_start_with(struct kit *k, const struct web_options *options)
{
    struct web_options all = *options;
    char error[256] = "";
    memset(k, 0, sizeof(*k));
    pthread_mutex_init(&k->lock, NULL);
    k->oldest = 1;
    k->source = (struct web_source){.ctx = k,
                                    .snapshot = source_snapshot,
                                    .changes = source_changes,
                                    .newest = source_newest,
                                    .boot = source_boot,
                                    .health = source_health};
    all.listen = all.listen ? all.listen : "127.0.0.1:0";
    k->edge = http_edge_ops.start(&all, &k->source, error, sizeof(error));
    ck_assert_msg(k->edge != NULL, "%s", error);
    k->port = (int)strtol(strrchr(http_edge_ops.address(k->edge), ':') + 1, NULL, 10);
}

void kit_stop(struct kit *k)
{
    http_edge_ops.stop(k->edge);
    for (size_t i = 0; i <= KIT_CHANGES; i++)
        free(k->changes[i]);
    free(k->spare);
    pthread_mutex_destroy(&k->lock);
}

void kit_pad(struct kit *k, size_t n)
{
    pthread_mutex_lock(&k->lock);
    k->snapshot_bytes = n;
    pthread_mutex_unlock(&k->lock);
}

void kit_change(struct kit *k, size_t n)
{
    char *text = k->spare && k->spare_n == n ? k->spare : malloc(n + 100);
    if (text == k->spare)
        k->spare = NULL;
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(k->newest, KIT_CHANGES);
    int head = snprintf(text, 100, "id: boot-%u\nevent: call\ndata: ", (unsigned)k->newest + 1);
    memset(text + head, 'x', n);
    memcpy(text + head + n, "\n\n", 3);
    pthread_mutex_lock(&k->lock);
    k->changes[++k->newest] = text;
    pthread_mutex_unlock(&k->lock);
    http_edge_ops.wake(k->edge);
}

void kit_forget(struct kit *k, uint64_t n)
{
    pthread_mutex_lock(&k->lock);
    while (k->oldest + n <= k->newest) {
        free(k->spare);
        k->spare = k->changes[k->oldest];
        k->spare_n = strlen(strstr(k->spare, "data: ") + 6) - 2;
        k->changes[k->oldest++] = NULL;
    }
    pthread_mutex_unlock(&k->lock);
}

int kit_send(struct kit *k, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)k->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    for (const char *p = text; *p; p++) {
        const char *bytes = *p == '\n' ? "\r\n" : p;
        size_t n = *p == '\n' ? 2 : 1;
        ck_assert_int_eq(send(fd, bytes, n, MSG_MORE | MSG_NOSIGNAL), (ssize_t)n);
    }
    int off = 0;
    setsockopt(fd, IPPROTO_TCP, 3 /* TCP_CORK */, &off, sizeof(off));
    return fd;
}

int kit_get(struct kit *k, const char *path, const char *headers)
{
    char text[1024];
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\nHost: localhost\n%s\n", path, headers);
    return kit_send(k, text);
}

int64_t kit_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool answer_has(const struct answer *a, const char *header)
{
    const char *found = strcasestr(a->text, header);
    return found && (size_t)(found - a->text) < a->head_n;
}

/* Takes the chunk sizes out of a copy of what came behind the head. */
static char *dechunk(const char *from)
{
    char *to = calloc(1, strlen(from) + 1), *end;
    size_t n = 0;
    ck_assert_ptr_nonnull(to);
    for (;;) {
        unsigned long size = strtoul(from, &end, 16);
        if (end == from || strncmp(end, "\r\n", 2) != 0 || size == 0)
            return to;
        size_t there = strlen(end + 2);
        size_t taken = there < size ? there : size;
        memcpy(to + n, end + 2, taken);
        n += taken;
        if (there < size + 2)
            return to;
        from = end + 2 + size + 2;
    }
}

static void judge(struct answer *a)
{
    char *head_end = strstr(a->text, "\r\n\r\n");
    free(a->body);
    a->body = NULL;
    if (!head_end)
        return;
    a->status = (int)strtol(a->text + strlen("HTTP/1.1 "), NULL, 10);
    a->head_n = (size_t)(head_end - a->text);
    *head_end = '\0';
    bool chunked = answer_has(a, "Transfer-Encoding: chunked");
    *head_end = '\r';
    a->body = chunked ? dechunk(head_end + 4) : strdup(head_end + 4);
}

void answer_read(struct answer *a, int fd, const char *until, int timeout_ms)
{
    int64_t end = kit_ms() + timeout_ms;
    for (;;) {
        if (a->text)
            judge(a);
        if (a->body && until && strstr(a->body, until))
            return;
        int left = (int)(end - kit_ms());
        struct pollfd in = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&in, 1, left) <= 0)
            return;
        char *text = realloc(a->text, a->n + 65537);
        ck_assert_ptr_nonnull(text);
        a->text = text;
        ssize_t n = recv(fd, a->text + a->n, 65536, 0);
        a->n += n > 0 ? (size_t)n : 0;
        a->text[a->n] = '\0';
        if (n <= 0) {
            a->closed = true;
            judge(a);
            return;
        }
    }
}

void answer_free(struct answer *a)
{
    free(a->text);
    free(a->body);
    *a = (struct answer){0};
}

struct answer kit_ask(struct kit *k, const char *request)
{
    struct answer a = {0};
    int fd = kit_send(k, request);
    answer_read(&a, fd, NULL, 5000);
    close(fd);
    ck_assert(a.closed);
    return a;
}

unsigned answer_count(const struct answer *a, const char *text)
{
    unsigned n = 0;
    for (const char *p = a->body; p && (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}
