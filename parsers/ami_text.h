/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_TEXT_H
#define PARSERS_AMI_TEXT_H

#include "parsers/ami_name.h"
#include <stdint.h>

/* Header values as text and numbers. */

/* Whether Asterisk C-escapes the value of this header in this event. It does so for caller and
 * connected names and channel variables of a channel snapshot and for VarSet's Value (13 and
 * later: main/manager_channels.c, main/stasis_channels.c). Status, QueueEntry, CEL and Meetme
 * events write names as they are, though the header is called the same. */
bool ami_text_is_escaped(enum ami_event_id event, enum ami_header_id header);

/* Undoes \a \b \f \n \r \t \v \\ \' \" \?; any other backslash stays as it is, also a lone one at
 * the end. Returns value itself when it holds no backslash, else up to size bytes written to to,
 * which then must live as long as the result is used. What does not fit is left out; size >=
 * value.n always fits. */
struct slice ami_text_unescape(struct slice value, char *to, size_t size);

/* value as an event of this name means it: unescaped where is_escaped says so, as above. */
struct slice ami_text_plain(enum ami_event_id event, enum ami_header_id header, struct slice value,
                            char *to, size_t size);

/* value, but empty for "<unknown>", which is how a channel snapshot says that it has none. */
struct slice ami_text_known(struct slice value);

/* A decimal number, an optional '-' and digits, all of the value; blanks around it are allowed.
 * False, and *ret_number untouched, when it is none or does not fit. */
bool ami_text_int(struct slice value, int64_t *ret_number);
/* The same, within min and max (both allowed). */
bool ami_text_int_within(struct slice value, int64_t min, int64_t max, int64_t *ret_number);
/* The same for 32 bits without sign. */
bool ami_text_unsigned(struct slice value, uint32_t *ret_number);

/* The last second of the year 9999, which is as far as RFC 3339 goes: more is no time that a PBX
 * says, and microseconds from here on are added and subtracted without overflow. */
#define AMI_TEXT_SECONDS_MAX INT64_C(253402300799)

/* Whole seconds, 0 to AMI_TEXT_SECONDS_MAX, as microseconds. False as above. */
bool ami_text_seconds(struct slice value, int64_t *ret_us);

/* The Timestamp header, "1795219071.596224": seconds since 1970, up to AMI_TEXT_SECONDS_MAX, a
 * point and up to six digits (an absent or longer fraction is allowed, the rest is cut), as
 * microseconds. False as above. */
bool ami_text_time(struct slice value, int64_t *ret_us);

#endif
