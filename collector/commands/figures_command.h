/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_FIGURES_COMMAND_H
#define COLLECTOR_COMMANDS_FIGURES_COMMAND_H

/* amitap figures -c FILE [--pbx NAME] [--queue Q] [--agent] [--from T] [--to T] [--every STEP]
 * [--zone ZONE] [--threshold SECONDS] [--short SECONDS] [--json]: prints every figure of
 * schemas/figures.def. argv[0] is "figures". Returns the exit status: 0, 1 after one line on
 * stderr, 2 when it was called wrongly. */
int figures_command(int argc, char **argv);

#endif
