/* SPDX-License-Identifier: MIT */
#include "parsers/ami_frame.h"

#include "parsers/scan.h"
#include <assert.h>
#include <strings.h>

#define NOT_FOUND SIZE_MAX

/* Whether the newline at p[at] ends a blank line: what is before it, but for a CR, is one too. */
static bool is_blank_at(const char *p, size_t at)
{
    size_t before = at >= 1 && p[at - 1] == '\r' ? at - 1 : at;
    return before >= 1 && p[before - 1] == '\n';
}

/* Where the newline of the first blank line from offset `from` on stands. Two newlines at most two
 * bytes apart are rare enough to look at each such place. */
static size_t find_blank_line(struct slice s, size_t from)
{
    uint64_t carry1 = from >= 1 && s.p[from - 1] == '\n';
    uint64_t carry2 = carry1 << 1 | (from >= 2 && s.p[from - 2] == '\n');
    for (size_t i = from; i < s.n; i += SCAN_BLOCK) {
        uint64_t newlines = scan_slice(s, i, '\n');
        uint64_t near = newlines & ((newlines << 1 | carry1) | (newlines << 2 | carry2));
        for (; near; near &= near - 1) {
            size_t at = i + (size_t)__builtin_ctzll(near);
            if (is_blank_at(s.p, at))
                return at;
        }
        carry1 = newlines >> 63;
        carry2 = newlines >> 62;
    }
    return NOT_FOUND;
}

static struct slice without_cr(struct slice line)
{
    return (struct slice){line.p, line.n - (line.n && line.p[line.n - 1] == '\r')};
}

