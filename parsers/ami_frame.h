/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_FRAME_H
#define PARSERS_AMI_FRAME_H

#include "parsers/slice.h"
#include <stdint.h>

/* Framing of the AMI byte stream over borrowed bytes: where a frame begins, where it ends, what
 * its first line calls it. No allocation, no copying, no clock, no log. Any split of the stream
 * gives the same frames.
 *
 * A frame is a block of lines up to a blank line; lines end in CR LF or LF, in any mixture, and
 * further blank lines between frames are nothing. Asterisk 13 and older answer Command with
 * "Response: Follows", whose text may hold blank lines: it ends with the line that ends in
 * "--END COMMAND--". A frame that the stream's end leaves unfinished is no frame. */

/* Caps. Past one the frame is cut, flagged and counted, and the stream goes on behind the next
 * blank line. Asterisk's own events stay far below (the longest recorded has 2 kB). */
#define AMI_LINE_MAX  16384u
#define AMI_FRAME_MAX 65536u

/* Framing never waits for more than this many unfinished bytes: a caller whose buffer holds them
 * always gets on. */
#define AMI_FRAME_BUFFER (AMI_FRAME_MAX + 2u)

enum ami_frame_kind {
    AMI_FRAME_BANNER,   /* "Asterisk Call Manager/x.y.z", any version; a line of its own */
    AMI_FRAME_EVENT,    /* first header is Event */
    AMI_FRAME_RESPONSE, /* first header is Response */
    AMI_FRAME_OTHER     /* a block with neither */
};

enum ami_frame_flags {
    AMI_FRAME_LONG_LINE = 1, /* lines are longer than AMI_LINE_MAX: ami_message_parse cuts them */
    AMI_FRAME_LONG = 2       /* longer than AMI_FRAME_MAX: body ends with the last line before */
};

struct ami_frame {
    enum ami_frame_kind kind;
    unsigned flags;
    struct slice name; /* value of Event ("Hangup") or Response ("Success"); banner: the version */
    struct slice body; /* the frame's lines, without the last line's end and the blank line */
};

enum ami_frame_result {
    AMI_FRAME_OK,       /* *ret_frame is filled */
    AMI_FRAME_NEED_MORE /* no whole frame in what is left; call again with more bytes appended */
};

/* Where the framing stands in one stream. Plain data; zeroed at a stream's start.
 *
 * scanned: the frame's first bytes that were searched for its end already and hold none, counted
 * from the first byte not consumed, so that bytes that trickle in are each looked at once. The
 * search goes on there, with a look back at the two bytes before. It is 0 whenever the next byte
 * begins a frame. */
struct ami_framer {
    size_t scanned;
    bool banner_seen; /* the first line of the stream was taken, whatever it was */
    bool follows;     /* the unfinished frame is a Response: Follows; scanned is about its marker */
    bool skipping;    /* a frame was cut: look for the next blank line only */
    uint64_t cut_frames; /* frames with AMI_FRAME_LONG */
    uint64_t cut_lines;  /* lines that AMI_FRAME_LONG_LINE is about */
};

/* Finds the next frame in bytes. *ret_consumed is how many bytes of `bytes` are done with, also
 * for AMI_FRAME_NEED_MORE (stray blank lines, the tail of a cut frame); the caller drops them and
 * passes what is left, with more appended, next time. The frame's slices point into bytes. The
 * first line of a stream is a banner if it looks like one, else it belongs to the first frame. */
enum ami_frame_result ami_frame_next(struct ami_framer *framer, struct slice bytes,
                                     struct ami_frame *ret_frame, size_t *ret_consumed);

#endif
