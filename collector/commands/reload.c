/* SPDX-License-Identifier: MIT */
#include "collector/commands/reload.h"

#include "collector/commands/run_config.h"
#include "collector/commands/tap_config.h"
#include "collector/commands/web_config.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct reload {
    const char *path;
    reload_done *done;
    void *ctx;
    int read_fd; /* eventfd: the thread has read */
    struct event *ready;
    pthread_t thread;
    bool reading; /* the thread runs, and the result is its */
    bool again;   /* asked for meanwhile */
    struct reload_result result;
};

static void forget(struct reload_result *result)
{
    size_t count = result->config && result->tls ? config_pbx_count(result->config) : 0;
    for (size_t i = 0; i < count; i++)
        ami_tls_free(result->tls[i]);
    free(result->tls);
    config_free(result->config);
    free(result->said);
    *result = (struct reload_result){0};
}

/* False after a line in `to`. */
static bool make_tls(struct reload_result *result, FILE *to)
{
    size_t count = config_pbx_count(result->config);
    result->tls = calloc(count, sizeof(*result->tls));
    for (size_t i = 0; result->tls && i < count; i++) {
        if (!tap_config_tls(config_pbx(result->config, i), &result->tls[i], to))
            return false;
    }
    return result->tls != NULL;
}

static void *read_all(void *arg)
{
    struct reload *r = arg;
    struct reload_result *result = &r->result;
    size_t n;
    FILE *to = open_memstream(&result->said, &n);
    if (to)
        result->config = run_config_load(r->path, to);
    bool good = result->config && make_tls(result, to);
    if (good)
        result->certificate = web_config_certificate(result->config);
    if (to)
        fclose(to);
    if (!good) {
        char *said = result->said;
        result->said = NULL;
        forget(result);
        result->said = said;
    }
    eventfd_write(r->read_fd, 1);
    return NULL;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct reload *r = arg;
    eventfd_t count;
    (void)what;
    eventfd_read(fd, &count);
    pthread_join(r->thread, NULL);
    r->reading = false;
    r->done(r->ctx, &r->result);
    forget(&r->result);
    if (r->again) {
        r->again = false;
        reload_start(r);
    }
}

struct reload *reload_new(struct event_base *base, const char *path, reload_done *done, void *ctx)
{
    struct reload *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->path = path;
    r->done = done;
    r->ctx = ctx;
    r->read_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (r->read_fd >= 0)
        r->ready = event_new(base, r->read_fd, EV_READ | EV_PERSIST, on_read, r);
    if (r->ready && event_add(r->ready, NULL) == 0)
        return r;
    reload_free(r);
    return NULL;
}

void reload_free(struct reload *r)
{
    if (!r)
        return;
    if (r->reading)
        pthread_join(r->thread, NULL);
    forget(&r->result);
    if (r->ready)
        event_free(r->ready);
    if (r->read_fd >= 0)
        close(r->read_fd);
    free(r);
}

void reload_start(struct reload *r)
{
    struct reload_result nothing = {0};
    r->again = r->reading;
    if (r->reading)
        return;
    r->reading = pthread_create(&r->thread, NULL, read_all, r) == 0;
    if (!r->reading)
        r->done(r->ctx, &nothing);
}
