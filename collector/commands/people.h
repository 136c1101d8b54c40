/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_PEOPLE_H
#define COLLECTOR_COMMANDS_PEOPLE_H

/* `amitap user add|remove|list` and `amitap token add|url|remove|list`: change the users file that
 * the configuration names; an amitap that runs takes it up within a second. A password is read from
 * the terminal or stdin. Both return the process's exit status: 0; 1 after one line of reason; 2
 * when they were called wrongly. */
int user_command(int argc, char **argv);
int token_command(int argc, char **argv);

#endif
