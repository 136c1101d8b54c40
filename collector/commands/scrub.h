/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_SCRUB_H
#define COLLECTOR_COMMANDS_SCRUB_H

#include "collector/base/buf.h"
#include "collector/commands/scrub_key.h"

/* Takes people out of a recorded AMI stream and leaves the calls in it. Read twice: scrub_learn
 * with every line, then scrub_line with every line, since a name stands in the dialplan's words
 * before it stands in a name header.
 *
 * Replaced, everywhere but in headers that only Asterisk fills (ids, times, states; not what a
 * dialplan puts into a UserEvent under their names):
 *   - what looks like a telephone number (number_scan_number)
 *   - numbers of five and six digits that stood in a number header; shorter ones are extensions
 *   - names that stood in a name header, in any case, when they have three bytes or more
 *   - in the name header itself every name
 *   - DTMF digits, each by 0
 * Kept: ids, channels' serials, device, queue and context names, addresses, times. A name that
 * never stood in a name header cannot be known. */
struct scrub;

/* Names and short numbers that are looked for; past it a name is replaced in name headers only. */
#define SCRUB_NAMES_MAX 200000u
/* The longest name that is looked for. */
#define SCRUB_NAME_MAX 255u

struct scrub_counters {
    uint64_t lines;
    uint64_t numbers; /* places where one was replaced */
    uint64_t names;
    uint64_t not_learned; /* past SCRUB_NAMES_MAX */
};

/* The key is not kept. NULL when memory is short. */
struct scrub *scrub_new(const uint8_t key[SCRUB_KEY_SIZE]);
void scrub_free(struct scrub *s);

/* Learns from one line of the stream, without CR LF. */
void scrub_learn(struct scrub *s, struct slice line);

/* Appends the line as it may be shown, without CR LF. False when `to` is full. */
bool scrub_line(struct scrub *s, struct slice line, struct buf *to);

/* What it counted since it was made. */
struct scrub_counters scrub_counters(const struct scrub *s);

#endif
