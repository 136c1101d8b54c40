/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_STATE_VARIABLES_H
#define COLLECTOR_STATE_VARIABLES_H

#include "parsers/slice.h"

/* The values of some channel variables, those that the configuration names: few, each cut at a
 * bound. */
#define VARIABLES_MAX      16u
#define VARIABLE_VALUE_MAX 512u

struct variable {
    char *name;
    char *value; /* NULL: empty */
};

struct variables {
    struct variable *of; /* in the order in which they were first set */
    size_t count;
};

/* Takes a value, an empty one only in place of another; past VARIABLES_MAX further names are not
 * held. True when that changed anything. */
bool variables_set(struct variables *v, struct slice name, struct slice value);
/* Makes to hold what from does, instead of what it held. */
void variables_copy(struct variables *to, const struct variables *from);
/* Frees the values and leaves none. */
void variables_free(struct variables *v);

#endif
