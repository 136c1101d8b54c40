/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_TRUTH_H
#define COLLECTOR_COMMANDS_TRUTH_H

#include "collector/config/config.h"
#include "collector/facts/cdr_compare.h"
#include "collector/facts/privacy.h"
#include "collector/outbox/sqlite_file.h"

/* Asterisk's own files, CDRs and queue_log, laid beside the history: their rows go into temporary
 * tables (on disk, whatever the files' size) of a connection to the history; with what is to be
 * published, to the outbox with the history attached. */

enum truth_kind { TRUTH_CDR, TRUTH_QUEUE_LOG, TRUTH_KINDS };

struct truth_options {
    const char *config, *pbx;
    const char *files[TRUTH_KINDS]; /* NULL: not given */
    const char *columns;            /* of the CDR file, separated by commas; NULL: by their count */
    const char *from, *to, *zone;
    long show;           /* so many rows are printed */
    bool write;          /* the history is to be written to */
    const char *command; /* for lines on stderr */
};

/* A while in which the tap was blind. */
struct truth_gap {
    int64_t from, to;
};

struct truth {
    const struct truth_options *options;
    struct config *config;
    const struct config_section *section;
    struct sqlite_file file;
    bool open;
    const char *path;
    bool outbox;             /* there, too: it was needed */
    struct privacy *privacy; /* that the history's rows were written under */
    int64_t from, to;        /* the stretch, microseconds since 1970; rows that end in it count */
    int64_t followed_from;   /* what began before was not seen whole; 0: everything was */
    struct truth_gap *gaps;
    size_t gap_count;
    uint64_t loaded[TRUTH_KINDS];
    uint64_t unreadable[TRUTH_KINDS]; /* lines that are no row */
};

/* Reads the command line; false after a line on stderr. argv[0] is the command's name. */
bool truth_arguments(int argc, char **argv, struct truth_options *ret_options);

/* Opens the history and loads the files. False after a line on stderr; to be closed in any case. */
bool truth_open(struct truth *t, const struct truth_options *options);
void truth_close(struct truth *t);

/* The privacy policy of the store or kafka section. NULL after a line on stderr. */
struct privacy *truth_privacy(struct truth *t, const struct config_section *section);

/* Whether a span of time touches a gap. */
bool truth_in_gap(const struct truth *t, int64_t from, int64_t to);

/* Runs a statement that returns nothing. False after a line on stderr. */
bool truth_run(struct truth *t, const char *sql);
/* Says what SQLite says; false. */
bool truth_fail(const struct truth *t);
/* A statement with parameters ?1 pbx, and ?2, ?3 bound to the numbers. NULL after a line. */
sqlite3_stmt *truth_prepare(struct truth *t, const char *sql, int64_t from, int64_t to);

#endif
