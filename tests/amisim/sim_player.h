/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_PLAYER_H
#define TESTS_AMISIM_SIM_PLAYER_H

#include "tests/amisim/sim_recording.h"

/* When each event of the play list is due. The stream has a clock of its own that starts at 0, runs
 * `pace` times as fast as the wall's and may be held; a lane (one copy of the list, or one copy of
 * one recording when all are played together) puts its recordings on it one behind the other. Each
 * play of a recording is moved in time by whole seconds, so that its truth moves with it exactly.
 */

struct sim_player_options {
    double pace;    /* 1: real time; 0: as fast as advance is called */
    double rate;    /* when not 0: events a second, whatever their times were */
    uint64_t loops; /* 0: for ever */
    unsigned copies;
    double stagger_s; /* between the starts of two copies; below 0: evenly over one loop */
    bool together;
    bool stamp_now; /* Timestamp is the moment of sending; spacing and truth are lost then */
    uint32_t seed;
    const struct sim_words *words;
};

struct sim_player_ops {
    void *ctx;
    /* One event is due: its bytes as this play says them, its time in microseconds since 1970. */
    void (*event)(void *ctx, const struct sim_event *event, struct slice bytes, int64_t time_us);
    /* A recording was played to its end under these names. */
    void (*played)(void *ctx, const struct sim_recording *recording,
                   const struct sim_rename *rename);
};

struct sim_player;

/* The recordings and words are borrowed. NULL when memory is short. */
struct sim_player *sim_player_new(struct sim_recording *const *recordings, size_t count,
                                  const struct sim_player_options *options,
                                  const struct sim_player_ops *ops);
void sim_player_free(struct sim_player *player);

/* Position 0 is now. mono_us is a steady clock, real_us the time since 1970. */
void sim_player_start(struct sim_player *player, int64_t mono_us, int64_t real_us);

/* Stops or resumes the stream's clock; also from within an event. */
void sim_player_hold(struct sim_player *player, bool held, int64_t mono_us);

/* Plays what is due, at most max_events. Returns the microseconds until more is due (0: now), or -1
 * when everything was played. */
int64_t sim_player_advance(struct sim_player *player, int64_t mono_us, size_t max_events);

/* Recordings begun so far. */
uint64_t sim_player_begun(const struct sim_player *player);

#endif
