/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_EXPLAIN_H
#define COLLECTOR_COMMANDS_EXPLAIN_H

/* amitap explain ID (-c FILE [--pbx NAME] | [-c FILE] [--pbx NAME] RECORDING...) [--json]: prints
 * one call as a timeline, with the reason for each line. argv[0] is "explain". Returns the exit
 * status: 0, 1 after one line on stderr, 2 when it was called wrongly. */
int explain_command(int argc, char **argv);

#endif
