/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_PRIVACY_H
#define COLLECTOR_FACTS_PRIVACY_H

#include "collector/facts/fact.h"
#include "collector/facts/mask.h"

/* A sink's privacy policy, and facts as it lets them through: fields that schemas/fact_fields.def
 * does not call HARMLESS are masked, subject, key and id alike. A fact is masked before it is
 * rendered, so that nothing else need know of it. */
struct privacy;

#define PRIVACY_TEXT_SIZE 64u

/* A policy for one thread. The options are copied; their key must not be empty. NULL when memory
 * is short. */
struct privacy *privacy_new(const struct mask *options);
/* Wipes the key. NULL is allowed. */
void privacy_free(struct privacy *p);

/* Whether facts pass as they are; NULL is such a policy. */
bool privacy_is_clear(const struct privacy *p);

/* Names the policy, and with it the key, of which it tells nothing: "clear", "digits:3:4:own:1f…",
 * "hmac:4:p1:…". The same name is the same rendering. As long as the policy; NULL is "clear". */
const char *privacy_name(const struct privacy *p);

/* The fact as the policy lets it through: itself, or a copy that is borrowed until the next call.
 * Empty when it is no fact, passed its bound, or memory is short: then nothing may be shown. */
struct slice privacy_mask(struct privacy *p, struct slice fact);

/* What this policy writes for one number; appends nothing where it writes nothing. */
void privacy_number(const struct privacy *p, struct slice number, struct buf *to);

#endif
