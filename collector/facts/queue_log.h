/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_QUEUE_LOG_H
#define COLLECTOR_FACTS_QUEUE_LOG_H

#include "collector/facts/emit.h"

/* One line of Asterisk's queue_log as a fact. */
#define QUEUE_LOG_ARGS_MAX 6

struct queue_log_line {
    const char *event;
    struct slice
        uniqueid; /* of the caller; "NONE" where the line is about no call; p NULL: not known */
    struct slice queue;
    struct slice agent; /* member's name or interface, "NONE" */
    struct slice args[QUEUE_LOG_ARGS_MAX];
    size_t count;
    bool inferred; /* what it says was not all seen */
};

/* Emits the line as a fact of the moment at hand. */
void queue_log_emit(struct emitter *e, const struct queue_log_line *line);

/* The line as Asterisk writes it, "epoch|callid|queue|agent|event|args", from its fact. False when
 * the fact is no queue_log line. */
bool queue_log_text(struct slice fact, struct buf *to);

/* A number as an argument; text is its storage. */
#define QUEUE_LOG_NUMBER_SIZE 24
struct slice queue_log_number(int64_t value, char text[QUEUE_LOG_NUMBER_SIZE]);

#endif
