/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_UNTOLD_H
#define COLLECTOR_OUTBOX_UNTOLD_H

#include "collector/facts/fact.h"
#include "collector/outbox/sqlite_file.h"

/* What was given up and no gap has told of yet. It stands in the outbox's file: the transaction
 * that gives records up puts it there, and the one that commits a gap takes it away. So a gap tells
 * of it once at least, however this process ends; a part of it may be told of twice. */

#define UNTOLD_PBX_SIZE 256
/* So many PBXes are told of at a time; others wait in the file. */
#define UNTOLD_MAX 64

/* One PBX's. */
struct untold_span {
    char pbx[UNTOLD_PBX_SIZE];
    int64_t first, last; /* the records' own times, microseconds since 1970 UTC */
    int64_t mark;        /* another one whenever there is more to tell */
};

struct untold {
    struct sqlite_file *file;
    sqlite3_stmt *add, *told, *told_partly, *list;
    size_t count, read_count;
    struct untold_span spans[UNTOLD_MAX]; /* as the file has them */
    struct untold_span read[UNTOLD_MAX];
};

/* The file must have its tables, and outlives it. False with the error in the file's handle.
 * untold_free after a failure too. */
bool untold_init(struct untold *u, struct sqlite_file *file);
void untold_free(struct untold *u);

/* Inside a transaction: such records are given up; none without a PBX. An SQLite result code. */
int untold_add(struct untold *u, const struct untold_span *span);

/* Inside a transaction that commits this fact: where it is a gap with the reason kafka_backlog,
 * what it tells of is untold no more, and *ret_told is set. An SQLite result code. */
int untold_fact(struct untold *u, struct slice fact, bool *ret_told);

/* Reads what the file has, for untold_take. False where it cannot be read. */
bool untold_read(struct untold *u);

/* What was read last is what untold_find finds from now on; under the same lock, without the disk.
 */
void untold_take(struct untold *u);

/* What is to be told of this PBX; false: nothing. */
bool untold_find(const struct untold *u, const char *pbx, struct untold_span *ret);

#endif
