/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PARSERS_DUMP_H
#define TESTS_UNIT_PARSERS_DUMP_H

#include "parsers/ami_message.h"
#include <stdio.h>

/* Feeds a stream to the framing in pieces and writes down, or sums up, what comes out. */

/* How many bytes the next piece has; never 0. context is the caller's. */
typedef size_t piece_size(void *context);

struct cuts {
    piece_size *size; /* NULL: all at once */
    void *context;
};

struct outcome {
    uint64_t digest; /* over each frame's kind, flags and name and each header's id, name, value */
    size_t frames;
    size_t left; /* bytes at the end that are no whole frame */
    struct ami_framer framer;
};

/* One outcome of one stream. Each piece is read at the very end of readable memory. dump, unless
 * NULL, gets a line for each frame and header. */
struct outcome dump_stream(struct slice stream, struct cuts cuts, FILE *dump);

/* Pieces of one byte, and of 1 to *(unsigned *)context bytes by random(). */
size_t piece_of_one(void *context);
size_t piece_at_random(void *context);

/* The whole file, to be freed; {NULL, 0} when it cannot be read. */
struct slice read_file(const char *path);

/* A copy of s whose last byte is followed by a page that must not be touched. Lasts until the next
 * call. s.n must be at most GUARDED_MAX. */
#define GUARDED_MAX (256u * 1024u)
struct slice guarded(struct slice s);

#endif
