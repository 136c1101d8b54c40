/* SPDX-License-Identifier: MIT */
#include "parsers/ami_text.h"

bool ami_text_is_escaped(enum ami_event_id event, enum ami_header_id header)
{
    enum form { RAW, ESCAPED };
    static const unsigned char forms[AMI_HEADER_TOTAL] = {
#define AMI_HEADER(id, name, form) [AMI_HEADER_##id] = form,
#include "schemas/ami_headers.def"
#undef AMI_HEADER
    };
    switch (event) {
    case AMI_EVENT_VARSET:
        return header == AMI_HEADER_VALUE || forms[header] == ESCAPED;
    case AMI_EVENT_STATUS:
    case AMI_EVENT_QUEUEENTRY:
    case AMI_EVENT_CEL:
    case AMI_EVENT_MEETMEJOIN:
    case AMI_EVENT_MEETMELEAVE:
        return false;
    default:
        return forms[header] == ESCAPED;
    }
}

/* The byte that a backslash and c stand for, or 0 for none. */
static char unescaped(char c)
{
    static const char pairs[] = "a\ab\bf\fn\nr\rt\tv\v\\\\''\"\"\?\?";
    for (const char *pair = pairs; *pair; pair += 2) {
        if (*pair == c)
            return pair[1];
    }
    return 0;
}

struct slice ami_text_unescape(struct slice value, char *to, size_t size)
{
    if (!value.n || !memchr(value.p, '\\', value.n))
        return value;
    size_t n = 0;
    for (size_t i = 0; i < value.n && n < size; i++) {
        char c = value.p[i];
        char plain = c == '\\' && i + 1 < value.n ? unescaped(value.p[i + 1]) : 0;
        if (plain) {
            c = plain;
            i++;
        }
        to[n++] = c;
    }
    return (struct slice){to, n};
}

struct slice ami_text_plain(enum ami_event_id event, enum ami_header_id header, struct slice value,
                            char *to, size_t size)
{
    return ami_text_is_escaped(event, header) ? ami_text_unescape(value, to, size) : value;
}

struct slice ami_text_known(struct slice value)
{
    return slice_is(value, "<unknown>") ? (struct slice){value.p, 0} : value;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct slice trimmed(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = slice_from_offset(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* All of s as digits, at least one. */
static bool magnitude(struct slice s, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(s.p[i] - '0'), &number))
            return false;
    }
    *ret_number = number;
    return s.n > 0;
}

bool ami_text_int_within(struct slice value, int64_t min, int64_t max, int64_t *ret_number)
{
    value = trimmed(value);
    bool negative = value.n && value.p[0] == '-';
    uint64_t size;
    if (!magnitude(negative ? slice_from_offset(value, 1) : value, &size) ||
        size > (uint64_t)INT64_MAX + negative)
        return false;
    int64_t number = negative ? (int64_t)(0 - size) : (int64_t)size;
    if (number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

bool ami_text_int(struct slice value, int64_t *ret_number)
{
    return ami_text_int_within(value, INT64_MIN, INT64_MAX, ret_number);
}

bool ami_text_unsigned(struct slice value, uint32_t *ret_number)
{
    int64_t number;
    if (!ami_text_int_within(value, 0, UINT32_MAX, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

bool ami_text_seconds(struct slice value, int64_t *ret_us)
{
    int64_t seconds;
    if (!ami_text_int_within(value, 0, AMI_TEXT_SECONDS_MAX, &seconds))
        return false;
    *ret_us = seconds * 1000000;
    return true;
}

bool ami_text_time(struct slice value, int64_t *ret_us)
{
    value = trimmed(value);
    const char *point = value.n ? memchr(value.p, '.', value.n) : NULL;
    size_t whole = point ? (size_t)(point - value.p) : value.n;
    uint64_t seconds;
    if (!magnitude(slice_head(value, whole), &seconds) || seconds > AMI_TEXT_SECONDS_MAX)
        return false;
    int64_t fraction = 0;
    int64_t unit = 100000;
    for (size_t i = whole + 1; i < value.n; i++, unit /= 10) {
        if (!is_digit(value.p[i]))
            return false;
        fraction += unit * (value.p[i] - '0');
    }
    *ret_us = (int64_t)seconds * 1000000 + fraction;
    return true;
}
