/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_LISTS_H
#define TESTS_AMISIM_SIM_LISTS_H

#include "tests/amisim/sim_reply.h"

/* Listing actions, each a whole answer. */
void sim_list_channels(struct sim_reply *r);
void sim_list_status(struct sim_reply *r);
void sim_list_bridges(struct sim_reply *r);
void sim_list_bridge(struct sim_reply *r);
void sim_list_devices(struct sim_reply *r);
void sim_list_queues(struct sim_reply *r);
void sim_list_queue_summary(struct sim_reply *r);
void sim_list_rooms(struct sim_reply *r);
void sim_list_room(struct sim_reply *r);
void sim_list_registrations(struct sim_reply *r);

/* Single answers. */
void sim_answer_settings(struct sim_reply *r);
void sim_answer_status(struct sim_reply *r);

#endif
