/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_CHECK_H
#define COLLECTOR_COMMANDS_CHECK_H

/* amitap check -c FILE: reads the configuration and names every fault on stderr, with file, line
 * and key. amitap check --print-sample: writes a sample configuration. argv[0] is "check". Returns
 * the exit status: 0 when nothing is wrong, 1 for faults, 2 for wrong usage. */
int check_command(int argc, char **argv);

#endif
