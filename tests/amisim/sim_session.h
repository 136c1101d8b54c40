/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_SESSION_H
#define TESTS_AMISIM_SIM_SESSION_H

#include "collector/base/buf.h"
#include <event2/event.h>
#include <stdint.h>

/* AMI sessions: the listening socket, one client each with what it sent and what waits for it.
 * A client that reads nothing for the write timeout while something waits for it is cut, as
 * main/manager.c does; so is one for which too much waits. */

struct sim_session_options {
    uint16_t port;            /* 0: any free one */
    unsigned writetimeout_ms; /* 0: clients are never cut for it */
    int sndbuf;               /* SO_SNDBUF of clients; 0: the system's */
    size_t queue_bytes;       /* bound of what may wait for one client */
};

struct sim_session;

struct sim_session_ops {
    void *ctx;
    /* A client connected: send the banner. */
    void (*opened)(void *ctx, struct sim_session *s);
    /* A client sent a whole action: its lines without the blank line at their end. */
    void (*action)(void *ctx, struct sim_session *s, struct slice lines);
    /* A client is gone, before it is freed. */
    void (*closed)(void *ctx, struct sim_session *s);
};

/* What the rest of the simulator keeps with a client. */
struct sim_account {
    uint64_t id; /* counts from 1 */
    bool logged_in;
    uint32_t events; /* classes it gets */
    char challenge[16];
};

struct sim_sessions;

/* Listens on 127.0.0.1. NULL with one line of reason in error. */
struct sim_sessions *sim_sessions_new(struct event_base *base,
                                      const struct sim_session_options *options,
                                      const struct sim_session_ops *ops, char *error,
                                      size_t error_size);
void sim_sessions_free(struct sim_sessions *sessions);

/* The port it listens on; how many clients are logged in now; how many ever connected. */
uint16_t sim_sessions_port(const struct sim_sessions *sessions);
unsigned sim_sessions_logged_in(const struct sim_sessions *sessions);
uint64_t sim_sessions_opened(const struct sim_sessions *sessions);
/* Clients that were cut since they did not read, or since too much waited for them. */
uint64_t sim_sessions_cut(const struct sim_sessions *sessions);
/* The most bytes that wait for any one client. */
size_t sim_sessions_waiting(const struct sim_sessions *sessions);

/* Puts an event into every logged-in client that gets all of these classes. */
void sim_sessions_event(struct sim_sessions *sessions, uint32_t classes, struct slice bytes);

/* Ends the sessions of all who are logged in when all that waits for them was sent. */
void sim_sessions_end(struct sim_sessions *sessions);

/* Sends nothing to anybody for so many milliseconds, as a PBX that stands still: nobody is cut for
 * it. */
void sim_sessions_stall(struct sim_sessions *sessions, unsigned ms);

/* Hands over to the sockets what waits, and frees clients that are done. */
void sim_sessions_flush(struct sim_sessions *sessions);

/* The account that the client logged in with; lives as long as the session. */
struct sim_account *sim_session_account(struct sim_session *s);

/* Where replies are written; they leave with the next flush. */
struct buf *sim_session_out(struct sim_session *s);

/* Ends the session when all that waits was sent. Nothing more is read from it. */
void sim_session_end(struct sim_session *s);

/* Sends these bytes in so many milliseconds, reading nothing meanwhile, then ends. */
void sim_session_end_later(struct sim_session *s, unsigned ms, struct slice last);

#endif
