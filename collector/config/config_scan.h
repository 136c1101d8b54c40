/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_SCAN_H
#define COLLECTOR_CONFIG_CONFIG_SCAN_H

#include "collector/config/config_report.h"
#include "collector/config/config_table.h"

/* The first look at a configuration's text, before libConfuse reads it. libConfuse stops at its
 * first fault and gives some texts a meaning that nobody wants: an unquoted # or // cuts a value,
 * double quotes expand ${NAME} and escapes, a comment inside a list is an error, a key given twice
 * counts once. The scan reports all of that with its line, and blanks it out, so that libConfuse
 * goes on with the rest. */

#define CONFIG_SECTIONS_MAX 256
#define CONFIG_TITLE_SIZE   65

struct config_scan_key {
    unsigned line; /* 0: not given */
    bool faulty;   /* given, but blanked out */
};

struct config_scan_section {
    enum config_section_id id;
    unsigned line;
    bool faulty;                   /* libConfuse does not see it */
    char title[CONFIG_TITLE_SIZE]; /* "" for one without a name */
    struct config_scan_key keys[CONFIG_KEY_COUNT];
};

struct config_scan {
    struct config_scan_section *sections; /* in the file's order */
    size_t count;
};

/* Scans text, n bytes, in place: what is faulty, and every comment, becomes blanks; lines stay.
 * False when memory is short. The result is freed with config_scan_free. */
bool config_scan(char *text, size_t n, struct config_report *report, struct config_scan *ret_scan);
void config_scan_free(struct config_scan *scan);

#endif
