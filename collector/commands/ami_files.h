/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_AMI_FILES_H
#define COLLECTOR_COMMANDS_AMI_FILES_H

#include "parsers/ami_message.h"

/* Recorded AMI bytes, read for a command. */

typedef void (*ami_files_event)(void *ctx, const struct ami_message *m);

/* Reads the files as one stream, in order; "-" is standard input. Hands out each event that state
 * or records read, borrowed for the call. False after one line on stderr that begins with the
 * command's name. */
bool ami_files_read(const char *command, char *const *names, ami_files_event event, void *ctx);

#endif
