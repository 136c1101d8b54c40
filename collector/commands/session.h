/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_SESSION_H
#define COLLECTOR_COMMANDS_SESSION_H

#include "collector/commands/publish.h"
#include "collector/commands/run_config.h"
#include "collector/config/config.h"
#include "collector/facts/privacy.h"
#include "collector/link/ami_link.h"
#include "collector/outbox/outbox.h"

/* One PBX in the daemon: its link, and the tap that derives from what the link brings. */
struct session;

struct session_env {
    struct ami_link_env link;
    struct publish *publish;
    struct privacy *log_policy; /* what is logged of facts; borrowed, of the loop's thread */
    /* The loop woke the session; NULL: nobody wants to know. */
    void (*turn_begin)(void *ctx);
    /* The session has stopped, or was refused before it was ever logged in, each time it is. */
    void (*stopped)(void *ctx, bool refused);
    void *ctx;
};

/* The section is borrowed for the session's life; env is copied. NULL when memory is short. */
struct session *session_new(const struct config_section *pbx, const struct session_env *env);
/* Not from a callback. NULL is allowed. */
void session_free(struct session *s);

/* Takes back the live state that an earlier run saved. -1 with one line in outbox_error. */
int session_restore(struct session *s, struct outbox *outbox);

/* Whether the PBX refused the account and never let it in since the start. A reload that changes
 * the link begins anew: not shut out until it is refused again. */
bool session_is_shut_out(const struct session *s);

/* How many calls are live. */
uint64_t session_live_calls(const struct session *s);

/* Begins to connect; the state callbacks tell how it goes. */
void session_start(struct session *s);
/* Logs off; env.stopped tells when that is done. */
void session_stop(struct session *s);

/* Logs off, and within about a second in again as this section of the configuration says, which is
 * held as long as it is used; the tap's own options stay as they are. Takes tls over (NULL: in
 * clear). False, and nothing happens, when the link is as it says already. */
bool session_reload(struct session *s, struct run_config *config, struct ami_tls *tls);

/* Tells a gap, once for each mark, of records that were given up; again when the last one had no
 * room on its way to the outbox. */
void session_given_up(struct session *s, const struct untold_span *span);

/* Once a second: hands on how old the data is and the state that has changed. */
void session_tick(struct session *s);

/* The pbx section's name; borrowed from the configuration. */
const char *session_name(const struct session *s);

#endif
