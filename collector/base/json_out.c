/* SPDX-License-Identifier: MIT */
#include "collector/base/json_out.h"

#include "collector/base/stand_in.h"
#include "parsers/utf8.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct json_out json_out_to(struct buf *to)
{
    return (struct json_out){.to = to};
}

/* The comma before a value that is not the first of its level, and its key. */
static void lead(struct json_out *j, const char *key)
{
    if (j->comma[j->depth])
        buf_put_char(j->to, ',');
    j->comma[j->depth] = true;
    if (!key)
        return;
    buf_put_char(j->to, '"');
    buf_put_slice(j->to, slice_from(key));
    buf_put(j->to, "\":", 2);
}

static void open_level(struct json_out *j, const char *key, char c)
{
    lead(j, key);
    assert(j->depth + 1 < JSON_OUT_DEPTH);
    j->comma[++j->depth] = false;
    buf_put_char(j->to, c);
}

void json_out_object(struct json_out *j, const char *key)
{
    open_level(j, key, '{');
}

void json_out_array(struct json_out *j, const char *key)
{
    open_level(j, key, '[');
}

void json_out_close(struct json_out *j, char c)
{
    assert(j->depth > 0);
    j->depth--;
    buf_put_char(j->to, c);
}

/* One byte that may not stand in a JSON string as it is. */
static void put_escaped(struct buf *to, unsigned char c)
{
    static const char short_form[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (const char *s = short_form; *s; s += 2) {
        if ((unsigned char)*s == c) {
            buf_put_char(to, '\\');
            buf_put_char(to, s[1]);
            return;
        }
    }
    /* Asterisk's texts hold no NUL, and databases and C programs that read ours cannot hold one. */
    buf_printf(to, "\\u%04x", c ? c : 0xFFFDu);
}

/* The length of the run at the start of s that can be copied as it is. */
static size_t plain_run(struct slice s, bool exact)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F)
            break;
        size_t n = c < 0x80 ? 1 : utf8_char_length(slice_from_offset(s, i));
        if (n == 0 || (exact && stand_in_byte(slice_from_offset(s, i))))
            break;
        i += n;
    }
    return i;
}

static void put_text(struct buf *to, struct slice value, bool exact)
{
    buf_put_char(to, '"');
    while (value.n) {
        size_t run = plain_run(value, exact);
        buf_put(to, value.p, run);
        value = slice_from_offset(value, run);
        if (!value.n)
            break;
        if ((unsigned char)value.p[0] < 0x80)
            put_escaped(to, (unsigned char)value.p[0]);
        else if (exact)
            stand_in_put(to, (unsigned char)value.p[0]);
        else
            buf_put(to, "\xEF\xBF\xBD", 3);
        value = slice_from_offset(value, 1);
    }
    buf_put_char(to, '"');
}

void json_out_string(struct json_out *j, const char *key, struct slice value)
{
    lead(j, key);
    put_text(j->to, value, j->exact);
}

void json_out_known(struct json_out *j, const char *key, const char *value)
{
    if (value)
        json_out_string(j, key, slice_from(value));
}

void json_out_named(struct json_out *j, struct slice name, struct slice value)
{
    lead(j, NULL);
    put_text(j->to, name, j->exact);
    buf_put_char(j->to, ':');
    put_text(j->to, value, j->exact);
}

void json_out_int(struct json_out *j, const char *key, int64_t value)
{
    lead(j, key);
    buf_printf(j->to, "%" PRId64, value);
}

void json_out_bool(struct json_out *j, const char *key, bool value)
{
    json_out_raw(j, key, value ? SLICE("true") : SLICE("false"));
}

void json_out_null(struct json_out *j, const char *key)
{
    json_out_raw(j, key, SLICE("null"));
}

void json_out_seconds(struct json_out *j, const char *key, int64_t us)
{
    char text[40];
    int64_t whole = us / 1000000;
    int64_t part = us % 1000000;
    int n = snprintf(text, sizeof(text), "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "",
                     whole < 0 ? -whole : whole, part < 0 ? -part : part);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    json_out_raw(j, key, (struct slice){text, (size_t)n});
}

void time_text(int64_t us, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[TIME_TEXT_SIZE];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, TIME_TEXT_SIZE, "%.19s.%06dZ", date, (int)(us % 1000000));
}

void json_out_time(struct json_out *j, const char *key, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    time_text(us, text);
    json_out_string(j, key, slice_from(text));
}

void json_out_raw(struct json_out *j, const char *key, struct slice json)
{
    lead(j, key);
    buf_put_slice(j->to, json);
}
