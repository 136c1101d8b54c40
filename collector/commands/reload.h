/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_RELOAD_H
#define COLLECTOR_COMMANDS_RELOAD_H

#include "collector/config/config.h"
#include "collector/link/ami_tls.h"
#include <event2/event.h>

/* Reads the configuration again, with the files that it names, by a thread of its own: the loop
 * never looks at the disk. */
struct reload;

/* What was read. */
struct reload_result {
    struct config *config; /* NULL: it has faults, or no thread could read it */
    struct ami_tls **tls;  /* for each PBX of it; NULL: in clear */
    uint64_t certificate;  /* its web_config_certificate */
    char *said; /* what is wrong, a line each; "" when nothing is, NULL without a thread */
};

/* In the loop; who is called takes config and the tls over that it wants, and sets those to NULL.
 */
typedef void reload_done(void *ctx, struct reload_result *result);

/* Path is borrowed. NULL when memory or files are short. */
struct reload *reload_new(struct event_base *base, const char *path, reload_done *done, void *ctx);
/* Waits for a reading that is under way. NULL is allowed. */
void reload_free(struct reload *r);

/* Begins to read; done follows, or is called at once where no thread can be had. While a reading is
 * under way another follows it. */
void reload_start(struct reload *r);

#endif
