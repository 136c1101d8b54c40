/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_WEB_CONFIG_H
#define COLLECTOR_COMMANDS_WEB_CONFIG_H

#include "collector/base/clock.h"
#include "collector/config/config.h"
#include "web/web_source.h"

/* The web section as the web edge takes it: the users, the certificate and its key, networks. */
struct web_config;

/* Looks into the files that the web section names: users, certificate, key. False after adding
 * faults to the report, which then refuse the configuration. */
bool web_config_check(const struct config *c, struct config_report *report);

/* A number that is another when another certificate stands in the file of that key; 0 when none can
 * be read. Looks at the disk. */
uint64_t web_config_certificate(const struct config *c);

/* Reads them. NULL with one line of reason in error. The configuration must outlive it. */
struct web_config *web_config_open(const struct config *c, const struct clock *clock, char *error,
                                   size_t error_size);
void web_config_free(struct web_config *w);

/* What the edge starts with; points into w. */
struct web_options web_config_options(const struct web_config *w);

/* The file in which the screens that came in are kept; the caller frees it. NULL when memory is
 * short. */
char *web_config_kiosks_path(const struct config *c);

#endif
