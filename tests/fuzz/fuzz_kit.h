/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FUZZ_KIT_H
#define TESTS_FUZZ_FUZZ_KIT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the fuzzers share. Each is one function; libFuzzer and AFL++ bring the loop. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, which the fuzzer keeps the input of. */
#define fuzz_expect(condition) ((condition) ? (void)0 : abort())

/* A copy in a block of exactly its size, to be freed. */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    return copy;
}

#endif
