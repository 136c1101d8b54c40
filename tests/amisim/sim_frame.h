/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_FRAME_H
#define TESTS_AMISIM_SIM_FRAME_H

#include "parsers/slice.h"
#include <stdint.h>

/* Looking into well-formed AMI text: our own recordings and what clients send. All slices are
 * borrowed from the frame. */

/* The next line of *rest without its CR LF or LF; *rest moves behind it. False at the end. */
bool sim_frame_line(struct slice *rest, struct slice *ret_line);

/* Cuts "Name: value"; false when the line has no colon. */
bool sim_frame_header(struct slice line, struct slice *ret_name, struct slice *ret_value);

/* The first value of a header, its name compared without case; {NULL, 0} when absent. */
struct slice sim_frame_get(struct slice frame, const char *name);

/* The lines from the first "from: …" to the last line of that run, "to: …", with their CR LF; the
 * channel snapshot is "Channel" to "Linkedid". Empty when either is absent. */
struct slice sim_frame_block(struct slice frame, const char *from, const char *to);

/* The decimal number at the start of a value; 0 when there is none. */
int64_t sim_frame_int(struct slice value);

bool sim_frame_same(struct slice a, const char *b); /* equal without case */

#endif
