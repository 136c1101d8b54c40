/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_FRAME_H
#define PARSERS_AMI_FRAME_H

#include "parsers/slice.h"
#include <stdint.h>

/* Framing of the AMI byte stream over borrowed bytes: where a frame begins, where it ends, what
 * its first line calls it. No allocation, no copying, no clock, no log. Any split of the stream
 * gives the same frames. */

/* Caps. A line or frame past its cap is cut there, flagged and counted; the stream goes on behind
 * the next blank line. Asterisk's own events stay far below (the longest seen has 2 kB). */
#define AMI_LINE_MAX  16384u
#define AMI_FRAME_MAX 65536u

enum ami_frame_kind {
    AMI_FRAME_BANNER,   /* "Asterisk Call Manager/x.y.z", any version; a line of its own */
    AMI_FRAME_EVENT,    /* first header is Event */
    AMI_FRAME_RESPONSE, /* first header is Response */
    AMI_FRAME_OTHER     /* any other block of headers or text */
};

enum ami_frame_flags {
    AMI_FRAME_LONG_LINE = 1, /* a line was longer than AMI_LINE_MAX; it was cut */
    AMI_FRAME_LONG = 2       /* the frame was longer than AMI_FRAME_MAX; it was cut */
};

struct ami_frame {
    enum ami_frame_kind kind;
    unsigned flags;
    struct slice name; /* value of the first header (event name, "Success"); banner: the version */
    struct slice body; /* the frame's lines, without the blank line that ends it */
};

enum ami_frame_result {
    AMI_FRAME_OK,       /* *ret_frame is filled */
    AMI_FRAME_NEED_MORE /* no whole frame in what is left; call again with more bytes appended */
};

/* Where the framing stands in one stream. Plain data; zeroed at a stream's start. */
struct ami_framer {
    size_t scanned;   /* bytes of the unfinished frame that were searched already */
    bool banner_seen; /* the first line of the stream was taken */
    bool skipping;    /* a frame was cut; skip to the next blank line */
    uint64_t cut_frames;
    uint64_t cut_lines;
};

/* Finds the next frame in bytes. *ret_consumed is how many bytes of `bytes` are done with, also
 * for AMI_FRAME_NEED_MORE (stray blank lines, the tail of a cut frame); the caller drops them and
 * passes what is left, with more appended, next time. The frame's slices point into bytes. */
enum ami_frame_result ami_frame_next(struct ami_framer *framer, struct slice bytes,
                                     struct ami_frame *ret_frame, size_t *ret_consumed);

#endif
