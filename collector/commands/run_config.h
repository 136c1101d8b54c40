/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_RUN_CONFIG_H
#define COLLECTOR_COMMANDS_RUN_CONFIG_H

#include "collector/base/buf.h"
#include "collector/config/config.h"

/* Configurations of a daemon, which may read its file again while it runs. */

/* Reads and checks all of the file, what it names included; findings go to `to`. NULL when there
 * are faults. Looks at the disk. */
struct config *run_config_load(const char *path, FILE *to);

/* A configuration with as many users as hold it. Used by one thread. */
struct run_config;

/* Takes the configuration over, with one user. NULL when memory is short: then it is freed. */
struct run_config *run_config_new(struct config *config);
/* One user more; returns it. */
struct run_config *run_config_hold(struct run_config *c);
/* One user less; the last one frees it. NULL is allowed. */
void run_config_release(struct run_config *c);
/* Borrowed while it is held. */
const struct config *run_config_of(const struct run_config *c);

/* The pbx section of this name; NULL when there is none. */
const struct config_section *run_config_pbx(const struct config *config, const char *name);

/* Whether a pbx's session must begin anew to do as the second section says: another address,
 * account or the like. */
bool run_config_link_differs(const struct config_section *a, const struct config_section *b);

/* Appends "kafka: brokers, pbx main: trunks", the keys that differ and that only a restart
 * applies; nothing when there are none. */
void run_config_restart_keys(const struct config *old, const struct config *now, struct buf *text);

#endif
