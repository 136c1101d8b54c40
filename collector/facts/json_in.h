/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_JSON_IN_H
#define COLLECTOR_FACTS_JSON_IN_H

#include "parsers/slice.h"
#include <jansson.h>

/* Reads objects that json_out wrote, exact ones: what of one is not there, or of another type, is
 * as if it were 0, false or empty. */

/* The object that a text is, to be given to json_decref; NULL when it is none. */
json_t *json_in_object(struct slice text);

/* The text of a value; p NULL when it is none. Borrowed from it. */
struct slice json_in_string(const json_t *value);
/* The same of an object's member. */
struct slice json_in_text(const json_t *o, const char *key);
/* The same as an owned string instead of what *where was, as text_set does. */
bool json_in_take_text(const json_t *o, const char *key, char **where);

/* A member's number. */
int64_t json_in_int(const json_t *o, const char *key);
/* Whether a member is true. */
bool json_in_bool(const json_t *o, const char *key);
/* The number when it is one of an enum's values, 0 to last, else 0. */
int json_in_choice(const json_t *o, const char *key, int last);

#endif
