/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_ERASURE_H
#define COLLECTOR_FACTS_ERASURE_H

#include "collector/facts/mask.h"

/* Takes telephone numbers out of what was stored: out of texts, records and ids, in clear and as
 * masks wrote them. What stands for one is "erased-" and letters, the same for the same spelling
 * within one erasure, so that rows which belonged together still do; nobody can make it again. */
struct erasure;

#define ERASURE_NUMBERS_MAX 16u
/* Fewer digits are an extension, and stand in too much that is no number. */
#define ERASURE_DIGITS_MIN 5u
/* From so many digits on a number is also found inside a longer one, behind a prefix. */
#define ERASURE_DIGITS_INSIDE 7u
#define ERASURE_KEY_N         32u

/* An erasure with a key of random bytes. NULL when memory is short. */
struct erasure *erasure_new(const unsigned char key[ERASURE_KEY_N]);
/* NULL is allowed. */
void erasure_free(struct erasure *e);

/* A number to take out; "+49…", "0049…" and "49…" are one. False when it has too few digits or too
 * many, holds what no number does, or is one too many. */
bool erasure_add(struct erasure *e, struct slice number);

/* Also what this mask writes for the numbers added so far. False when there are too many. */
bool erasure_add_mask(struct erasure *e, const struct mask *m);

/* Whether a text holds one of the numbers. */
bool erasure_holds(const struct erasure *e, struct slice text);

/* Appends the text without the numbers. JSON stays JSON, and in its objects the name that stands
 * beside a number that goes becomes null. */
void erasure_text(const struct erasure *e, struct slice text, struct buf *to);

#endif
