/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_FIGURES_PRINT_H
#define COLLECTOR_COMMANDS_FIGURES_PRINT_H

#include "collector/sinks/figures.h"
#include <stdio.h>

/* Rows of figures as tables for people, a column for each row, or as JSON lines. */
struct figures_print {
    FILE *to;
    bool json;
    const struct figures_window *windows;
    struct figures_column *columns; /* those of the next table */
    size_t count;
    bool any; /* a table was printed */
};

/* A printer; windows is borrowed. */
struct figures_print figures_print_to(FILE *to, bool json, const struct figures_window *windows);
/* For figures_read; ctx is the printer. */
void figures_print_row(void *ctx, const struct figures_row *row);
/* Prints what is left and frees it. */
void figures_print_end(struct figures_print *p);

#endif
