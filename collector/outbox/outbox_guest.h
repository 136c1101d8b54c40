/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_OUTBOX_OUTBOX_GUEST_H
#define COLLECTOR_OUTBOX_OUTBOX_GUEST_H

#include "collector/outbox/outbox_reader.h"
#include "collector/outbox/sqlite_file.h"

/* Another process's way into an outbox that an amitap may have open: its rows stand behind those
 * that are there, and that amitap hands them to its sinks within about a second, or after its next
 * start. */

/* Attaches the outbox file to a connection to another file. 0, or -1 with one line in error: no
 * such file, not an outbox, another version. */
int outbox_guest_attach(struct sqlite_file *f, const char *path, char *error, size_t error_size);

/* For a transaction that writes to another file, too: opens the outbox file for short writes
 * (sqlite_file_open_beside), then attaches the other one to it, where its tables are found by their
 * names alone. Files in WAL mode are committed one after the other, and the outbox is the first:
 * when the second commit fails, or a kill comes between, the outbox alone has what was written,
 * never the other file alone. 0, or -1 with one line in error. The caller closes the first also
 * when the second failed. */
int outbox_guest_open(struct sqlite_file *f, const char *path, char *error, size_t error_size);
int outbox_guest_add(struct sqlite_file *f, const char *path, const struct sqlite_schema *schema,
                     char *error, size_t error_size);

/* The attached outbox's secret (outbox_secret), into text. False when it cannot be read. */
#define OUTBOX_GUEST_SECRET_SIZE 65
bool outbox_guest_secret(struct sqlite_file *f, char text[OUTBOX_GUEST_SECRET_SIZE]);

/* How many of the attached outbox's rows the sink has not passed, as the file has it. False when it
 * cannot be read. */
bool outbox_guest_waiting(struct sqlite_file *f, const char *sink, uint64_t *ret_rows);

/* The statement that outbox_guest_put runs, for rows under the policy of this name, which the
 * outbox knows then; the caller finalizes it. NULL: SQLite says why. */
sqlite3_stmt *outbox_guest_prepare(struct sqlite_file *f, const char *policy);

/* Puts a fact in, in the open transaction; row->seq is not used. An SQLite result code. */
int outbox_guest_put(sqlite3_stmt *put, const struct outbox_row *row);

#endif
