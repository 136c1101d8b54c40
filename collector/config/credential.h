/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CREDENTIAL_H
#define COLLECTOR_CONFIG_CREDENTIAL_H

#include <stddef.h>

/* Where a secret's file is. "credential:NAME" is one that systemd hands over (LoadCredential=), in
 * $CREDENTIALS_DIRECTORY; anything else is a path. NULL, or why there is none: a constant. */
const char *credential_path(const char *named, char *path, size_t size);

#endif
