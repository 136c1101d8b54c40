/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_TRUTH_LOAD_H
#define COLLECTOR_COMMANDS_TRUTH_LOAD_H

#include "collector/commands/truth.h"

/* Fills the temporary tables:
 *   truth_cdr (n, line, row_key, start_us, end_us, clid, src, …) one column for each of
 *     cdr_compare.h's; NULL where the file has none; row_key is the uniqueid, or the channel in a
 *     file without uniqueids
 *   truth_queue_log (n, line, row_key, end_us, call, queue, agent, event, args)
 * Times are UTC, read in the process's zone. False after a line on stderr. */
bool truth_load(struct truth *t, enum truth_kind kind);

/* "2026-11-20 23:57:51" as if UTC, in microseconds, to UTC by the process's zone; and the other
 * way. 0 stays 0. */
int64_t truth_time_from_local(int64_t local_us);
int64_t truth_time_to_local(int64_t us);

/* Whether the CDR file has uniqueids. */
bool truth_has_uniqueids(const struct truth *t);

#endif
