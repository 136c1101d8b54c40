/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_FUNCTIONS_H
#define COLLECTOR_FACTS_CDR_FUNCTIONS_H

#include "collector/facts/cdr_chain.h"

/* What the dialplan does to its own CDRs, as far as Newexten shows it: Set and MSet of
 * CDR(userfield), CDR(amaflags), CHANNEL(amaflags) and CDR_PROP(), ForkCDR, ResetCDR. Any other
 * application is nothing here. */
void cdr_run_application(struct cdr_chain *chain, struct slice application, struct slice data,
                         const struct cdr_message *m);

/* The application that ExecIf, Exec or TryExec runs inside, and the data that RetryDial gives
 * itself: neither raises a Newexten of its own. False when there is none. The slices point into
 * data. */
bool cdr_inner_application(struct slice application, struct slice data,
                           struct slice *ret_application, struct slice *ret_data);

#endif
