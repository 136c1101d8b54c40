/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_TEXT_H
#define COLLECTOR_BASE_TEXT_H

#include "parsers/slice.h"

/* Makes *where an owned C string with these bytes instead of what it was; an empty slice makes it
 * NULL. A NUL inside ends the string. False when memory is short: *where is NULL then. */
bool text_set(char **where, struct slice text);

#endif
