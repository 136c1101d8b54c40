/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_FACTS_CDR_COMPARE_H
#define COLLECTOR_FACTS_CDR_COMPARE_H

#include "collector/facts/fact.h"
#include "parsers/ami_message.h"

/* One CDR row as two sides have it: as derived, and as Asterisk itself told or wrote it. */

#define CDR_COLUMN_LIST(X)                                                                         \
    X(CLID, "clid")                                                                                \
    X(SRC, "src")                                                                                  \
    X(DST, "dst")                                                                                  \
    X(DCONTEXT, "dcontext")                                                                        \
    X(CHANNEL, "channel")                                                                          \
    X(DSTCHANNEL, "dstchannel")                                                                    \
    X(LASTAPP, "lastapp")                                                                          \
    X(LASTDATA, "lastdata")                                                                        \
    X(START, "start")                                                                              \
    X(ANSWER, "answer")                                                                            \
    X(END, "end")                                                                                  \
    X(DURATION, "duration")                                                                        \
    X(BILLSEC, "billsec")                                                                          \
    X(DISPOSITION, "disposition")                                                                  \
    X(AMAFLAGS, "amaflags")                                                                        \
    X(ACCOUNTCODE, "accountcode")                                                                  \
    X(PEERACCOUNT, "peeraccount")                                                                  \
    X(UNIQUEID, "uniqueid")                                                                        \
    X(LINKEDID, "linkedid")                                                                        \
    X(USERFIELD, "userfield")

enum cdr_column {
#define CDR_COLUMN(id, name) CDR_COLUMN_##id,
    CDR_COLUMN_LIST(CDR_COLUMN)
#undef CDR_COLUMN
        CDR_COLUMNS
};

/* A set of columns. */
#define CDR_COLUMN_BIT(column) (1u << (unsigned)(column))
#define CDR_COLUMN_TIMES                                                                           \
    (CDR_COLUMN_BIT(CDR_COLUMN_START) | CDR_COLUMN_BIT(CDR_COLUMN_ANSWER) |                        \
     CDR_COLUMN_BIT(CDR_COLUMN_END))
#define CDR_COLUMN_SPANS (CDR_COLUMN_BIT(CDR_COLUMN_DURATION) | CDR_COLUMN_BIT(CDR_COLUMN_BILLSEC))

/* Its name in cdr.csv, which is also the field's and the history's; a constant. */
const char *cdr_column_name(enum cdr_column column);
/* The column of this name, or CDR_COLUMNS. */
enum cdr_column cdr_column_by_name(struct slice name);
/* The fact's field of that name. */
enum fact_field cdr_column_field(enum cdr_column column);

struct cdr_record {
    unsigned has;                   /* the columns that this side has; others are not compared */
    unsigned fractions;             /* spans that have a fraction; others are cut to seconds */
    struct slice text[CDR_COLUMNS]; /* borrowed; of times and spans what the file or event has */
    /* Of times microseconds since 1970, 0: none; those of Asterisk's side as if its clock were
     * UTC. Of spans microseconds. */
    int64_t number[CDR_COLUMNS];
};

/* The derived row, out of a fact of kind cdr; a field that is null is not had, but for answer. */
void cdr_record_of_fact(struct slice fact, struct cdr_record *ret_record);
/* Asterisk's row, out of its Cdr event (cdr_manager, Asterisk 12 to 23): the columns that the event
 * carries, a linkedid or peeraccount that [mappings] of cdr_manager.conf adds among them. Borrows
 * from the message. */
void cdr_record_of_event(const struct ami_message *m, struct cdr_record *ret_record);
/* Sets a column of Asterisk's side from its text as cdr_csv and cdr_custom write it: times
 * "2026-11-20 23:57:51", spans as seconds with or without a fraction, amaflags as word or number.
 * False, and the column is not had, when it is no such value. text is borrowed. */
bool cdr_record_set(struct cdr_record *record, enum cdr_column column, struct slice text);

/* Whether a moment of ours, moved to the PBX's clock, and Asterisk's, which is cut to its second,
 * may be the same: ours is when AMI wrote the event, up to a tenth of a second later. */
bool cdr_same_time(int64_t ours, int64_t asterisk);

/* The columns in which the rows differ, of those that both have. Times are compared as they stand:
 * ours must have been moved to the PBX's clock. rounds: billsec of Asterisk may be rounded up
 * (initiatedseconds). */
unsigned cdr_differences(const struct cdr_record *ours, const struct cdr_record *asterisk,
                         bool rounds);

/* By how much the PBX's clock is before UTC, in seconds, if these are the same moment: a multiple
 * of 15 minutes of 15 hours at most. False when there is none. */
bool cdr_zone(int64_t ours, int64_t asterisk, int64_t *ret_seconds);

#endif
