/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_ERASE_H
#define COLLECTOR_COMMANDS_ERASE_H

/* `amitap erase -c FILE --number N…`: takes numbers out of the history and of what waits in the
 * outbox. Its exit status. */
int erase_command(int argc, char **argv);

#endif
