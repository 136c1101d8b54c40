/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_SCRUB_FILE_H
#define COLLECTOR_COMMANDS_SCRUB_FILE_H

#include "collector/commands/scrub.h"
#include <stdio.h>

/* What of a line is kept; no Asterisk sends longer ones, and what is not kept cannot give away. */
#define SCRUB_FILE_LINE_MAX ((size_t)1024 * 1024)

struct scrub_file_totals {
    struct scrub_counters scrubbed;
    uint64_t cut_lines; /* past SCRUB_FILE_LINE_MAX */
};

/* Reads a recording twice from its start and writes it scrubbed to `to`, which is not flushed. -1
 * with errno: it could not be read or written, or memory is short. */
int scrub_file(FILE *from, FILE *to, const uint8_t key[SCRUB_KEY_SIZE],
               struct scrub_file_totals *ret_totals);

#endif
