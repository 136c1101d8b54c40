/* SPDX-License-Identifier: MIT */
#include "collector/config/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "credential:";

const char *credential_path(const char *named, char *path, size_t size)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    const char *name = named + sizeof(prefix) - 1;
    int n;
    if (strncmp(named, prefix, sizeof(prefix) - 1) != 0) {
        n = snprintf(path, size, "%s", named);
    } else if (!directory || !directory[0]) {
        return "systemd gave no credentials ($CREDENTIALS_DIRECTORY is not set)";
    } else if (!name[0] || strchr(name, '/')) {
        return "is no name of a credential";
    } else {
        n = snprintf(path, size, "%s/%s", directory, name);
    }
    return n < 0 || (size_t)n >= size ? "is too long a path" : NULL;
}
