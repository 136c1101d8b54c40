/* SPDX-License-Identifier: MIT */
#include "web/event_id.h"

#include <stdlib.h>
#include <string.h>

bool event_id_read(const char *id, const char *boot, uint64_t newest, uint64_t *ret_seq)
{
    size_t n = strlen(boot);
    if (strncmp(id, boot, n) != 0 || id[n] != '-')
        return false;
    const char *digits = id + n + 1;
    size_t digits_n = strlen(digits);
    if (digits_n == 0 || digits_n > 19 || strspn(digits, "0123456789") != digits_n)
        return false;
    *ret_seq = strtoull(digits, NULL, 10);
    return *ret_seq <= newest;
}
