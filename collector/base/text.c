/* SPDX-License-Identifier: MIT */
#include "collector/base/text.h"

#include <stdlib.h>

bool text_set(char **where, struct slice text)
{
    char *copy = text.n ? strndup(text.p, text.n) : NULL;
    free(*where);
    *where = copy;
    return copy || !text.n;
}
