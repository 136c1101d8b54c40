/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_LINK_FAKE_PBX_H
#define TESTS_UNIT_LINK_FAKE_PBX_H

#include "collector/base/buf.h"
#include <event2/event.h>
#include <stdint.h>

/* A PBX end in the test's own loop: answers as Asterisk does, except for what the test says. */

#define FAKE_SECRET       "s3cret\\with#all"
#define FAKE_TRUNK_SECRET "of-the-trunk"

enum fake_refusal { FAKE_NOTHING, FAKE_LOGIN, FAKE_CHALLENGE, FAKE_REPORTING };

struct fake_pbx {
    struct event_base *base;
    struct event *listening, *readable, *sending;
    int listener, fd;
    uint16_t port;
    unsigned accepted;
    char actions[4096];      /* names of all that was asked, each followed by a blank */
    struct buf in, out, all; /* all: every byte that was sent to it */
    bool trickle;            /* sends one byte at a time */
    bool no_fully_booted;
    const char *banner;
    const char *close_at; /* closes when it gets this action; "accept", "banner": earlier */
    const char *deaf_to;  /* does not answer this action; "accept": sends no banner */
    enum fake_refusal refuses;
};

/* Listens on a free port of 127.0.0.1. */
void fake_pbx_open(struct fake_pbx *pbx, struct event_base *base);
/* At this address, on this port (0: a free one). */
void fake_pbx_open_at(struct fake_pbx *pbx, struct event_base *base, const char *host,
                      uint16_t port);
void fake_pbx_close(struct fake_pbx *pbx);

/* Sends bytes to the client there is. */
void fake_pbx_send(struct fake_pbx *pbx, const char *text);

/* Closes the client there is. */
void fake_pbx_hang_up(struct fake_pbx *pbx);

#endif
