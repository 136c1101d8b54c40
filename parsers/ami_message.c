/* SPDX-License-Identifier: MIT */
#include "parsers/ami_message.h"

#include "parsers/scan.h"
#include <assert.h>

_Static_assert(AMI_HEADERS_MAX < UINT8_MAX, "an index and one more fit into first[]");

/* The offset of line's first colon and the id of the name before it. Asterisk writes the headers of
 * a snapshot in a fixed order, which the table keeps: so the row behind the header before is tried
 * first, and mostly neither a search nor a hash is needed. False when there is no colon. */
static bool read_name(struct slice line, enum ami_header_id before, enum ami_header_id *ret_id,
                      size_t *ret_colon)
{
    enum ami_header_id next = before + 1;
    if (next < AMI_HEADER_TOTAL) {
        struct slice name = ami_header_names[next];
        if (line.n > name.n && line.p[name.n] == ':' && slice_starts(line, name)) {
            *ret_id = next;
            *ret_colon = name.n;
            return true;
        }
    }
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon)
        return false;
    *ret_colon = (size_t)(colon - line.p);
    *ret_id = ami_header_from_name(slice_head(line, *ret_colon));
    return true;
}

static void add_line(struct ami_message *m, struct slice line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > AMI_LINE_MAX) {
        line.n = AMI_LINE_MAX;
        m->cut = true;
    }
    struct ami_header *header = &m->headers[m->count];
    enum ami_header_id before = m->count ? header[-1].id : AMI_HEADER_UNKNOWN;
    enum ami_header_id id;
    size_t colon;
    if (!read_name(line, before, &id, &colon))
        return;
    if (m->count == AMI_HEADERS_MAX) {
        m->cut = true;
        return;
    }
    size_t blank = colon + 1 < line.n && line.p[colon + 1] == ' ';
    header->id = id;
    header->name = slice_head(line, colon);
    header->value = (struct slice){line.p + colon + 1 + blank, line.n - colon - 1 - blank};
    m->count++;
    if (id != AMI_HEADER_UNKNOWN && !m->first[id])
        m->first[id] = (uint8_t)m->count;
}

/* Finds the ends of lines, a block of bytes at a time. */
static void split(struct ami_message *m, struct slice body)
{
    size_t line = 0;
    for (size_t i = 0; i < body.n; i += SCAN_BLOCK) {
        uint64_t newlines = scan_slice(body, i, '\n');
        for (; newlines; newlines &= newlines - 1) {
            size_t end = i + (size_t)__builtin_ctzll(newlines);
            add_line(m, (struct slice){body.p + line, end - line});
            line = end + 1;
        }
    }
    if (line < body.n)
        add_line(m, slice_from_offset(body, line));
}

/* Asterisk's values are C strings; one that holds a NUL would be another text to each of our
 * tables. */
static void cut_at_nul(struct ami_message *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct slice *value = &m->headers[i].value;
        const char *nul = value->n ? memchr(value->p, 0, value->n) : NULL;
        if (nul) {
            value->n = (size_t)(nul - value->p);
            m->cut = true;
        }
    }
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
    if (frame->body.n && memchr(frame->body.p, 0, frame->body.n))
        cut_at_nul(ret_message);
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
