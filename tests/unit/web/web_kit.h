/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_WEB_WEB_KIT_H
#define TESTS_UNIT_WEB_WEB_KIT_H

#include "web/http.h"
#include <pthread.h>

/* The web edge on a source of the test's own, and a client that speaks HTTP by hand. */

#define KIT_CHANGES 4096

struct kit {
    pthread_mutex_t lock;
    char *changes[KIT_CHANGES + 1]; /* rendered; by seq */
    uint64_t newest, oldest;        /* what is older than oldest is not held */
    char *spare;                    /* the last one forgotten, used again: freed memory may stay */
    size_t spare_n;
    size_t snapshot_bytes; /* padding in the snapshot */
    bool degraded;
    struct web_source source;
    struct web_edge *edge;
    int port;
};

/* Starts an edge on any port of 127.0.0.1; zeros take the defaults. */
void kit_start(struct kit *k, unsigned clients_max, unsigned heartbeat_ms);
/* The same with all options; listen is taken if it is given. */
void kit_start_with(struct kit *k, const struct web_options *options);
void kit_stop(struct kit *k);

/* Makes snapshots this much larger from now on. */
void kit_pad(struct kit *k, size_t n);

/* Adds a change whose data is n times 'x' and wakes the edge. */
void kit_change(struct kit *k, size_t n);

/* Forgets all changes before the newest n. */
void kit_forget(struct kit *k, uint64_t n);

/* A connection that sent this text; "\r\n" is added to each "\n". */
int kit_send(struct kit *k, const char *text);

/* Sends a GET with these further header lines. */
int kit_get(struct kit *k, const char *path, const char *headers);

struct answer {
    char *text; /* what came, NUL ended; head and body */
    size_t n;
    size_t head_n;
    char *body; /* de-chunked; NULL as long as the head is not there */
    int status;
    bool closed; /* the server closed */
};

/* Reads until the body holds this text, the server closes, or the time is up; the answer may be
 * one of before, to which is added. Free it with answer_free. */
void answer_read(struct answer *a, int fd, const char *until, int timeout_ms);
void answer_free(struct answer *a);

/* The whole answer to a request after which the connection is closed by us. */
struct answer kit_ask(struct kit *k, const char *request);

/* The value of a header of the answer, as "Name: value"; whether it is there. */
bool answer_has(const struct answer *a, const char *header);

/* How often text stands in the body. */
unsigned answer_count(const struct answer *a, const char *text);

int64_t kit_ms(void);

#endif
