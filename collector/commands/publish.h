/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_PUBLISH_H
#define COLLECTOR_COMMANDS_PUBLISH_H

#include "collector/base/ring.h"
#include "collector/facts/batch.h"

/* What the loop produced in one turn, on its way to the writer and to the view. The loop never
 * waits: what a ring has no room for is counted, and told as a gap once there is room again. Of the
 * states among it the last of each subject goes on then, before anything else: what has ended does
 * not stay on the wallboard or in a state topic. */
struct publish;

/* The rings are borrowed; view may be NULL. NULL when memory is short. */
struct publish *publish_new(struct ring *writer, struct ring *view);
void publish_free(struct publish *p);

/* Adds to the batch of this turn. */
void publish_fact(struct publish *p, struct slice fact);
void publish_state(struct publish *p, struct slice pbx, struct slice entity, struct slice body);
void publish_note(struct publish *p, struct slice pbx, struct slice json);

/* Whether a fact was added since the last publish_turn: its state has to go with it. */
bool publish_has_facts(const struct publish *p);

/* Hands the batch of this turn to both rings. False when the writer's ring had no room and the
 * batch, or a part of it, is lost: the caller tells a gap from the moment of the first loss. */
bool publish_turn(struct publish *p);

/* Whether the last turn was larger than the writer's whole ring, so that no waiting helps. */
bool publish_outgrown(const struct publish *p);

/* How large the last turn was, in bytes. */
size_t publish_turn_bytes(const struct publish *p);

/* Whether the writer's ring has room again after a turn of so many bytes was lost: a quarter of it,
 * and as much as those, since else its first parts fill the ring again and again; or all of it. And
 * what else to do with a turn: the view alone gets it, and it counts as lost. */
bool publish_has_room(const struct publish *p, size_t turn);
void publish_drop(struct publish *p);

/* How many states were lost for good, on their way to each: there was not even room to keep them.
 */
struct publish_losses {
    uint64_t writer, view;
};
struct publish_losses publish_states_lost(const struct publish *p);

#endif
