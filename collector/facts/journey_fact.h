/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_JOURNEY_FACT_H
#define COLLECTOR_FACTS_JOURNEY_FACT_H

#include "collector/facts/call.h"

/* Puts what a call consists of into its record: legs, talks, transfers, pickups, parks,
 * conferences, forwards, aliases, and how many of each had no room. Without events of class
 * agi what a leg ran inside an AGI is not known. */
void journey_put(struct fact_builder *f, const struct call *call, int64_t now, bool sees_agi);

/* Who ended the call: "caller", "called", "dialplan" or "manager"; p is NULL where that was not
 * seen, or nobody did because the call was merged. */
struct slice journey_hung_up_side(const struct call *call);

#endif
