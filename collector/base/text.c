/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"

#include "collector/base/memory.h"

#include <stdlib.h>

/* Not strndup: a slice need not have a NUL anywhere behind it. */
static char *copy_of(struct slice text)
{
    char *copy = memory_bytes(text.n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    return copy;
}

bool text_set(char **where, struct slice text)
{
    char *copy = text.n ? copy_of(text) : NULL;
    free(*where);
    *where = copy;
    return copy || !text.n;
}
