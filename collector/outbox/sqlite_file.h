/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_SQLITE_FILE_H
#define COLLECTOR_OUTBOX_SQLITE_FILE_H

#include "parsers/slice.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An SQLite file of ours: WAL, numbered migrations, a WAL that stays bounded. One thread at a time
 * uses an open file. What is deleted is overwritten with zeros (secure_delete); the WAL keeps it
 * until it starts over or is emptied. */

#define SQLITE_FILE_ERROR_SIZE 512

/* What of a result code names the kind of failure. */
#define SQLITE_FILE_PRIMARY 0xFF

struct sqlite_schema {
    const char *what;              /* "outbox", for error lines */
    int application_id;            /* tells this kind of file from any other */
    const char *const *migrations; /* SQL that makes version 1, 2, ... each of the one before */
    int version;                   /* how many there are */
    bool durable;                  /* a commit survives power loss (synchronous=FULL) */
    bool secret;                   /* for the owner's eyes only (mode 0600, else 0640 at birth) */
};

struct sqlite_file {
    sqlite3 *db;
    int lock;              /* held while open for writing; -1 when open for reading */
    atomic_uint wal_pages; /* size of the WAL after the last commit; any thread may look */
    unsigned checkpoint_at;
};

/* Opens a file for writing, makes it where there is none, and brings it to the schema's version,
 * each migration in a transaction of its own. 0, or -1 with one line in error that begins with the
 * path: no such directory, a network file system, no rights, in use by another process, not a
 * database, another kind of file, made by a newer amitap, a migration that failed. A file that was
 * refused is as it was before; one that was not there is not there. Close it after every other
 * connection that this process has to the file. f must not move while it is open. */
int sqlite_file_open(struct sqlite_file *f, const char *path, const struct sqlite_schema *schema,
                     char *error, size_t error_size);

/* Opens a file of exactly the schema's version for reading. 0, or -1 and error as above. */
int sqlite_file_open_to_read(struct sqlite_file *f, const char *path,
                             const struct sqlite_schema *schema, char *error, size_t error_size);

/* Opens a file of exactly the schema's version for short writes beside an amitap that may have it
 * open: without its lock, so that both wait for each other's transactions, for some seconds at
 * most. 0, or -1 and error as above. */
int sqlite_file_open_beside(struct sqlite_file *f, const char *path,
                            const struct sqlite_schema *schema, char *error, size_t error_size);

/* Closes; whoever closes last moves the WAL into the file. A file that is not open is allowed. */
void sqlite_file_close(struct sqlite_file *f);

/* A statement that is used again and again, or NULL; the caller finalizes it. */
sqlite3_stmt *sqlite_file_prepare(struct sqlite_file *f, const char *sql);

/* Runs a statement that returns no rows, and resets it. An SQLite result code, SQLITE_OK if fine.
 */
int sqlite_file_run(sqlite3_stmt *statement);

/* Binds a text, which must stay where it is until the statement is reset; an empty one is an empty
 * text, never NULL. */
void sqlite_file_bind(sqlite3_stmt *statement, int parameter, struct slice text);

/* A column of the present row as text, borrowed until the statement is stepped or reset; p is NULL
 * where it is NULL. */
struct slice sqlite_file_text(sqlite3_stmt *statement, int column);

/* Undoes the open transaction if there is one. */
void sqlite_file_rollback(struct sqlite_file *f);

/* To be called after commits: checkpoints once the WAL has grown by a step, and where readers kept
 * it from starting over, waits for them for 100 ms at most. */
void sqlite_file_bound_wal(struct sqlite_file *f);

/* How much of the WAL was in use after the last commit. Any thread. */
uint64_t sqlite_file_wal_bytes(const struct sqlite_file *f);

/* Moves the WAL into the file and makes it 0 bytes long, so that it holds nothing that was deleted
 * or changed since. Where readers keep it as it is, after 100 ms, nothing is done, and it is false.
 */
bool sqlite_file_empty_wal(struct sqlite_file *f);

/* Makes every commit so far survive power loss, for a file that is not durable. An SQLite result
 * code. */
int sqlite_file_sync(struct sqlite_file *f);

/* "NFS" and the like when a file system of this statfs f_type cannot hold a WAL, else NULL. */
const char *sqlite_file_refused_fs(long type);

#endif
