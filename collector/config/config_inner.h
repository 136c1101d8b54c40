/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_INNER_H
#define COLLECTOR_CONFIG_CONFIG_INNER_H

#include "collector/config/config.h"

/* What config.c and config_check.c share and nobody else sees. */

struct config_value {
    unsigned line;  /* 0: not in the file */
    bool faulty;    /* in the file, but not right: neither value nor default counts */
    char *text;     /* TEXT and SECRET; owned */
    int64_t number; /* NUMBER and YESNO */
    char **list;    /* LIST; owned, as its elements */
    size_t count;
};

struct config_section {
    enum config_section_id id;
    unsigned line; /* 0: not in the file, all defaults */
    char name[65];
    char *privacy_key; /* from its privacy_key_file; owned */
    struct config_value values[CONFIG_KEY_COUNT];
};

struct config {
    struct config_section *sections; /* in the file's order, then those that exist always */
    size_t count;
    char *outbox_path;
};

/* Adds a fault of a key, or of the section itself when key is CONFIG_KEY_COUNT. */
void config_fault(struct config_report *report, const struct config_section *s, enum config_key key,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The rules that bind several keys, and forms that the table cannot say: which of host and hosts,
 * secret and secret_file, listen's form. Reads secret files into the sections. */
void config_check_rules(struct config *c, struct config_report *report);

#endif
