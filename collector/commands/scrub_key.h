/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_SCRUB_KEY_H
#define COLLECTOR_COMMANDS_SCRUB_KEY_H

#include "parsers/slice.h"
#include <stdint.h>

/* What stands for a number or a name, by a key: the same for the same, without a table of what was
 * replaced, and not to be turned back without the key. */

#define SCRUB_KEY_SIZE 32u
/* "Person_" and seven letters, and a NUL. */
#define SCRUB_PERSON_SIZE 15u

struct scrub_key;

/* Spreads the key, which is not kept. NULL when memory is short. */
struct scrub_key *scrub_key_new(const uint8_t key[SCRUB_KEY_SIZE]);
/* Wipes and frees it. NULL is allowed. */
void scrub_key_free(struct scrub_key *k);

/* Replaces the digits in bytes, whatever stands between them, by as many others. Of 7 to 15 digits
 * the last seven change: country and area stay, and a number is the same with and without them. Of
 * fewer, and of more (a card, not a number), all change. Two that differ stay different, but for
 * one in ten million. */
void scrub_key_digits(const struct scrub_key *k, char *bytes, size_t n);

/* The invented name for this one; ASCII case does not matter. */
void scrub_key_person(const struct scrub_key *k, struct slice name, char person[SCRUB_PERSON_SIZE]);

#endif
