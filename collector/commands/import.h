/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_IMPORT_H
#define COLLECTOR_COMMANDS_IMPORT_H

/* `amitap import`: fills gaps of the history, and of Kafka, from Asterisk's own files. The files'
 * rows that the history does not have, and those that it has inferred only. 0: done; 1: not, after
 * a line on stderr; 2: wrong arguments. */
int import_command(int argc, char **argv);

#endif
