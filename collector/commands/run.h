/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_RUN_H
#define COLLECTOR_COMMANDS_RUN_H

#include "web/web_source.h"

/* amitap run -c FILE: the daemon, in the foreground. Logs in to every PBX, derives, stores and
 * shows until SIGTERM or SIGINT. Returns the exit status: 0 after a clean stop, 1 when it could not
 * start or a PBX refused the only account it has, 2 for wrong arguments. */
int run_command(int argc, char **argv, const struct web_edge_ops *web);

#endif
