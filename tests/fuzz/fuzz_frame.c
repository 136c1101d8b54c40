/* SPDX-License-Identifier: MIT */
/* Framing and headers: any split of the bytes gives the same frames, and every slice of a message
 * lies within its frame. */
#include "parsers/ami_frame.h"
#include "parsers/ami_message.h"
#include "tests/fuzz/fuzz_kit.h"

#include <string.h>

/* What came of a stream, to be compared. */
struct outcome {
    uint64_t frames, hash;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static void expect_within(struct slice part, struct slice whole)
{
    if (part.n)
        fuzz_expect(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void take(struct outcome *o, const struct ami_frame *frame)
{
    static struct ami_message message;
    ami_message_parse(frame, &message);
    for (int id = 0; id < AMI_HEADER_TOTAL; id++) {
        struct slice value = ami_message_get(&message, (enum ami_header_id)id);
        expect_within(value, frame->body);
        fuzz_expect(!value.n || !memchr(value.p, 0, value.n));
    }
    o->frames++;
    o->hash = mix(o->hash, &frame->kind, sizeof(frame->kind));
    o->hash = mix(o->hash, frame->name.p, frame->name.n);
    o->hash = mix(o->hash, frame->body.p, frame->body.n);
}

/* Feeds the bytes in pieces of the given size, as a socket would. */
static struct outcome feed(struct slice bytes, size_t piece)
{
    struct ami_framer framer = {0};
    struct outcome o = {0, 14695981039346656037u};
    size_t begin = 0, end = 0;
    while (end < bytes.n) {
        end = bytes.n - end < piece ? bytes.n : end + piece;
        struct ami_frame frame;
        size_t consumed = 0;
        while (ami_frame_next(&framer, (struct slice){bytes.p + begin, end - begin}, &frame,
                              &consumed) == AMI_FRAME_OK) {
            take(&o, &frame);
            begin += consumed;
        }
        begin += consumed;
        fuzz_expect(begin <= end);
        fuzz_expect(end - begin <= AMI_FRAME_BUFFER + piece);
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    /* A copy of the right size, so that a look past its end is seen. */
    char *copy = fuzz_copy(data + 1, size - 1);
    struct slice bytes = {copy, size - 1};
    struct outcome whole = feed(bytes, bytes.n + 1);
    struct outcome pieces = feed(bytes, 1u + data[0] % 64u);
    fuzz_expect(whole.frames == pieces.frames && whole.hash == pieces.hash);
    free(copy);
    return 0;
}
