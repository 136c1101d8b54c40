/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_MASK_H
#define COLLECTOR_FACTS_MASK_H

#include "collector/base/buf.h"

/* What stands for a telephone number or a name where it must not be seen: the same for the same,
 * in every field. Bytes in, bytes out; what a field is, privacy.h knows. */

enum mask_mode {
    MASK_CLEAR,
    MASK_DIGITS, /* "*****234": the last digits of a number, nothing of a text */
    MASK_HMAC,   /* "p1:" and 32 hex digits of HMAC-SHA-256 over a number's digits or a text */
    MASK_DROP    /* nothing */
};

#define MASK_KEY_MAX    128u
#define MASK_KEY_ID_MAX 16u

struct mask {
    enum mask_mode mode;
    unsigned digits;           /* how many of a number MASK_DIGITS shows; at most half of it */
    unsigned extension_digits; /* numbers of up to so many digits are extensions and stay */
    unsigned char key[MASK_KEY_MAX];
    size_t key_n;
    char key_id[MASK_KEY_ID_MAX + 1];
};

/* Appends what stands for a value that is a number or an extension. Short extensions, Asterisk's
 * special ones ("s", "h") and its words for no number ("anonymous") stay. False when nothing does.
 */
bool mask_number(const struct mask *m, struct slice value, struct buf *to);

/* Appends what stands for a text; one that is a number gets the number's mask. False when nothing
 * does. An empty text stays. */
bool mask_text(const struct mask *m, struct slice value, struct buf *to);

/* "name" <number> as a caller id has it: each part by its own rule. */
void mask_clid(const struct mask *m, struct slice value, struct buf *to);

/* A text of which only numbers are masked, each in its place, wherever more digits than an
 * extension has stand in a row or a number is written in groups. Unique ids and times near epoch
 * (seconds since 1970), UUIDs, dates, addresses and channels' serials stay. With is_id each number
 * gets its hash whatever the mode, and times in microseconds stay: two ids never become one. */
struct mask_place {
    int64_t epoch;
    bool is_id;
    unsigned extension_digits; /* mask_in_place takes the mask's */
};
void mask_in_place(const struct mask *m, struct slice text, struct mask_place place,
                   struct buf *to);

/* How many bytes of a text at `at` go together in the eyes of mask_in_place, at least one: a number
 * (ret_number), or what stays. */
size_t mask_piece_at(struct slice text, size_t at, struct mask_place place, bool *ret_number);

/* The keyed hash of a text, as MASK_HMAC writes it. */
void mask_hash(const struct mask *m, struct slice text, struct buf *to);

#endif
