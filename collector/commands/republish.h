/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_REPUBLISH_H
#define COLLECTOR_COMMANDS_REPUBLISH_H

/* `amitap republish`: sends the history's records of a stretch of time to Kafka again, with the
 * same ids, keys and bodies, for a cluster that lost them. They go by the outbox, so that an amitap
 * that runs publishes them. 0: all of them are in the outbox; 1: not, after a line on stderr; 2:
 * wrong arguments. */
int republish_command(int argc, char **argv);

#endif