/* Takes the first line off *rest, without its end. */
static struct slice take_line(struct slice *rest)
{
    const char *newline = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = newline ? (size_t)(newline - rest->p) : rest->n;
    struct slice line = without_cr(slice_head(*rest, n));
    *rest = slice_from_offset(*rest, newline ? n + 1 : n);
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether line is a header of that name, in any case; its value without blanks around it. */
static bool header_value(struct slice line, struct slice name, struct slice *ret_value)
{
    if (line.n <= name.n || line.p[name.n] != ':' || strncasecmp(line.p, name.p, name.n) != 0)
        return false;
    struct slice value = {line.p + name.n + 1, line.n - name.n - 1};
    while (value.n && is_blank(value.p[0]))
        value = (struct slice){value.p + 1, value.n - 1};
    while (value.n && is_blank(value.p[value.n - 1]))
        value.n--;
    *ret_value = value;
    return true;
}

/* What the frame is. Asterisk writes Event or Response first, but promises no order. */
static void classify(struct ami_frame *frame)
{
    struct slice rest = frame->body;
    while (rest.n) {
        struct slice line = take_line(&rest);
        if (header_value(line, SLICE("Event"), &frame->name)) {
            frame->kind = AMI_FRAME_EVENT;
            return;
        }
        if (header_value(line, SLICE("Response"), &frame->name)) {
            frame->kind = AMI_FRAME_RESPONSE;
            return;
        }
    }
    frame->kind = AMI_FRAME_OTHER;
    frame->name = slice_head(frame->body, 0);
}

static uint64_t count_long_lines(struct slice body)
{
    uint64_t count = 0;
    while (body.n > AMI_LINE_MAX)
        count += take_line(&body).n > AMI_LINE_MAX;
    return count;
}

/* The lines in block, their last line's end included, as a frame. */
static void fill(struct ami_framer *framer, struct slice block, unsigned flags,
                 struct ami_frame *ret_frame)
{
    assert(block.n && block.p[block.n - 1] == '\n');
    *ret_frame = (struct ami_frame){.flags = flags};
    ret_frame->body = without_cr(slice_head(block, block.n - 1));
    classify(ret_frame);
    uint64_t long_lines = count_long_lines(ret_frame->body);
    if (long_lines)
        ret_frame->flags |= AMI_FRAME_LONG_LINE;
    framer->cut_lines += long_lines;
    framer->cut_frames += (flags & AMI_FRAME_LONG) != 0;
    framer->scanned = 0;
    framer->follows = false;
}

/* Cuts the frame at the start of bytes. A line that the cap splits is left out, since half a value
 * may look like a whole one. */
static void fill_cut(struct ami_framer *framer, struct slice bytes, struct ami_frame *ret_frame)
{
    const char *newline = memrchr(bytes.p, '\n', AMI_FRAME_MAX);
    if (newline) {
        struct slice whole = {bytes.p, (size_t)(newline - bytes.p) + 1};
        fill(framer, whole, AMI_FRAME_LONG, ret_frame);
    } else {
        *ret_frame =
            (struct ami_frame){AMI_FRAME_OTHER, AMI_FRAME_LONG, {bytes.p, 0}, {bytes.p, 0}};
        framer->cut_frames++;
        framer->scanned = 0;
        framer->follows = false;
    }
    framer->skipping = true;
}

/* Whether the first line, if whole, is "Response: Follows". */
static bool is_follows(struct slice bytes)
{
    if ((bytes.p[0] | 0x20) != 'r')
        return false;
    struct slice value;
    struct slice line = take_line(&bytes);
    return bytes.n && header_value(slice_head(line, 64), SLICE("Response"), &value) &&
           value.n == 7 && strncasecmp(value.p, "Follows", 7) == 0;
}

/* Where the newline stands of the first line from offset `from` on that ends the text of a
 * Response: Follows. The marker need not begin its line: a text may end without a newline. */
static size_t find_command_end(struct slice s, size_t from)
{
    while (from < s.n) {
        const char *newline = memchr(s.p + from, '\n', s.n - from);
        if (!newline)
            return NOT_FOUND;
        size_t at = (size_t)(newline - s.p);
        if (slice_ends(without_cr(slice_head(s, at)), SLICE("--END COMMAND--")))
            return at;
        from = at + 1;
    }
    return NOT_FOUND;
}

/* Where the block at the start of window ends: *ret_lines its lines, their ends included, *ret_used
 * also what ends it. False when the end is not in window. */
static bool find_end(struct ami_framer *framer, struct slice window, size_t *ret_lines,
                     size_t *ret_used)
{
    size_t at = NOT_FOUND;
    size_t from = framer->scanned;
    if (!framer->follows) {
        at = find_blank_line(window, from);
        if (at == NOT_FOUND)
            return false;
        framer->follows = is_follows(window);
        from = 0;
    }
    if (framer->follows) {
        at = find_command_end(window, from);
        *ret_lines = at + 1;
    } else {
        *ret_lines = window.p[at - 1] == '\r' ? at - 1 : at;
    }
    *ret_used = at + 1;
    return at != NOT_FOUND && *ret_lines <= AMI_FRAME_MAX;
}

/* The next block of lines at the start of bytes, which is no blank line. */
static enum ami_frame_result next_block(struct ami_framer *framer, struct slice bytes,
                                        struct ami_frame *ret_frame, size_t *ret_used)
{
    struct slice window = slice_head(bytes, AMI_FRAME_BUFFER);
    size_t lines = 0;
    if (find_end(framer, window, &lines, ret_used)) {
        fill(framer, slice_head(bytes, lines), 0, ret_frame);
        return AMI_FRAME_OK;
    }
    if (window.n == AMI_FRAME_BUFFER) {
        fill_cut(framer, bytes, ret_frame);
        *ret_used = AMI_FRAME_MAX;
        return AMI_FRAME_OK;
    }
    framer->scanned = window.n;
    *ret_used = 0;
    return AMI_FRAME_NEED_MORE;
}

/* "Asterisk Call Manager/11.0.0", "Asterisk Call Manager Proxy/1.22": the version, else empty. */
static struct slice banner_version(struct slice line)
{
    const struct slice product = SLICE("Call Manager");
    const char *at = line.n ? memmem(line.p, line.n, product.p, product.n) : NULL;
    if (!at || memchr(line.p, ':', (size_t)(at - line.p)))
        return (struct slice){NULL, 0};
    struct slice rest = slice_from_offset(line, (size_t)(at - line.p) + product.n);
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    return slash ? slice_from_offset(rest, (size_t)(slash - rest.p) + 1) : (struct slice){NULL, 0};
}

/* The first line of the stream, taken if it is a banner. */
static enum ami_frame_result next_banner(struct ami_framer *framer, struct slice bytes,
                                         struct ami_frame *ret_frame, size_t *ret_used)
{
    *ret_used = 0;
    struct slice window = slice_head(bytes, AMI_LINE_MAX + 1);
    const char *newline = memchr(window.p, '\n', window.n);
    if (!newline && window.n <= AMI_LINE_MAX)
        return AMI_FRAME_NEED_MORE;
    framer->banner_seen = true;
    struct slice rest = window;
    struct slice line = take_line(&rest);
    struct slice version = banner_version(line);
    if (!newline || !version.n)
        return next_block(framer, bytes, ret_frame, ret_used);
    *ret_frame = (struct ami_frame){AMI_FRAME_BANNER, 0, version, line};
    *ret_used = (size_t)(newline - bytes.p) + 1;
    return AMI_FRAME_OK;
}

/* How many bytes at the start of bytes are blank lines. */
static size_t blank_lines(struct slice bytes)
{
    size_t n = 0;
    for (;;) {
        size_t cr = n < bytes.n && bytes.p[n] == '\r';
        if (n + cr >= bytes.n || bytes.p[n + cr] != '\n')
            return n;
        n += cr + 1;
    }
}

/* Behind a cut frame: how many bytes go by, up to and with the next blank line. What may be its
 * first half stays. */
static size_t skip(struct ami_framer *framer, struct slice bytes)
{
    size_t at = find_blank_line(bytes, 0);
    if (at != NOT_FOUND) {
        framer->skipping = false;
        return at + 1;
    }
    if (slice_ends(bytes, SLICE("\n")))
        return bytes.n - 1;
    return slice_ends(bytes, SLICE("\n\r")) ? bytes.n - 2 : bytes.n;
}

enum ami_frame_result ami_frame_next(struct ami_framer *framer, struct slice bytes,
                                     struct ami_frame *ret_frame, size_t *ret_consumed)
{
    assert(framer->scanned <= bytes.n);
    size_t done = framer->skipping ? skip(framer, bytes) : 0;
    *ret_consumed = done;
    if (framer->skipping)
        return AMI_FRAME_NEED_MORE;
    struct slice rest = slice_from_offset(bytes, done);
    if (framer->scanned == 0) {
        size_t blank = blank_lines(rest);
        rest = slice_from_offset(rest, blank);
        done += blank;
    }
    *ret_consumed = done;
    /* A lone CR may begin another blank line. */
    if (!rest.n || (rest.n == 1 && rest.p[0] == '\r'))
        return AMI_FRAME_NEED_MORE;
    size_t used = 0;
    enum ami_frame_result result = framer->banner_seen
                                       ? next_block(framer, rest, ret_frame, &used)
                                       : next_banner(framer, rest, ret_frame, &used);
    *ret_consumed += used;
    return result;
}
