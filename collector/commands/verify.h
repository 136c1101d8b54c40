/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_VERIFY_H
#define COLLECTOR_COMMANDS_VERIFY_H

/* `amitap verify`: a stretch of the history against Asterisk's own files. 0: equal; 1: they differ;
 * 2: wrong arguments, or a file that cannot be read, after a line on stderr. */
int verify_command(int argc, char **argv);

#endif
