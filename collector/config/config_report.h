/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_REPORT_H
#define COLLECTOR_CONFIG_CONFIG_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* What was found wrong with a configuration. All of it, not only the first; past a hundred
 * findings the rest is counted. Secrets never stand in it. */
struct config_report;

/* An empty report, or NULL when memory is short. */
struct config_report *config_report_new(void);
void config_report_free(struct config_report *r);

/* Adds a fault, which refuses the configuration, or a warning, which does not. line 0: it belongs
 * to no line. The text begins with where: "pbx main: port: ". */
void config_report_fault(struct config_report *r, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_report_fault_v(struct config_report *r, unsigned line, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void config_report_warning(struct config_report *r, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How many faults there are; warnings do not count. */
unsigned config_report_faults(const struct config_report *r);

/* Writes every finding as "FILE:LINE: text" on a line of its own, in the order of their lines. */
void config_report_print(struct config_report *r, const char *file, FILE *to);

#endif
