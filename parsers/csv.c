/* SPDX-License-Identifier: MIT */
#include "parsers/csv.h"

struct reading {
    struct slice text;
    size_t at;
    char *scratch;
};

static void add(struct csv_record *record, struct slice field)
{
    if (record->count < CSV_FIELDS_MAX)
        record->field[record->count] = field;
    record->count++;
}

/* Up to a comma or line end. */
static struct slice read_plain(struct reading *r)
{
    size_t from = r->at;
    while (r->at < r->text.n && r->text.p[r->at] != ',' && r->text.p[r->at] != '\n')
        r->at++;
    size_t n = r->at - from;
    bool at_end = r->at == r->text.n || r->text.p[r->at] == '\n';
    if (n && at_end && r->text.p[r->at - 1] == '\r')
        n--;
    return (struct slice){r->text.p + from, n};
}

/* From behind the opening quote to behind the closing one. False when there is none. */
static bool read_quoted(struct reading *r, struct slice *ret_field)
{
    char *to = r->scratch;
    r->at++;
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (c == '"' && (r->at + 1 == r->text.n || r->text.p[r->at + 1] != '"')) {
            *ret_field = (struct slice){r->scratch, (size_t)(to - r->scratch)};
            r->scratch = to;
            r->at++;
            return true;
        }
        r->at += c == '"';
        *to++ = c;
    }
    return false;
}

static size_t first_line(struct slice text)
{
    const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
    return end ? (size_t)(end - text.p) + 1 : text.n;
}

enum csv_result csv_read(struct slice text, bool last, char *scratch, struct csv_record *ret_record,
                         size_t *ret_n)
{
    struct reading r = {text, 0, scratch};
    ret_record->count = 0;
    do {
        struct slice field = {text.p, 0};
        r.at += ret_record->count > 0;
        if (r.at < text.n && text.p[r.at] == '"' && !read_quoted(&r, &field)) {
            *ret_n = first_line(text);
            return last ? CSV_BAD : CSV_MORE;
        }
        /* What stands between a closing quote and the comma is nobody's. */
        struct slice plain = read_plain(&r);
        add(ret_record, field.p == text.p && field.n == 0 ? plain : field);
    } while (r.at < text.n && text.p[r.at] == ',');
    *ret_n = r.at + (r.at < text.n);
    return r.at == text.n && !last ? CSV_MORE : CSV_RECORD;
}
