/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_REPLAY_H
#define COLLECTOR_COMMANDS_REPLAY_H

/* amitap replay [-c FILE] [--pbx NAME] [--records KIND[,KIND]] FILE…: derives records from recorded
 * AMI bytes and prints them on stdout. Returns the exit status. */
int replay_command(int argc, char **argv);

#endif
