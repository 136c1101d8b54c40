/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_IMPORT_FACT_H
#define COLLECTOR_COMMANDS_IMPORT_FACT_H

#include "collector/commands/truth.h"

/* A row of Asterisk's files as the fact that it becomes. Its id is made of the row alone: kind,
 * Uniqueid, the second of its end, and a count among rows that are alike in these. */

/* A statement that gives the rows to import, whose columns import_fact_build reads, behind that
 * with the id of the inferred row that is replaced; NULL after a line on stderr. temp.wanted has
 * them, by kind and n. */
sqlite3_stmt *import_fact_rows(struct truth *t, enum truth_kind kind);

/* Builds the fact of the statement's present row. */
void import_fact_build(struct fact_builder *f, struct truth *t, enum truth_kind kind,
                       sqlite3_stmt *row);

/* The id of the row that is replaced; p NULL: none is. Borrowed until the next row. */
struct slice import_fact_replaces(sqlite3_stmt *row);

#endif
