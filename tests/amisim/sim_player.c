/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_player.h"

#include <stdlib.h>

#define SECOND    INT64_C(1000000)
#define EVENT_MAX (1024u * 1024)
#define HELD_WAIT (SECOND / 20)

struct lane {
    size_t first; /* which recording it begins with */
    size_t done;  /* recordings played in this loop */
    uint64_t loops_left;
    const struct sim_recording *recording;
    size_t event;      /* the next one */
    int64_t start_pos; /* where the recording begins on the stream's clock */
    struct sim_rename rename;
};

struct sim_player {
    struct sim_player_options options;
    struct sim_player_ops ops;
    struct sim_recording *const *recordings;
    size_t count;
    struct lane *lanes; /* all of them */
    struct lane **heap; /* those with more to play, the next due first */
    size_t lanes_count;
    size_t heap_count;
    int64_t start_mono;
    int64_t start_real;
    int64_t held_mono; /* since when it is held; 0: running */
    int64_t held_us;   /* in all, up to the last resume */
    int64_t base_us;   /* the time of position 0 for recordings that begin from now on */
    uint64_t begun;
    uint64_t events;
    int64_t next_uid;
    int64_t next_channel;
    struct buf bytes;
};

static size_t lane_length(const struct sim_player *p)
{
    return p->options.together ? 1 : p->count;
}

static int64_t lane_due(const struct lane *lane)
{
    return lane->start_pos + lane->recording->events[lane->event].offset_us;
}

static bool lane_before(const struct lane *a, const struct lane *b)
{
    int64_t x = lane_due(a), y = lane_due(b);
    return x < y || (x == y && a < b);
}

/* Restores the order of the heap below its place i. */
static void heap_sink(struct sim_player *p, size_t i)
{
    for (;;) {
        size_t best = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < p->heap_count; child++)
            if (lane_before(p->heap[child], p->heap[best]))
                best = child;
        if (best == i)
            return;
        struct lane *lane = p->heap[i];
        p->heap[i] = p->heap[best];
        p->heap[best] = lane;
        i = best;
    }
}

/* Gives the lane's next recording names of its own and a place at or after pos: the first where
 * the shift in time is a whole number of seconds. */
static void lane_begin(struct sim_player *p, struct lane *lane, int64_t pos)
{
    size_t at = p->options.together ? lane->first : (lane->first + lane->done) % p->count;
    const struct sim_recording *r = p->recordings[at];
    const struct sim_serials *s = &r->serials;
    int64_t move = p->base_us + pos - r->first_us;
    int64_t shift = move / SECOND + (move % SECOND > 0);
    lane->recording = r;
    lane->event = 0;
    lane->start_pos = r->first_us + shift * SECOND - p->base_us;
    lane->rename.shift = shift;
    lane->rename.uid_delta = p->next_uid - s->uid_min;
    lane->rename.channel_delta = p->next_channel - s->channel_min;
    p->begun++;
    lane->rename.bridge_key = (uint32_t)(p->begun + p->options.seed) * 0x9e3779b1u;
    lane->rename.number_key = (uint32_t)p->begun + p->options.seed * 7919u;
    p->next_uid += s->uid_max - s->uid_min + 1;
    p->next_channel += s->channel_max - s->channel_min + 1;
}

/* Moves on behind a whole recording. False when the lane has nothing more to play. */
static bool lane_next(struct sim_player *p, struct lane *lane)
{
    int64_t pos = lane->start_pos + lane->recording->length_us;
    p->ops.played(p->ops.ctx, lane->recording, &lane->rename);
    if (++lane->done == lane_length(p)) {
        lane->done = 0;
        if (p->options.loops && --lane->loops_left == 0)
            return false;
    }
    lane_begin(p, lane, pos);
    return true;
}

static int64_t loop_length(const struct sim_player *p)
{
    int64_t length = 0;
    for (size_t i = 0; i < p->count; i++) {
        int64_t one = p->recordings[i]->length_us + SECOND;
        if (!p->options.together)
            length += one;
        else if (one > length)
            length = one;
    }
    return length;
}

static int64_t stagger(const struct sim_player *p)
{
    if (p->options.stagger_s >= 0)
        return (int64_t)(p->options.stagger_s * (double)SECOND);
    return loop_length(p) / p->options.copies;
}

struct sim_player *sim_player_new(struct sim_recording *const *recordings, size_t count,
                                  const struct sim_player_options *options,
                                  const struct sim_player_ops *ops)
{
    struct sim_player *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    *p = (struct sim_player){.options = *options,
                             .ops = *ops,
                             .recordings = recordings,
                             .count = count,
                             .next_uid = 1,
                             .next_channel = 1,
                             .bytes = buf_new(EVENT_MAX)};
    p->lanes_count = options->copies * (options->together ? count : 1);
    p->lanes = calloc(p->lanes_count, sizeof(*p->lanes));
    p->heap = calloc(p->lanes_count, sizeof(struct lane *));
    if (p->lanes && p->heap)
        return p;
    sim_player_free(p);
    return NULL;
}

