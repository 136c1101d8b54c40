/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_LOG_H
#define COLLECTOR_BASE_LOG_H

#include <stdint.h>

/* Log lines of the daemon: one line each on stderr, "<priority>message" under journald, plain
 * otherwise. Only whoever handles an error logs it; parsers and library-like code return it. Never
 * blocks: lines go through a bounded ring to a thread of its own once log_start was called, and
 * what does not fit is counted and said in a later line. */

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* Starts the log thread; before it, lines are written by the caller. 0, or -1 when no thread. */
int log_start(void);

/* Writes what is left and ends the thread. Where nobody reads what is written it gives up after two
 * seconds, and nothing more is written. */
void log_stop(void);

/* One line, without its newline; past 4,096 bytes it is cut. Control characters in what is printed
 * become '?'. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many lines were lost since the start because the ring was full. Any thread. */
uint64_t log_lost(void);

#endif
