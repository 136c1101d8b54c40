/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_FAULTS_H
#define TESTS_AMISIM_SIM_FAULTS_H

#include "collector/base/buf.h"
#include <stdint.h>

/* What goes wrong between the simulated PBX and its clients: connections cut, streams that stand
 * still, events that arrive damaged. Counted in events played; drawn from a seed. */

#define SIM_FAULTS_AFTER_MAX 64u

struct sim_faults_options {
    uint64_t cut_after[SIM_FAULTS_AFTER_MAX];
    unsigned cut_after_count;
    uint64_t cut_every;   /* 0: never */
    uint64_t stall_after; /* 0: never */
    unsigned stall_ms;
    double garble;           /* how likely an event is damaged, 0 to 1 */
    uint64_t garble_first_n; /* only so many events from the start; 0: all */
    uint32_t seed;
};

enum sim_garble {
    SIM_GARBLE_FLIP,     /* bits of one to three bytes */
    SIM_GARBLE_DROP,     /* a line */
    SIM_GARBLE_BLANK,    /* a blank line in the middle */
    SIM_GARBLE_LONG,     /* a line longer than any parser keeps */
    SIM_GARBLE_UTF8,     /* bytes that are no UTF-8 */
    SIM_GARBLE_TRUNCATE, /* no end: the next event follows within the line */
    SIM_GARBLE_COUNT
};

struct sim_faults {
    struct sim_faults_options options;
    uint64_t random;
    uint64_t events;
    uint64_t cuts, stalls;
    uint64_t garbled[SIM_GARBLE_COUNT];
    struct buf bytes;
};

/* Nothing has happened yet; allocates nothing. Freed with sim_faults_free. */
struct sim_faults sim_faults_new(const struct sim_faults_options *options);
/* Frees what damaged events were written to. */
void sim_faults_free(struct sim_faults *f);

/* The event as the clients get it: itself, or damaged bytes that live until the next call. Counts
 * the event. */
struct slice sim_faults_event(struct sim_faults *f, struct slice event);

/* Whether all clients are cut, or get nothing for stall_ms, behind the event counted last. */
bool sim_faults_cut(struct sim_faults *f);
bool sim_faults_stall(struct sim_faults *f);

/* A constant: "flip". */
const char *sim_faults_garble_name(enum sim_garble way);

#endif
