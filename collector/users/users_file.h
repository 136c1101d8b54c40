/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_USERS_USERS_FILE_H
#define COLLECTOR_USERS_USERS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who may see the wallboard: a text file, one line each, which `amitap user` and `amitap token`
 * write. Secrets stand in it as hashes only.
 *
 *   NAME:scrypt:LN:R:P:SALT:HASH     a person and the password's scrypt hash (N = 2^LN)
 *   NAME:token:all|display:HASH      a machine and its token's SHA-256
 *   NAME:kiosk:MADE:HASH             a screen, the SHA-256 of the code in its one-time URL, and
 * when that was made (seconds since 1970)
 */

#define USERS_MAX       1000 /* lines of a file; more are refused */
#define USERS_NAME_SIZE 65
#define USERS_SALT      16
#define USERS_HASH      32
#define USERS_HEX       (2 * USERS_HASH + 1)

enum users_kind { USERS_PERSON, USERS_TOKEN, USERS_KIOSK };

/* What a password's hash costs: 128 * 2^ln * r bytes, and time by p on top. */
struct users_cost {
    unsigned ln, r, p;
};

struct users_entry {
    enum users_kind kind;
    char name[USERS_NAME_SIZE];
    bool display;           /* a token for showing the wallboard and nothing else */
    struct users_cost cost; /* a person's */
    uint8_t salt[USERS_SALT];
    uint8_t hash[USERS_HASH];
    int64_t made; /* a kiosk's code: seconds since 1970 */
};

/* A file's entries, in its order. Starts as {0}; freed with users_file_free. */
struct users_file {
    struct users_entry *entries;
    size_t n;
};
void users_file_free(struct users_file *file);

/* Reads a file's text. Empty lines and those that begin with '#' are passed over. False, with
 * nothing to free and a reason such as "line 3: the name is not …", when a line is wrong. */
bool users_file_parse(const char *text, size_t n, struct users_file *ret_file, char *error,
                      size_t error_size);

/* Reads the file at path. False with a reason, which does not begin with the path. */
bool users_file_read(const char *path, struct users_file *ret_file, char *error, size_t error_size);

/* Replaces the file at path, or makes it: whole or not at all, readable by its owner only. The
 * comments of an old one go. False with a reason. */
bool users_file_write(const char *path, const struct users_file *file, char *error,
                      size_t error_size);

/* Letters, digits, '.', '_', '-' and '@', 1 to 64 of them. */
bool users_name_is_good(const char *name);

/* The entry of this name, NULL when there is none. */
struct users_entry *users_file_find(const struct users_file *file, const char *name);

/* Takes the place of the entry of the same name, or is added. False when memory is short or there
 * are USERS_MAX already. */
bool users_file_put(struct users_file *file, const struct users_entry *entry);

/* Whether there was an entry of this name; there is none now. */
bool users_file_remove(struct users_file *file, const char *name);

/* Lower-case hexadecimal digits, and back; n is that of the bytes. False when text is not 2 n such
 * digits. */
void users_to_hex(const uint8_t *bytes, size_t n, char *ret_text);
bool users_from_hex(const char *text, uint8_t *ret_bytes, size_t n);

/* Waits until no other amitap changes the files of this folder; until the descriptor that is
 * returned is closed. -1 with errno set. */
int users_file_lock(const char *path);

/* Replaces the file at path by this text, whole or not at all, readable by its owner only. False
 * with errno set. */
bool users_replace(const char *path, const char *text);

#endif
