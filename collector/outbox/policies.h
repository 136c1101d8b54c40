/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_POLICIES_H
#define COLLECTOR_OUTBOX_POLICIES_H

#include "collector/facts/privacy.h"
#include "collector/outbox/sqlite_file.h"

/* Under which privacy policies facts are rendered for the sinks, and under which they were: part of
 * the outbox. The first one's rendering stands with the fact, the others' beside it. */
#define POLICIES_MAX 8

struct policy {
    int64_t number; /* in the file's table policies */
    struct privacy *privacy;
};

struct policies {
    struct policy list[POLICIES_MAX];
    size_t count;
};

/* Puts down that from the facts behind `since` on this sink has this policy, and adds it to the
 * list where no sink before had it. An SQLite result code. */
int policies_add(struct policies *p, struct sqlite_file *file, const char *sink,
                 struct privacy *privacy, uint64_t since);

/* Puts down for every sink that the file knows and names have not that it was not there from since
 * on, so that nothing that is not meant for it reaches it when it comes back. Inside a transaction.
 * An SQLite result code. */
int policies_leave_out(struct sqlite_file *file, const char *const *names, size_t count,
                       uint64_t since);

#endif
