/* SPDX-License-Identifier: MIT */
#ifndef WEB_SESSIONS_H
#define WEB_SESSIONS_H

#include "web/web_source.h"

/* Who is logged in, by a random cookie: at most SESSIONS_MAX, of which one person has at most
 * SESSIONS_PER_PERSON; past these the one that was idle longest ends. They are in memory only. Any
 * thread. Times are monotonic seconds. */
#define SESSIONS_MAX        1000
#define SESSIONS_PER_PERSON 20

struct sessions;

/* A session as its requests and streams hold it: it does not come back once it ended. */
struct session_ref {
    unsigned slot;
    uint64_t serial; /* 0: none */
};

struct sessions_options {
    unsigned idle_seconds;
    unsigned session_seconds;
    bool (*random)(void *bytes, size_t n); /* good for keys */
};

/* NULL when memory is short. */
struct sessions *sessions_new(const struct sessions_options *options);
void sessions_free(struct sessions *s);

/* Begins one and writes its cookie's value. False when there is no randomness. */
bool sessions_begin(struct sessions *s, const struct web_person *person, int64_t now,
                    char ret_cookie[WEB_SECRET_SIZE]);

/* The session of this cookie, which is used by that. False when there is none (any more). */
bool sessions_find(struct sessions *s, const char *cookie, int64_t now, struct session_ref *ret_ref,
                   struct web_person *ret_person);

/* Whether it goes on; it is used by being asked. */
bool sessions_still(struct sessions *s, struct session_ref ref, int64_t now);

/* Ends it. */
void sessions_end(struct sessions *s, struct session_ref ref);

/* Ends those of people who may not come in any more. */
void sessions_review(struct sessions *s, const struct web_users *users);

/* How many there are, and how many ended because there were too many. */
unsigned sessions_count(struct sessions *s, int64_t now, uint64_t *ret_pushed_out);

#endif
