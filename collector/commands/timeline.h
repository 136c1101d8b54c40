/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_TIMELINE_H
#define COLLECTOR_COMMANDS_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The lines of `amitap explain`: what happened when, to whom, and why it is told. */

/* Among lines of one moment: what begins before what goes on before what ends. */
enum timeline_rank { TIMELINE_BEGINS, TIMELINE_ROW_ENDS, TIMELINE_GOES_ON, TIMELINE_ENDS };

struct timeline_line {
    int64_t time; /* microseconds since 1970 */
    enum timeline_rank rank;
    const char *rule;  /* one word for programs; a constant */
    const char *event; /* name of the AMI event; NULL or empty: none */
    const char *who;   /* a channel, as Asterisk names it, or another name */
    const char *what;
    const char *why;
};

struct timeline {
    struct timeline_line *lines; /* its texts are owned */
    size_t count, size;
    bool failed; /* memory was short */
};

/* Copies the line into the timeline. */
void timeline_add(struct timeline *t, const struct timeline_line *line);
void timeline_free(struct timeline *t);

/* By time, then rank; equal lines in the order in which they were added. */
void timeline_sort(struct timeline *t);

/* A channel's name without the zeros of its number, "PJSIP/109-00000011" as "PJSIP/109-11". The
 * text holds at least TIMELINE_NAME_SIZE bytes and is returned; longer names are cut. */
#define TIMELINE_NAME_SIZE 128
const char *timeline_short_name(const char *channel, char *text);

/* Aligned text, times relative to start and in UTC; or one JSON object a line. */
void timeline_print(const struct timeline *t, int64_t start, FILE *to);
void timeline_print_json(const struct timeline *t, int64_t start, FILE *to);

#endif
