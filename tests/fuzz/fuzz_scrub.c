/* SPDX-License-Identifier: MIT */
/* A scrubbed stream has as many lines as the stream, and scrubbing looks at nothing beside it. */
#include "collector/commands/scrub.h"
#include "tests/fuzz/fuzz_kit.h"

/* The next line without its end; false when there is none. */
static bool next_line(struct slice *rest, struct slice *ret_line)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!rest->n)
        return false;
    *ret_line = slice_head(*rest, end ? (size_t)(end - rest->p) : rest->n);
    *rest = slice_from_offset(*rest, end ? ret_line->n + 1 : rest->n);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SCRUB_KEY_SIZE] = {1, 2, 3};
    char *copy = fuzz_copy(data, size);
    struct scrub *scrub = scrub_new(key);
    struct slice line;
    for (struct slice rest = {copy, size}; next_line(&rest, &line);)
        scrub_learn(scrub, line);
    struct buf out = buf_new((size_t)1 << 22);
    uint64_t lines = 0;
    for (struct slice rest = {copy, size}; next_line(&rest, &line); lines++) {
        buf_clear(&out);
        fuzz_expect(scrub_line(scrub, line, &out));
        fuzz_expect(!out.n || !memchr(out.p, '\n', out.n));
    }
    buf_free(&out);
    scrub_free(scrub);
    free(copy);
    return 0;
}
