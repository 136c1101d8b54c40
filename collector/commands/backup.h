/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_BACKUP_H
#define COLLECTOR_COMMANDS_BACKUP_H

/* `amitap backup -c FILE -o OUT [--outbox OUT]`: copies the history, and the outbox if asked, while
 * amitap runs or not. Its exit status. */
int backup_command(int argc, char **argv);

#endif
