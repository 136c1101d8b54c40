/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_SCAN_H
#define PARSERS_SCAN_H

#include "parsers/slice.h"
#include <stdint.h>

/* Where a byte stands among 64, as bits: what framing and header splitting are made of. With SSE2,
 * which every x86-64 has, or by eight bytes at a time elsewhere; AMI_PLAIN chooses the second. */

#define SCAN_BLOCK 64u

#if defined(__SSE2__) && !defined(AMI_PLAIN)
#include <emmintrin.h>

static inline uint64_t scan_16(const char *p, __m128i wanted)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted));
}

/* Bit i is set when p[i] == c, for the SCAN_BLOCK bytes at p, all of which must be readable. */
static inline uint64_t scan_block(const char *p, char c)
{
    const __m128i wanted = _mm_set1_epi8(c);
    return scan_16(p, wanted) | scan_16(p + 16, wanted) << 16 | scan_16(p + 32, wanted) << 32 |
           scan_16(p + 48, wanted) << 48;
}

#else

/* The same, eight bytes in a word: exact for every byte value, in either byte order. */
static inline uint64_t scan_block(const char *p, char c)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t low7 = 0x7F * ones;
    uint64_t bits = 0;
    for (unsigned i = 0; i < SCAN_BLOCK; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        word ^= ones * (unsigned char)c;
        uint64_t zero_bytes = ~(((word & low7) + low7) | word | low7) >> 7;
        bits |= (zero_bytes * 0x0102040810204080u >> 56) << i;
    }
    return bits;
}

#endif

/* The same for what s holds from offset on, up to SCAN_BLOCK bytes; the bits past its end are 0.
 * Reads nothing outside s. offset must be below s.n. c must not be NUL. */
static inline uint64_t scan_slice(struct slice s, size_t offset, char c)
{
    size_t left = s.n - offset;
    if (left >= SCAN_BLOCK)
        return scan_block(s.p + offset, c);
    char last[SCAN_BLOCK] = {0};
    memcpy(last, s.p + offset, left);
    return scan_block(last, c);
}

#endif
