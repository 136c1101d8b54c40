/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_TRUTH_MATCH_H
#define COLLECTOR_COMMANDS_TRUTH_MATCH_H

#include "collector/commands/truth.h"

/* Holds the rows of Asterisk's files against those of the history, within the stretch. Rows of one
 * channel (of one call, queue and event in queue_log) are paired, equal ones first. */

enum truth_verdict { TRUTH_EQUAL, TRUTH_DIFFERS, TRUTH_MISSING, TRUTH_EXTRA };

#define TRUTH_LOG_ARGS 6u

/* Columns of a queue_log line that can differ; the arguments are bits from ARG on. */
enum { TRUTH_LOG_TIME, TRUTH_LOG_AGENT, TRUTH_LOG_ARG };

struct truth_row {
    struct truth_row *next;
    struct cdr_record record;                                     /* of kind cdr */
    struct slice call, queue, agent, event, args[TRUTH_LOG_ARGS]; /* of kind queue_log */
    int64_t from, to; /* UTC; of a line both are its time */
    int64_t number;   /* of theirs: n and line of its table */
    int64_t line;
    struct slice key, id; /* id: of ours */
    bool inferred, imported;
    size_t size; /* of bytes */
    char bytes[];
};

struct truth_result {
    enum truth_kind kind;
    enum truth_verdict verdict;
    const struct truth_row *ours, *theirs; /* one of them may be NULL */
    unsigned columns;                      /* that differ */
    bool gap;   /* the tap was blind then: a difference was to be expected */
    bool older; /* what it is about began before the history: the same */
};

typedef bool truth_match_fn(void *ctx, const struct truth_result *result);

/* Tells every row once, by key. False when a file cannot be read or fn said false. */
bool truth_match(struct truth *t, enum truth_kind kind, truth_match_fn *fn, void *ctx);

/* The name of a column of a line: "time", "agent", "argument 1". text is its storage. */
#define TRUTH_LOG_COLUMNS (TRUTH_LOG_ARG + TRUTH_LOG_ARGS)
const char *truth_log_column(unsigned column, char text[32]);
/* Its value. */
struct slice truth_log_value(const struct truth_row *row, unsigned column);

#endif
