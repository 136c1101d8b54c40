/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CALL_FACT_H
#define COLLECTOR_FACTS_CALL_FACT_H

#include "collector/facts/call.h"

/* The facts about a call that has ended: call_ended, the record `call`, and the end of its live
 * state. */

/* What a fact of this kind about the whole call is about; moves the call's sequence on. */
struct emit_about call_about(struct call *call, enum fact_kind kind);

/* caller_number and caller_name. */
void call_put_caller(struct fact_builder *f, const struct call *call);

/* Fact call_merged: another call, its journey's merged_into, takes this one in with the channel. */
void call_tell_merged(struct emitter *emit, struct call *call, const struct channel *channel);

/* Tells all three; the call ended in the moment of the event at hand. */
void call_tell_ended(struct emitter *emit, struct call *call);

#endif
