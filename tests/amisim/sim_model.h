/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_MODEL_H
#define TESTS_AMISIM_SIM_MODEL_H

#include "collector/base/buf.h"
#include <stdint.h>
#include <uthash.h>

/* What is up on the simulated PBX after all that was played so far: channels, bridges, device
 * states. Answers to listing actions are written from it. */

#define SIM_ID_SIZE 80

struct sim_channel {
    char uniqueid[SIM_ID_SIZE];
    char bridge[SIM_ID_SIZE]; /* empty when in none */
    struct buf snapshot;      /* its lines "Channel" to "Linkedid" as last sent */
    struct buf application;   /* as in its last Newexten, and what it was called with */
    struct buf data;
    int64_t created_us;
    bool opened_call; /* its Linkedid was its own at first */
    UT_hash_handle hh;
};

struct sim_bridge {
    char id[SIM_ID_SIZE];
    struct buf snapshot; /* its lines "BridgeUniqueid" to "BridgeVideoSourceMode" */
    UT_hash_handle hh;
};

struct sim_device {
    char name[SIM_ID_SIZE];
    char state[SIM_ID_SIZE];
    UT_hash_handle hh;
};

struct sim_model {
    struct sim_channel *channels; /* uthash tables */
    struct sim_bridge *bridges;
    struct sim_device *devices;
    uint64_t calls_started;    /* channels that opened a call of their own */
    uint64_t calls_ended;      /* of these, hung up */
    uint64_t channels_ringing; /* channels that began to ring */
};

/* Applies one event as sent; time_us is its time, microseconds since 1970. */
void sim_model_event(struct sim_model *model, struct slice name, struct slice frame,
                     int64_t time_us);

/* A bridge by id; NULL when there is none. */
const struct sim_bridge *sim_model_bridge(const struct sim_model *model, struct slice id);

/* Frees what the model holds; it is empty then. */
void sim_model_clear(struct sim_model *model);

/* Copies a slice into a fixed text, cut to fit. */
void sim_model_copy(char *to, size_t size, struct slice from);

#endif
