/* SPDX-License-Identifier: MIT */
#include "parsers/ami_message.h"

#include "parsers/scan.h"
#include <assert.h>

_Static_assert(AMI_HEADERS_MAX < UINT8_MAX, "an index and one more fit into first[]");

#define NO_COLON SIZE_MAX

/* Adds the header in line, whose first colon is at that offset. */
static void add_header(struct ami_message *m, struct slice line, size_t colon)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > AMI_LINE_MAX) {
        line.n = AMI_LINE_MAX;
        m->cut = true;
    }
    if (colon >= line.n)
        return;
    if (m->count == AMI_HEADERS_MAX) {
        m->cut = true;
        return;
    }
    struct slice value = {line.p + colon + 1, line.n - colon - 1};
    if (value.n && value.p[0] == ' ')
        value = (struct slice){value.p + 1, value.n - 1};
    struct ami_header *header = &m->headers[m->count];
    enum ami_header_id before = m->count ? header[-1].id : AMI_HEADER_UNKNOWN;
    header->name = slice_head(line, colon);
    header->value = value;
    header->id = ami_header_from_name_after(before, header->name);
    m->count++;
    if (header->id != AMI_HEADER_UNKNOWN && !m->first[header->id])
        m->first[header->id] = (uint8_t)m->count;
}

/* Finds each line's end and first colon, a block of bytes at a time. */
static void split(struct ami_message *m, struct slice body)
{
    size_t line = 0;
    size_t colon = NO_COLON;
    for (size_t i = 0; i < body.n; i += SCAN_BLOCK) {
        uint64_t newlines = scan_slice(body, i, '\n');
        uint64_t colons = scan_slice(body, i, ':');
        for (; newlines; newlines &= newlines - 1) {
            uint64_t newline = newlines & -newlines;
            if (colon == NO_COLON && (colons & (newline - 1)))
                colon = i + (size_t)__builtin_ctzll(colons);
            size_t end = i + (size_t)__builtin_ctzll(newline);
            if (colon != NO_COLON)
                add_header(m, (struct slice){body.p + line, end - line}, colon - line);
            colons &= -newline;
            line = end + 1;
            colon = NO_COLON;
        }
        if (colon == NO_COLON && colons)
            colon = i + (size_t)__builtin_ctzll(colons);
    }
    if (colon != NO_COLON)
        add_header(m, slice_from_offset(body, line), colon - line);
}

void ami_message_parse(const struct ami_frame *frame, struct ami_message *ret_message)
{
    ret_message->kind = frame->kind;
    ret_message->event = ami_message_event_id(frame);
    ret_message->name = frame->name;
    ret_message->cut = (frame->flags & AMI_FRAME_LONG) != 0;
    ret_message->count = 0;
    memset(ret_message->first, 0, sizeof(ret_message->first));
    if (frame->kind != AMI_FRAME_BANNER)
        split(ret_message, frame->body);
}

unsigned ami_message_find(const struct ami_message *m, enum ami_header_id id, unsigned from)
{
    assert(id < AMI_HEADER_TOTAL);
    for (unsigned i = from; i < m->count; i++) {
        if (m->headers[i].id == id)
            return i;
    }
    return m->count;
}

enum ami_event_id ami_message_event_id(const struct ami_frame *frame)
{
    return frame->kind == AMI_FRAME_EVENT ? ami_event_from_name(frame->name) : AMI_EVENT_UNKNOWN;
}
