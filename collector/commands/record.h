/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_RECORD_H
#define COLLECTOR_COMMANDS_RECORD_H

/* amitap record -c FILE [--pbx NAME] -o OUT [--scrub] [--seconds N]: keeps what a PBX sends, byte
 * by byte, until SIGINT, SIGTERM or the seconds are over; `amitap replay` reads it. A lost PBX is
 * taken up again, behind a blank line. With --scrub numbers and names are replaced before anything
 * gets a name on the disk. Returns the exit status: 0 when something was recorded whole. */
int record_command(int argc, char **argv);

#endif
