/* SPDX-License-Identifier: MIT */
#include "tests/unit/parsers/dump.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct slice guarded(struct slice s)
{
    static char *area;
    if (!area) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        area = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        assert(area != MAP_FAILED);
        int rc = mprotect(area + GUARDED_MAX, page, PROT_NONE);
        assert(rc == 0);
    }
    assert(s.n <= GUARDED_MAX);
    char *to = area + GUARDED_MAX - s.n;
    if (s.n)
        memmove(to, s.p, s.n);
    return (struct slice){to, s.n};
}

size_t piece_of_one(void *context)
{
    (void)context;
    return 1;
}

size_t piece_at_random(void *context)
{
    const unsigned *most = context;
    return 1 + (size_t)random() % *most;
}

struct slice read_file(const char *path)
{
    struct slice none = {NULL, 0};
    FILE *f = fopen(path, "rb");
    if (!f)
        return none;
    char *p = NULL;
    size_t n = 0;
    for (size_t got = 1; got > 0; n += got) {
        char *more = realloc(p, n + 65536);
        if (!more)
            break;
        p = more;
        got = fread(p + n, 1, 65536, f);
    }
    bool good = feof(f) && !ferror(f);
    fclose(f);
    if (good)
        return (struct slice){p, n};
    free(p);
    return none;
}

static void add_to_digest(uint64_t *digest, struct slice s)
{
    const uint64_t prime = 0x100000001B3u;
    for (size_t i = 0; i < s.n; i++)
        *digest = (*digest ^ (unsigned char)s.p[i]) * prime;
    *digest = (*digest ^ 0x100) * prime;
}

static void print_bytes(FILE *dump, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c >= 0x7F)
            fprintf(dump, "<%02x>", c);
        else
            fputc(c, dump);
    }
}

static void print_message(FILE *dump, const struct ami_frame *frame, const struct ami_message *m)
{
    static const char *const kinds[] = {"banner", "event", "response", "other"};
    fprintf(dump, "%s [", kinds[frame->kind]);
    print_bytes(dump, frame->name);
    fprintf(dump, "]%s%s%s%s\n", frame->flags & AMI_FRAME_LONG ? " long" : "",
            frame->flags & AMI_FRAME_LONG_LINE ? " long-line" : "", m->cut ? " cut" : "",
            m->kind == AMI_FRAME_EVENT && m->event == AMI_EVENT_UNKNOWN ? " unknown" : "");
    for (unsigned i = 0; i < m->count; i++) {
        fputs(m->headers[i].id == AMI_HEADER_UNKNOWN ? "  ? " : "    ", dump);
        print_bytes(dump, m->headers[i].name);
        fputs(" [", dump);
        print_bytes(dump, m->headers[i].value);
        fputs("]\n", dump);
    }
}

static void take_frame(struct outcome *o, const struct ami_frame *frame, FILE *dump)
{
    static struct ami_message message;
    ami_message_parse(frame, &message);
    o->frames++;
    uint64_t numbers[] = {frame->kind, frame->flags, message.event, message.count, message.cut};
    add_to_digest(&o->digest, (struct slice){(const char *)numbers, sizeof(numbers)});
    add_to_digest(&o->digest, frame->name);
    for (unsigned i = 0; i < message.count; i++) {
        uint64_t id = message.headers[i].id;
        add_to_digest(&o->digest, (struct slice){(const char *)&id, sizeof(id)});
        add_to_digest(&o->digest, message.headers[i].name);
        add_to_digest(&o->digest, message.headers[i].value);
    }
    if (dump)
        print_message(dump, frame, &message);
}

/* Takes all frames that are whole off bytes; how many bytes are done with. */
static size_t take_frames(struct outcome *o, struct slice bytes, FILE *dump)
{
    size_t done = 0;
    for (;;) {
        struct ami_frame frame;
        size_t used = 0;
        enum ami_frame_result result =
            ami_frame_next(&o->framer, slice_from_offset(bytes, done), &frame, &used);
        done += used;
        assert(done <= bytes.n);
        if (result == AMI_FRAME_NEED_MORE)
            return done;
        take_frame(o, &frame, dump);
    }
}

struct outcome dump_stream(struct slice stream, struct cuts cuts, FILE *dump)
{
    struct outcome o = {.digest = 0xCBF29CE484222325u};
    size_t begin = 0;
    size_t end = 0;
    while (end < stream.n) {
        size_t piece = cuts.size ? cuts.size(cuts.context) : stream.n;
        end = piece < stream.n - end ? end + piece : stream.n;
        struct slice pending = {stream.p + begin, end - begin};
        begin += take_frames(&o, cuts.size ? guarded(pending) : pending, dump);
    }
    o.left = stream.n - begin;
    if (dump && o.framer.cut_frames + o.framer.cut_lines)
        fprintf(dump, "cut: %llu frames, %llu lines\n", (unsigned long long)o.framer.cut_frames,
                (unsigned long long)o.framer.cut_lines);
    if (dump && o.left)
        fprintf(dump, "left: %zu bytes\n", o.left);
    return o;
}
