/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_RING_H
#define COLLECTOR_BASE_RING_H

#include "parsers/slice.h"
#include <stdint.h>

/* A bounded ring of byte records between one writing and one reading thread. The writer never
 * waits: a record that does not fit is refused and counted. */
struct ring;

/* A ring of at most max bytes (rounded down to whole words, 64 bytes at least), records' lengths
 * included. NULL when memory is short. */
struct ring *ring_new(size_t max);
void ring_free(struct ring *r);

/* Writer: adds a record and wakes the reader. False, and one more in ring_refused, when full. */
bool ring_push(struct ring *r, struct slice record);

/* Any thread: a record was left out, and is counted as refused. */
void ring_refuse(struct ring *r);

/* Writer: no more records will come; the reader gets what is left, then false. */
void ring_close(struct ring *r);

/* Reader: the oldest record, borrowed until ring_pop. Waits up to timeout_ms (-1: for ever, 0: not
 * at all). False on timeout, and when the ring is closed and empty. */
bool ring_peek(struct ring *r, int timeout_ms, struct slice *ret_record);
void ring_pop(struct ring *r);

/* Any thread. */
bool ring_closed(struct ring *r);
size_t ring_bytes(struct ring *r);
size_t ring_max(const struct ring *r);
uint64_t ring_refused(struct ring *r);

#endif