void sim_player_free(struct sim_player *p)
{
    if (!p)
        return;
    free(p->lanes);
    free(p->heap);
    buf_free(&p->bytes);
    free(p);
}

/* At another pace than 1 the stream's times would leave the wall clock's; a list with an end is put
 * so that its last event has the time at which it is sent, and no event a time in the future. */
static int64_t base_of(const struct sim_player *p, int64_t real_us)
{
    if (!p->options.loops)
        return real_us;
    double total = (double)(loop_length(p) * (int64_t)p->options.loops +
                            stagger(p) * (int64_t)(p->options.copies - 1));
    double pace = p->options.rate > 0 ? 0 : p->options.pace;
    double takes = pace > 0 ? total / pace : 0;
    return takes < total ? real_us - (int64_t)(total - takes) : real_us;
}

void sim_player_start(struct sim_player *p, int64_t mono_us, int64_t real_us)
{
    p->start_mono = mono_us;
    p->start_real = real_us;
    p->base_us = base_of(p, real_us);
    for (size_t i = 0; i < p->lanes_count; i++) {
        struct lane *lane = &p->lanes[i];
        size_t copy = p->options.together ? i / p->count : i;
        /* Copies of a list begin at different recordings, so that they are not the same at once. */
        lane->first = p->options.together ? i % p->count : copy * p->count / p->options.copies;
        lane->loops_left = p->options.loops;
        lane->rename.copy = (unsigned)copy;
        lane->rename.words = p->options.words;
        lane_begin(p, lane, (int64_t)copy * stagger(p));
        p->heap[p->heap_count++] = lane;
    }
    for (size_t i = p->heap_count; i-- > 0;)
        heap_sink(p, i);
}

void sim_player_hold(struct sim_player *p, bool held, int64_t mono_us)
{
    if (held && !p->held_mono)
        p->held_mono = mono_us;
    if (!held && p->held_mono) {
        p->held_us += mono_us - p->held_mono;
        p->base_us += mono_us - p->held_mono;
        p->held_mono = 0;
    }
}

static void play_one(struct sim_player *p, struct lane *lane, int64_t mono_us)
{
    const struct sim_event *e = &lane->recording->events[lane->event];
    int64_t time_us = lane->recording->first_us + lane->rename.shift * SECOND + e->offset_us;
    if (p->options.stamp_now)
        time_us = lane->rename.stamp_us = p->start_real + mono_us - p->start_mono;
    buf_clear(&p->bytes);
    if (sim_text_render(e->text, &lane->rename, &p->bytes))
        p->ops.event(p->ops.ctx, e, buf_slice(&p->bytes), time_us);
    p->events++;
    lane->event++;
}

/* How far the stream has come: everything before this position is due. */
static int64_t position(const struct sim_player *p, int64_t mono_us)
{
    if (p->options.rate > 0 || p->options.pace <= 0)
        return INT64_MAX;
    return (int64_t)((double)(mono_us - p->start_mono - p->held_us) * p->options.pace);
}

static int64_t wait_for_rate(const struct sim_player *p, int64_t mono_us)
{
    double elapsed = (double)(mono_us - p->start_mono - p->held_us) / (double)SECOND;
    double ahead = (double)p->events + 1 - elapsed * p->options.rate;
    return ahead <= 0 ? 0 : 1 + (int64_t)(ahead / p->options.rate * (double)SECOND);
}

int64_t sim_player_advance(struct sim_player *p, int64_t mono_us, size_t max_events)
{
    int64_t pos = position(p, mono_us);
    while (p->heap_count) {
        if (p->held_mono)
            return HELD_WAIT; /* by what happened behind the event played last */
        struct lane *lane = p->heap[0];
        int64_t wait = p->options.rate > 0 ? wait_for_rate(p, mono_us) : 0;
        if (wait > 0)
            return wait;
        if (lane_due(lane) > pos)
            return (int64_t)((double)(lane_due(lane) - pos) / p->options.pace) + 1;
        if (max_events-- == 0)
            return 0;
        play_one(p, lane, mono_us);
        if (lane->event == lane->recording->count && !lane_next(p, lane))
            p->heap[0] = p->heap[--p->heap_count];
        heap_sink(p, 0);
    }
    return -1;
}

uint64_t sim_player_begun(const struct sim_player *p)
{
    return p->begun;
}
