/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_SINKS_KAFKA_WINDOW_H
#define COLLECTOR_SINKS_KAFKA_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The records that were handed to the producer and are not settled yet, in the outbox's order. It
 * is what bounds the producer's memory, and what the cursor is moved by: over records that were
 * acknowledged without a gap. */

#define KAFKA_WINDOW_ROWS  16384U
#define KAFKA_WINDOW_BYTES ((size_t)32 * 1024 * 1024)

struct kafka_partition;

enum kafka_sent_state { KAFKA_SENT, KAFKA_ACKED, KAFKA_REFUSED };

struct kafka_sent {
    uint64_t seq;
    size_t bytes;
    struct kafka_partition *partition; /* where the producer has it; NULL: it took none */
    enum kafka_sent_state state;
    int error; /* why it was refused: an rd_kafka_resp_err_t */
};

struct kafka_window {
    struct kafka_sent *rows; /* a ring */
    size_t first, count, bytes;
};

/* False when memory is short. */
bool kafka_window_init(struct kafka_window *w);
void kafka_window_free(struct kafka_window *w);

/* Whether so many more rows may be sent now. The bound in bytes holds for the moment before: one
 * more chunk may pass it. */
bool kafka_window_has_room(const struct kafka_window *w, size_t rows);

/* Adds a row as sent. It stays where it is until it is passed or the window is cleared; there must
 * be room. */
struct kafka_sent *kafka_window_add(struct kafka_window *w, uint64_t seq, size_t bytes);

/* Takes back the row that was added last. */
void kafka_window_take_back(struct kafka_window *w);

/* Drops the acknowledged rows at the front. *cursor becomes the last of them, if there is any;
 * returns how many there were. */
size_t kafka_window_pass(struct kafka_window *w, uint64_t *cursor);

/* The oldest row, or NULL. */
struct kafka_sent *kafka_window_head(struct kafka_window *w);

/* Drops the oldest row, whatever became of it. */
void kafka_window_drop_head(struct kafka_window *w);

/* The newest row's seq; 0 when there is none. */
uint64_t kafka_window_newest(const struct kafka_window *w);

/* Forgets all rows. */
void kafka_window_clear(struct kafka_window *w);

#endif
