/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_USERS_USERS_H
#define COLLECTOR_USERS_USERS_H

#include "collector/base/clock.h"
#include "collector/users/users_hash.h"

/* The users file as the daemon holds it: who a password, a token or a screen's cookie belongs to.
 * Any thread may ask. The files are read and written in users_open, users_refresh and users_enter
 * only; the latter two, and users_password, are one thread's. */
struct users;

/* How long the code of a kiosk's URL may be used: once, within an hour. */
#define USERS_CODE_SECONDS 3600

/* Somebody who got in. The mark changes with the password, token or code. */
struct users_person {
    char name[USERS_NAME_SIZE];
    bool display;
    uint64_t mark;
};

struct users_options {
    const char *path; /* the users file */
    const char
        *kiosks; /* where the screens that came in are kept over a restart; made when one does */
    struct clock clock;
};

/* Reads the files. NULL with a reason that names the file. */
struct users *users_open(const struct users_options *options, char *error, size_t error_size);
void users_free(struct users *u);

/* How many there are. */
size_t users_count(struct users *u);

/* Whether the password is this person's. Works as hard and as long for a name that is not there.
 * Takes a quarter of a second. */
bool users_password(struct users *u, const char *name, const char *password,
                    struct users_person *ret_person);

enum users_admission {
    USERS_NO_CODE,  /* the code is none, too old, or was used */
    USERS_NOT_KEPT, /* the code is good, and still is, but the file could not be written: errno */
    USERS_LET_IN
};

/* Lets a screen in by the code of its URL, which is of no use afterwards, and makes its cookie.
 * Writes a file. */
enum users_admission users_enter(struct users *u, const char *code, char ret_cookie[USERS_HEX],
                                 struct users_person *ret_person);

/* Whose token, or which screen's cookie, this is. Quick. */
bool users_token(struct users *u, const char *token, struct users_person *ret_person);
bool users_kiosk(struct users *u, const char *cookie, struct users_person *ret_person);

/* Whether there is somebody of this name. Quick. */
bool users_has(struct users *u, const char *name);

/* Whether this person is still there, with the same password, token or code. Quick. */
bool users_still(struct users *u, const struct users_person *person);

enum users_news { USERS_SAME, USERS_CHANGED, USERS_BROKEN };

/* Reads the users file again when it was changed. One that cannot be read or understood changes
 * nothing: USERS_BROKEN once, with the reason. */
enum users_news users_refresh(struct users *u, char *error, size_t error_size);

#endif
