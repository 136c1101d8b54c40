/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_RECORDING_H
#define COLLECTOR_COMMANDS_RECORDING_H

#include "collector/commands/scrub_file.h"

/* The file of `amitap record`, written by a thread of its own, so that a slow disk does not keep
 * the loop from reading. */
struct recording;

struct recording_totals {
    uint64_t bytes; /* that came and were kept */
    uint64_t lost;  /* that came when the writer was too far behind */
    struct scrub_file_totals scrub;
};

/* Creates the file, readable by its owner only; one that exists is left alone. To be scrubbed, what
 * comes goes first into a file without a name beside it. NULL after one line on stderr. */
struct recording *recording_new(const char *path, bool scrub);

/* Loop: adds bytes. */
void recording_bytes(struct recording *r, struct slice bytes);

/* Loop: what comes next does not go on where the last bytes ended. A blank line will part them. */
void recording_part(struct recording *r);

/* Any thread: whether the file can no longer be written. */
bool recording_failed(struct recording *r);

/* Writes what is left, scrubs it and closes the file; removes it when nothing came. False after one
 * line on stderr. Frees it. */
bool recording_end(struct recording *r, struct recording_totals *ret_totals);

#endif
