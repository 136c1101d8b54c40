/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_USERS_USERS_HASH_H
#define COLLECTOR_USERS_USERS_HASH_H

#include "collector/users/users_file.h"

/* Passwords are few and guessable, so theirs is scrypt. Tokens, codes and cookies are 256 random
 * bits: nobody finds one by trying, and one SHA-256 is enough to keep them out of the file; a slow
 * hash would only be paid with each request. */

/* What new passwords get: 32 MiB and about a quarter of a second. */
#define USERS_COST_NEW ((struct users_cost){15, 8, 3})

#define USERS_PASSWORD_MIN 8
#define USERS_PASSWORD_MAX 256

/* Makes e a person with this password and a new salt. False when memory or randomness fail. */
bool users_set_password(struct users_entry *e, const char *password);

/* Whether this is the person's password. Takes as long for a wrong one. */
bool users_password_fits(const struct users_entry *e, const char *password);

/* A new secret of 64 hexadecimal digits, with its SHA-256. False when randomness fails. */
bool users_new_secret(char ret_secret[USERS_HEX], uint8_t ret_hash[USERS_HASH]);

/* The SHA-256 of a text. False when the library refuses it. */
bool users_sha256(const char *text, uint8_t ret_hash[USERS_HASH]);

/* Compares hashes in a time that does not tell where they differ. */
bool users_same_hash(const uint8_t a[USERS_HASH], const uint8_t b[USERS_HASH]);

#endif
