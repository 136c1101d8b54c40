/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_H
#define COLLECTOR_CONFIG_CONFIG_H

#include "collector/config/config_report.h"
#include "collector/config/config_table.h"

/* A configuration that was read and found right. It never changes; any thread may read it. What
 * its getters return is borrowed and lives as long as the configuration. */
struct config;
struct config_section;

/* Reads and checks the file, with the secret files that it names. NULL when report has faults
 * afterwards (an unreadable file is one); with warnings alone it is fine. */
struct config *config_load(const char *path, struct config_report *report);
void config_free(struct config *c);

/* Warns of secrets that stand in the file itself when everybody can read it. */
void config_warn_if_open(const struct config *c, const char *path, struct config_report *report);

/* How many PBXs there are, at least one, and each one's section, in the file's order. */
size_t config_pbx_count(const struct config *c);
const struct config_section *config_pbx(const struct config *c, size_t i);

/* A section that has no name, NULL when the file has none. CONFIG_STORE always exists. */
const struct config_section *config_section(const struct config *c, enum config_section_id id);

/* A PBX's name: letters, digits, '.', '_', '-'. */
const char *config_section_name(const struct config_section *s);

/* Values of a key of this section, defaults included. The key's type must be the getter's. */

/* The text, or NULL when it is neither given nor has a default. */
const char *config_text(const struct config_section *s, enum config_key key);
int64_t config_number(const struct config_section *s, enum config_key key);
bool config_yes(const struct config_section *s, enum config_key key);
/* The elements, *ret_count of them; NULL and 0 when there are none. */
const char *const *config_list(const struct config_section *s, enum config_key key,
                               size_t *ret_count);

/* Whether two sections of one kind say the same of a key; of a secret or privacy key that stands in
 * a file, what was read from there. */
bool config_same(const struct config_section *a, const struct config_section *b,
                 enum config_key key);

/* The line on which a key stands; its section's line where it has none of its own, 0 where the file
 * has neither. */
unsigned config_line(const struct config_section *s, enum config_key key);

/* Where a PBX listens: its hosts, or its one host. At least one. */
const char *const *config_pbx_hosts(const struct config_section *pbx, size_t *ret_count);

/* A PBX account's secret, from the configuration or its secret file. Never to be logged. */
struct slice config_pbx_secret(const struct config_section *pbx);

enum config_privacy_mode {
    CONFIG_PRIVACY_CLEAR,
    CONFIG_PRIVACY_DIGITS,
    CONFIG_PRIVACY_HMAC,
    CONFIG_PRIVACY_DROP
};

/* What the section's sink shows of numbers and names. */
struct config_privacy {
    enum config_privacy_mode mode;
    unsigned digits;
    unsigned extension_digits;
    struct slice key; /* of privacy_key_file, 16 to 128 bytes; empty: none is named */
    const char *key_id;
};

/* Of the store, kafka or web section. Borrowed as other values are; the key is never to be logged.
 */
struct config_privacy config_privacy(const struct config_section *s);

/* After how many days rows of a history table are deleted; 0: never. */
int64_t config_retain_days(const struct config_section *store, const char *table);

/* The outbox file: as named, or the history file's path with "-outbox" behind it. */
const char *config_outbox_path(const struct config *c);

#endif
