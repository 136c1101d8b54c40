/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_MESSAGE_H
#define PARSERS_AMI_MESSAGE_H

#include "parsers/ami_frame.h"
#include "parsers/ami_name.h"

/* The headers of one frame, looked up by id. Values are raw (still C-escaped where Asterisk
 * escapes them; see ami_text.h). Names match case-insensitively, in any order. */

#define AMI_HEADERS_MAX 250u

struct ami_header {
    enum ami_header_id id; /* AMI_HEADER_UNKNOWN for a name that schemas/ does not list */
    struct slice name;
    struct slice value; /* without the one optional space after the colon and without CR */
};

/* About 11 kB: keep one and fill it again and again rather than have one on the stack. */
struct ami_message {
    enum ami_frame_kind kind;
    enum ami_event_id event; /* AMI_EVENT_UNKNOWN unless kind is AMI_FRAME_EVENT and listed */
    struct slice name;       /* as in the frame */
    bool cut; /* the frame, a line or a value of it was cut, or it had more than AMI_HEADERS_MAX
                 headers */
    unsigned count;
    struct ami_header headers[AMI_HEADERS_MAX]; /* in the order sent, repeated ones too */
    uint8_t first[AMI_HEADER_TOTAL]; /* 1 + index of the first header of that id; 0: none */
};

/* Splits a frame into headers. Lines without a colon are left out; of a line longer than
 * AMI_LINE_MAX that many bytes count; a value ends at its first NUL. Never fails: what cannot be
 * read is absent. The slices point into the frame's bytes. */
void ami_message_parse(const struct ami_frame *frame, struct ami_message *ret_message);

/* The first value of a header; {NULL, 0} when absent, p != NULL when present and empty. */
static inline struct slice ami_message_get(const struct ami_message *m, enum ami_header_id id)
{
    return m->first[id] ? m->headers[m->first[id] - 1].value : (struct slice){NULL, 0};
}

static inline bool ami_message_has(const struct ami_message *m, enum ami_header_id id)
{
    return m->first[id] != 0;
}

/* The index of the first header of that id at or behind index `from`, m->count when there is none:
 * for headers that repeat (ChanVariable, Variable). */
unsigned ami_message_find(const struct ami_message *m, enum ami_header_id id, unsigned from);

/* The event id of a frame without splitting it: what decides whether anybody wants it. */
enum ami_event_id ami_message_event_id(const struct ami_frame *frame);

#endif
