/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_VIEW_CHANGE_RING_H
#define COLLECTOR_VIEW_CHANGE_RING_H

#include "parsers/slice.h"
#include <stdint.h>
#include <sys/types.h>

/* The newest changes as rendered SSE messages, in one block of bytes that all clients read with
 * cursors of their own. The oldest make room for the newest. Not locked: the owner does that. */
struct change_ring;

/* A ring of bytes bytes at most, whose ids begin with boot. NULL when memory is short. */
struct change_ring *change_ring_new(size_t bytes, const char *boot);
void change_ring_free(struct change_ring *r);

/* Appends "id: <boot>-<seq>", "event: <event>", "data: <json>". json must be one line. A message
 * larger than the ring empties it: every client is then sent a snapshot. Returns the seq. */
uint64_t change_ring_add(struct change_ring *r, const char *event, struct slice json);

/* Forgets all messages, as if one had come that nobody may read: every client is then sent a
 * snapshot. */
void change_ring_forget(struct change_ring *r);

/* The seq of the newest message; 0 before the first. */
uint64_t change_ring_newest(const struct change_ring *r);

/* Copies what follows the message *seq, of which *offset bytes have been read already, into to, and
 * moves both. Returns the bytes copied, 0 when there is nothing newer, -1 when it is not held. */
ssize_t change_ring_read(const struct change_ring *r, uint64_t *seq, size_t *offset, char *to,
                         size_t size);

#endif
