/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_TAP_CONFIG_H
#define COLLECTOR_COMMANDS_TAP_CONFIG_H

#include "collector/config/config.h"
#include "collector/facts/tap.h"
#include "collector/link/ami_link.h"

/* A tap's options as one pbx section of the configuration has them. */
struct tap_config {
    struct config *config; /* NULL: no file was given */
    const struct config_section *section;
    struct tap_options options;
};

/* Reads and checks the file. NULL after one line on stderr for each fault; freed by config_free. */
struct config *tap_config_file(const char *path);

/* The options of the pbx section with this name, of the only section when pbx is NULL, or the
 * defaults when path is NULL. False after one line on stderr for each fault. Freed by
 * tap_config_free; the options live as long. */
bool tap_config_load(struct tap_config *ret_config, const char *path, const char *pbx);
void tap_config_free(struct tap_config *config);

/* The options of one section. */
struct tap_options tap_config_options(const struct config_section *pbx);

/* What to connect to, and how, as the section has it; lives as long as the section. Its tls is that
 * of tap_config_tls. */
struct ami_link_config tap_config_link(const struct config_section *pbx);

/* Looks into the CA files, where TLS is to be checked. False after adding faults to the report,
 * which then refuse the configuration. */
bool tap_config_tls_check(const struct config *config, struct config_report *report);

/* What TLS to the PBX needs; *ret_tls is NULL where the section has tls = no. False after one line
 * on stderr when the CA file cannot be used. To be freed by ami_tls_free after the link. */
bool tap_config_tls(const struct config_section *pbx, struct ami_tls **ret_tls, FILE *to);

#endif
