/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_STORE_H
#define COLLECTOR_COMMANDS_STORE_H

#include "collector/base/clock.h"
#include "collector/base/ring.h"
#include "collector/commands/session.h"
#include "web/web_source.h"

/* Everything behind the rings: outbox with its writer, history, Kafka, live view and web edge. */
struct store;

struct store_options {
    const struct config *config;
    const struct clock *clock;
    struct ring *writer_ring;
    struct ring *view_ring;
    const struct web_edge_ops *web;
};

/* Opens the files, listens, and fills the view with what today has in the history; no thread but
 * the web's runs yet. What the options point to must outlive the store. NULL after one line on
 * stderr: a file or port that cannot be had. */
struct store *store_open(const struct store_options *options);

/* Gives a session the live state that was saved for it; before store_start. False after one line
 * on stderr. */
bool store_restore(struct store *store, struct session *session);

/* The history's privacy, for what the loop's thread logs of facts. Lives as long as the store. */
struct privacy *store_log_policy(const struct store *store);

/* Starts the threads. False after one line on stderr. */
bool store_start(struct store *store);

/* The records of this PBX that Kafka will not get, as too many waited or for too long, and that no
 * gap tells of yet; false when there are none. */
bool store_untold(struct store *store, const char *pbx, struct untold_span *ret);

/* So many states could not be kept for the view, in all; it says so. Never blocks. */
void store_states_lost(struct store *store, uint64_t n);

/* How often the outbox's writer has turned (writer_turns). */
uint64_t store_writer_turns(struct store *store);

/* Where the wallboard is, "http://127.0.0.1:8088/"; NULL when it does not. Lives as long as the
 * store.
 */
const char *store_web_address(const struct store *store);

/* Once the rings are closed: stores what is in them, ends the threads and closes the files. False
 * when something could not be stored (logged). NULL is allowed. */
bool store_close(struct store *store);

#endif
