/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_WRITER_H
#define COLLECTOR_OUTBOX_WRITER_H

#include "collector/base/clock.h"
#include "collector/base/ring.h"
#include "collector/outbox/outbox.h"

/* The writer thread: takes batches (facts/batch.h) from a ring and commits them to the outbox as
 * soon as it is free. What came meanwhile goes into one transaction, bounded in bytes; nothing
 * waits more than 20 ms for company. When the disk is full or fails it stops committing and tries
 * again, which is logged once; meanwhile the ring fills, and refuses and counts what does not fit.
 * A batch past 64 MiB, twice what the loop makes (commands/publish.h), is lost, logged and counted
 * as refused by the ring. */
struct writer;

/* Starts the thread. Outbox, ring and clock must outlive it. NULL when there is no memory or no
 * thread. */
struct writer *writer_start(struct outbox *o, struct ring *ring, const struct clock *clock);

/* How often it has looked for something to do or tried to do it, which it does each second at least
 * unless it is stuck. Any thread. */
uint64_t writer_turns(struct writer *w);

/* Ends the thread once it has committed all that is in the ring, which must have been closed. With
 * a disk that keeps failing it gives up after about a second: then -1, and what was left is logged
 * as lost; else 0. The outbox is closed (outbox_close): its sinks may end when they have caught up.
 * Frees the writer. NULL is allowed. */
int writer_stop(struct writer *w);

#endif
