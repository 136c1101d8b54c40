/* SPDX-License-Identifier: MIT */
#include "parsers/ami_message.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* bench_parse FILE...: what framing and parsing recorded AMI streams costs, against a plain memchr
 * for each line and colon. Each piece of the stream is read through before it is timed, as it would
 * be just after recv. Prints nanoseconds per event and ratios; only the ratios compare between
 * machines. */

#define ROUNDS 9
#define PIECE  65536u

struct stream {
    char *p;
    size_t n;
    size_t events;
    size_t *pieces; /* where each piece begins, at a frame's start; pieces[count] == n */
    size_t count;
};

static uint64_t sink;

static int64_t cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void work_memchr(struct slice s)
{
    const char *end = s.p + s.n;
    for (const char *p = s.p; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if (!newline)
            return;
        const char *colon = memchr(p, ':', (size_t)(newline - p));
        sink += (uint64_t)(colon ? colon - p : 1);
        p = newline + 1;
    }
}

enum depth { FRAMES, WANTED, ALL };

static void work_parse(struct slice s, enum depth depth)
{
    static struct ami_message message;
    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t used = 0;
    while (ami_frame_next(&framer, s, &frame, &used) == AMI_FRAME_OK) {
        s = slice_from_offset(s, used);
        sink += frame.body.n;
        if (depth == FRAMES || (depth == WANTED && !ami_event_wanted(ami_message_event_id(&frame))))
            continue;
        ami_message_parse(&frame, &message);
        sink += ami_message_get(&message, AMI_HEADER_UNIQUEID).n;
    }
}

static void work(struct slice s, int what)
{
    if (what == 0)
        work_memchr(s);
    else
        work_parse(s, (enum depth)(what - 1));
}

/* Nanoseconds per event of one pass over the stream, each piece warm. */
static double pass(const struct stream *stream, int what)
{
    int64_t total = 0;
    for (size_t i = 0; i < stream->count; i++) {
        struct slice s = {stream->p + stream->pieces[i], stream->pieces[i + 1] - stream->pieces[i]};
        for (size_t k = 0; k < s.n; k += 64)
            sink += (uint64_t)s.p[k];
        int64_t begin = cpu_now();
        work(s, what);
        total += cpu_now() - begin;
    }
    return (double)total / (double)stream->events;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *title, const struct stream *stream)
{
    static const char *const names[] = {"memchr per line and colon", "frames only",
                                        "parse wanted events", "parse all events"};
    double ns[4][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int what = 0; what < 4; what++)
            ns[what][round] = pass(stream, what);
    }
    for (int what = 0; what < 4; what++)
        qsort(ns[what], ROUNDS, sizeof(double), compare_doubles);
    printf("%s: %zu events, %zu bytes\n", title, stream->events, stream->n);
    for (int what = 0; what < 4; what++)
        printf("  %-26s %7.1f ns/event (%.1f to %.1f)  ratio %.2f\n", names[what],
               ns[what][ROUNDS / 2], ns[what][0], ns[what][ROUNDS - 1],
               ns[0][ROUNDS / 2] / ns[what][ROUNDS / 2]);
}

static bool append_file(struct stream *stream, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char piece[PIECE];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0) {
        char *p = realloc(stream->p, stream->n + n);
        if (!p)
            break;
        stream->p = p;
        memcpy(p + stream->n, piece, n);
        stream->n += n;
    }
    bool good = feof(f) && !ferror(f);
    fclose(f);
    return good;
}

static bool is_noise(enum ami_event_id id)
{
    return id == AMI_EVENT_VARSET || id == AMI_EVENT_TESTEVENT || id == AMI_EVENT_RTCPSENT ||
           id == AMI_EVENT_RTCPRECEIVED;
}

/* The frames of `from`, all or without what speed.md calls noise, each with a blank line. */
static bool copy_frames(const struct stream *from, bool without_noise, struct stream *ret_to)
{
    struct stream to = {.p = malloc(from->n + 4),
                        .pieces = calloc(from->n / 8 + 2, sizeof(size_t))};
    if (!to.p || !to.pieces)
        return false;
    struct ami_framer framer = {0};
    struct ami_frame frame;
    struct slice s = {from->p, from->n};
    size_t used = 0;
    for (; ami_frame_next(&framer, s, &frame, &used) == AMI_FRAME_OK;
         s = slice_from_offset(s, used)) {
        if (frame.kind == AMI_FRAME_BANNER ||
            (without_noise && is_noise(ami_message_event_id(&frame))))
            continue;
        if (to.n >= to.pieces[to.count] + PIECE)
            to.pieces[++to.count] = to.n;
        memcpy(to.p + to.n, frame.body.p, frame.body.n);
        memcpy(to.p + to.n + frame.body.n, "\r\n\r\n", 4);
        to.n += frame.body.n + 4;
        to.events++;
    }
    to.pieces[++to.count] = to.n;
    *ret_to = to;
    return to.events > 0;
}

int main(int argc, char **argv)
{
    struct stream input = {0};
    for (int i = 1; i < argc; i++) {
        if (!append_file(&input, argv[i])) {
            fprintf(stderr, "bench_parse: cannot read %s\n", argv[i]);
            return 1;
        }
    }
    struct stream real, wanted;
    if (!copy_frames(&input, false, &real) || !copy_frames(&input, true, &wanted)) {
        fprintf(stderr, "usage: bench_parse FILE...\n");
        return 1;
    }
    report("as recorded", &real);
    report("without VarSet, TestEvent and RTCP", &wanted);
    printf("(%" PRIu64 ")\n", sink);
    return 0;
}
