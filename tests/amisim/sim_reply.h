/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_REPLY_H
#define TESTS_AMISIM_SIM_REPLY_H

#include "tests/amisim/sim_pbx.h"

/* One answer being written. */
struct sim_reply {
    struct sim_pbx *pbx;
    struct sim_session *session;
    struct buf *out;
    struct slice lines; /* the action */
    struct slice id;    /* its ActionID; empty: none */
    uint64_t items;     /* of the list so far */
};

/* "Response: …", its ActionID, and a Message unless that is NULL; the blank line is the caller's.
 */
void sim_reply_response(struct sim_reply *r, const char *response, const char *message);
/* A whole refusal or failure. */
void sim_reply_error(struct sim_reply *r, const char *message);
void sim_reply_line(struct sim_reply *r, const char *name, struct slice value);
void sim_reply_number(struct sim_reply *r, const char *name, int64_t value);
/* The blank line. */
void sim_reply_end(struct sim_reply *r);
/* "ActionID: …" where the action had one. */
void sim_reply_id(struct sim_reply *r);

/* A list: its whole head, an item's first line, and its last event without the blank line. */
void sim_reply_list(struct sim_reply *r, const char *message);
void sim_reply_item(struct sim_reply *r, const char *event);
void sim_reply_complete(struct sim_reply *r, const char *event);

#endif
