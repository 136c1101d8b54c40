/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_JOURNEY_SAVE_H
#define COLLECTOR_FACTS_JOURNEY_SAVE_H

#include "collector/facts/call.h"
#include <jansson.h>

/* A journey in the saved state of its call. */

/* Writes the journey into the object that is open. */
void journey_json(const struct journey *journey, struct json_out *j);

/* Reads it back out of the call's object. What goes on has no channels yet: legs without a look,
 * talks with to 0. */
void journey_restore(struct call *call, const json_t *o);

#endif
