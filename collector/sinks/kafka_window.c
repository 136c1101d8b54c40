/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_window.h"

#include <assert.h>
#include <stdlib.h>

bool kafka_window_init(struct kafka_window *w)
{
    *w = (struct kafka_window){.rows = calloc(KAFKA_WINDOW_ROWS, sizeof(struct kafka_sent))};
    return w->rows != NULL;
}

void kafka_window_free(struct kafka_window *w)
{
    free(w->rows);
    w->rows = NULL;
}

static struct kafka_sent *row_at(const struct kafka_window *w, size_t i)
{
    return &w->rows[(w->first + i) % KAFKA_WINDOW_ROWS];
}

bool kafka_window_has_room(const struct kafka_window *w, size_t rows)
{
    return w->count + rows <= KAFKA_WINDOW_ROWS && w->bytes < KAFKA_WINDOW_BYTES;
}

struct kafka_sent *kafka_window_add(struct kafka_window *w, uint64_t seq, size_t bytes)
{
    assert(w->count < KAFKA_WINDOW_ROWS && seq > kafka_window_newest(w));
    struct kafka_sent *row = row_at(w, w->count++);
    *row = (struct kafka_sent){.seq = seq, .bytes = bytes, .state = KAFKA_SENT};
    w->bytes += bytes;
    return row;
}

void kafka_window_take_back(struct kafka_window *w)
{
    assert(w->count > 0);
    w->bytes -= row_at(w, --w->count)->bytes;
}

struct kafka_sent *kafka_window_head(struct kafka_window *w)
{
    return w->count ? row_at(w, 0) : NULL;
}

void kafka_window_drop_head(struct kafka_window *w)
{
    assert(w->count > 0);
    w->bytes -= row_at(w, 0)->bytes;
    w->first = (w->first + 1) % KAFKA_WINDOW_ROWS;
    w->count--;
}

size_t kafka_window_pass(struct kafka_window *w, uint64_t *cursor)
{
    size_t passed = 0;
    for (; w->count && row_at(w, 0)->state == KAFKA_ACKED; passed++) {
        *cursor = row_at(w, 0)->seq;
        kafka_window_drop_head(w);
    }
    return passed;
}

uint64_t kafka_window_newest(const struct kafka_window *w)
{
    return w->count ? row_at(w, w->count - 1)->seq : 0;
}

void kafka_window_clear(struct kafka_window *w)
{
    w->first = w->count = w->bytes = 0;
}
