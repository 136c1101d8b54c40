/* SPDX-License-Identifier: MIT */
#include "collector/base/stand_in.h"

#define TAIL 0x3F /* bits of each byte of a character but the first */

void stand_in_put(struct buf *to, unsigned char byte)
{
    buf_put_slice(to, STAND_IN_LEAD);
    buf_put_char(to, (char)(0xBC | byte >> 6));
    buf_put_char(to, (char)(0x80 | (byte & TAIL)));
}

unsigned char stand_in_byte(struct slice text)
{
    if (text.n < STAND_IN_SIZE || !slice_starts(text, STAND_IN_LEAD))
        return 0;
    unsigned byte = ((unsigned char)text.p[2] & 3u) << 6 | ((unsigned char)text.p[3] & TAIL);
    bool in_range = ((unsigned char)text.p[2] & 0xFE) == 0xBE;
    return in_range ? (unsigned char)byte : 0;
}
