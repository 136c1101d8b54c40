/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_BRIDGE_H
#define COLLECTOR_FACTS_CDR_BRIDGE_H

#include "collector/facts/cdr_chain.h"

/* The rows of a channel that enters a bridge where people talk: each finds its party B there, and
 * the pairs that nobody has a row for yet get one (cdr-rules 5; Asterisk 22). */
void cdr_bridge_join(struct cdr_chain *chain, const struct bridge *bridge,
                     const struct cdr_message *m);

#endif
