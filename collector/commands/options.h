/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_OPTIONS_H
#define COLLECTOR_COMMANDS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/* The options of a command, and which word of its command line is wrong: one line on stderr as
 * "amitap: record: --seconds: 'abc' is not a number", behind which the command prints its usage. */

/* To be called before the first options_next of a command line. */
void options_begin(void);

/* As getopt_long, of which argv[0] is the command's name, optarg the option's value and optind, at
 * the end, the first word that is no option. shorts begin with ':'. -1 at the end; '?' after a line
 * about an option that there is not, or a value that is missing or too many. */
int options_next(int argc, char **argv, const char *shorts, const struct option *options);

/* False after a line when a word stands behind all that the command takes, which ends at optind. */
bool options_end(int argc, char **argv);

/* given; false after a line when what must be there, "-c FILE", is not. */
bool options_need(const char *command, const char *what, bool given);

/* False, after a line that the option's value is not what is wanted, "a number". */
bool options_refuse(const char *command, const char *option, const char *value, const char *wanted);

#endif
