/* SPDX-License-Identifier: MIT */
#include "collector/commands/ami_files.h"

#include "collector/base/buf.h"
#include "parsers/ami_frame.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)

struct reading {
    const char *command;
    ami_files_event event;
    void *ctx;
    struct ami_framer framer;
    struct ami_message message;
    struct buf input;
};

static void take_frames(struct reading *r)
{
    struct slice rest = buf_slice(&r->input);
    struct ami_frame frame;
    size_t consumed;
    while (ami_frame_next(&r->framer, rest, &frame, &consumed) == AMI_FRAME_OK) {
        if (frame.kind == AMI_FRAME_EVENT && ami_event_wanted(ami_message_event_id(&frame))) {
            ami_message_parse(&frame, &r->message);
            r->event(r->ctx, &r->message);
        }
        rest = slice_from_offset(rest, consumed);
    }
    buf_drop(&r->input, r->input.n - rest.n + consumed);
}

static bool read_stream(struct reading *r, int fd, const char *name)
{
    for (;;) {
        char *to = buf_reserve(&r->input, READ_SIZE);
        if (!to) {
            fprintf(stderr, "amitap: %s: %s: no memory\n", r->command, name);
            return false;
        }
        ssize_t n = read(fd, to, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fprintf(stderr, "amitap: %s: %s: %s\n", r->command, name, strerror(errno));
        if (n <= 0)
            return n == 0;
        r->input.n += (size_t)n;
        take_frames(r);
    }
}

static bool read_file(struct reading *r, const char *name)
{
    if (strcmp(name, "-") == 0)
        return read_stream(r, STDIN_FILENO, "standard input");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "amitap: %s: %s: %s\n", r->command, name, strerror(errno));
        return false;
    }
    bool good = read_stream(r, fd, name);
    close(fd);
    return good;
}

bool ami_files_read(const char *command, char *const *names, ami_files_event event, void *ctx)
{
    struct reading r = {.command = command,
                        .event = event,
                        .ctx = ctx,
                        .input = buf_new(READ_SIZE * 2 + AMI_FRAME_MAX + AMI_LINE_MAX)};
    bool good = true;
    for (; *names && good; names++)
        good = read_file(&r, *names);
    buf_free(&r.input);
    return good;
}
