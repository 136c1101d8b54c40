/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_NAME_H
#define PARSERS_AMI_NAME_H

#include "parsers/slice.h"

/* The names of AMI events and headers as small numbers. The names stand in schemas/ami_events.def
 * and schemas/ami_headers.def; a perfect hash of each is generated at build time. A name that is
 * not there is UNKNOWN, which is no error: Asterisk's modules may send any. */

enum ami_event_id {
    AMI_EVENT_UNKNOWN,
#define AMI_EVENT(id, name, wanted) AMI_EVENT_##id,
#include "schemas/ami_events.def"
#undef AMI_EVENT
    AMI_EVENT_TOTAL
};

enum ami_header_id {
    AMI_HEADER_UNKNOWN,
#define AMI_HEADER(id, name, form) AMI_HEADER_##id,
#include "schemas/ami_headers.def"
#undef AMI_HEADER
    AMI_HEADER_TOTAL /* AMI_HEADER_COUNT is the header "Count" */
};

/* The number of a name, in any case; UNKNOWN when it is not listed. */
enum ami_event_id ami_event_from_name(struct slice name);
enum ami_header_id ami_header_from_name(struct slice name);

/* The names by id; [AMI_HEADER_UNKNOWN] is empty. */
extern const struct slice ami_header_names[AMI_HEADER_TOTAL];

/* The name as schemas/ spells it, a constant; "" for UNKNOWN. id must be below TOTAL. */
const char *ami_event_name(enum ami_event_id id);
const char *ami_header_name(enum ami_header_id id);

/* Whether state or records read this event at all. False for UNKNOWN: an event that nobody reads
 * costs only the search for its end. */
bool ami_event_wanted(enum ami_event_id id);

#endif
