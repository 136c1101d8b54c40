/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_AUDIT_H
#define COLLECTOR_COMMANDS_AUDIT_H

/* amitap audit -c FILE [--pbx NAME] [--json]: logs in to the PBX, asks for nothing but its version
 * and what the account may call, and prints what of that changes something, with a manager.conf
 * that grants less. argv[0] is "audit". Returns the exit status: 0 when the account can change no
 * more than every account can, 1 when it can, 2 for wrong usage, 3 when it could not be found out
 * (a line on stderr says why). */
int audit_command(int argc, char **argv);

#endif
