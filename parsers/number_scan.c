/* SPDX-License-Identifier: MIT */
#include "parsers/number_scan.h"

#define EPOCH_DIGITS 10u
#define EPOCH_NEAR   (INT64_C(400) * 24 * 3600)
#define SERIAL_SIZE  9u
#define UUID_SIZE    36u
#define DATE_SIZE    10u
#define GROUPS_MAX   8u

bool number_scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool number_scan_is_word(char c)
{
    return number_scan_is_digit(c) || is_letter(c) || (unsigned char)c >= 0x80;
}

static bool is_hex(char c)
{
    return number_scan_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char byte_at(struct slice text, size_t at)
{
    return at < text.n ? text.p[at] : '\0';
}

static size_t digits_at(struct slice text, size_t at)
{
    size_t n = 0;
    while (number_scan_is_digit(byte_at(text, at + n)))
        n++;
    return n;
}

static int64_t value_at(struct slice text, size_t at, size_t n)
{
    int64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (text.p[at + i] - '0');
    return value;
}

static size_t unique_at(struct slice text, size_t at, int64_t epoch)
{
    if (digits_at(text, at) != EPOCH_DIGITS || byte_at(text, at + EPOCH_DIGITS) != '.')
        return 0;
    size_t serial = digits_at(text, at + EPOCH_DIGITS + 1);
    int64_t seconds = value_at(text, at, EPOCH_DIGITS);
    bool near = !epoch || (seconds > epoch - EPOCH_NEAR && seconds < epoch + EPOCH_NEAR);
    return serial && near ? EPOCH_DIGITS + 1 + serial : 0;
}

static size_t uuid_at(struct slice text, size_t at)
{
    for (size_t i = 0; i < UUID_SIZE; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = byte_at(text, at + i);
        if (dash ? c != '-' : !is_hex(c))
            return 0;
    }
    return number_scan_is_word(byte_at(text, at + UUID_SIZE)) ? 0 : UUID_SIZE;
}

static size_t date_at(struct slice text, size_t at)
{
    if (digits_at(text, at) != 4 || byte_at(text, at + 4) != '-' || digits_at(text, at + 5) != 2 ||
        byte_at(text, at + 7) != '-' || digits_at(text, at + 8) != 2)
        return 0;
    int64_t year = value_at(text, at, 4), month = value_at(text, at + 5, 2);
    int64_t day = value_at(text, at + 8, 2);
    bool is_date =
        year >= 1970 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    return is_date ? DATE_SIZE : 0;
}

static size_t address_at(struct slice text, size_t at)
{
    size_t i = at;
    for (unsigned part = 0; part < 4; part++) {
        size_t n = digits_at(text, i);
        if (n == 0 || n > 3 || value_at(text, i, n) > 255)
            return 0;
        i += n;
        if (part < 3 && byte_at(text, i++) != '.')
            return 0;
    }
    bool goes_on = byte_at(text, i) == '.' && number_scan_is_digit(byte_at(text, i + 1));
    return goes_on || is_letter(byte_at(text, i)) ? 0 : i - at;
}

size_t number_scan_id(struct slice text, size_t at, int64_t epoch)
{
    size_t n = uuid_at(text, at);
    if (!n)
        n = unique_at(text, at, epoch);
    if (!n)
        n = date_at(text, at);
    return n ? n : address_at(text, at);
}

/* Serials count up from zero since Asterisk's start, so the first of their eight digits is 0. */
size_t number_scan_serial(struct slice text, size_t at)
{
    if (byte_at(text, at) != '-' || byte_at(text, at + 1) != '0')
        return 0;
    for (size_t i = 1; i < SERIAL_SIZE; i++) {
        if (!is_hex(byte_at(text, at + i)))
            return 0;
    }
    if (number_scan_is_word(byte_at(text, at + SERIAL_SIZE)))
        return 0;
    for (size_t i = at; i-- > 0;) {
        char c = text.p[i];
        if (c == '/')
            return SERIAL_SIZE;
        if (c == ' ' || c == ',' || c == '&' || c == '|' || c == '=' || c == '"')
            return 0;
    }
    return 0;
}

struct groups {
    unsigned count;
    size_t digits;
    size_t first, second; /* digits of the first two */
    size_t end;
    bool parenthesis;
};

/* Takes the group of digits at i, perhaps in parentheses. */
static bool take_group(struct slice text, size_t i, struct groups *g)
{
    bool open = byte_at(text, i) == '(';
    size_t n = digits_at(text, i + open);
    if (n == 0 || n > 5 || (n < 2 && g->count) || (open && byte_at(text, i + 1 + n) != ')'))
        return false;
    g->parenthesis |= open;
    g->first = g->count == 0 ? n : g->first;
    g->second = g->count == 1 ? n : g->second;
    g->count++;
    g->digits += n;
    g->end = i + n + 2 * (size_t)open;
    return true;
}

/* Short groups in a row are numbers only in forms that people write, not "10 20 30". */
static bool is_written_number(const struct groups *g, bool plus)
{
    if (g->digits < NUMBER_SCAN_NUMBER_MIN || g->digits > 15)
        return false;
    if (plus || g->parenthesis)
        return g->count >= 2;
    if (g->first == 1)
        return g->count >= 4;
    return g->count >= 3 || (g->count == 2 && g->first == 3 && g->second == 4);
}

size_t number_scan_number(struct slice text, size_t at)
{
    bool plus = byte_at(text, at) == '+';
    size_t i = at + plus;
    size_t run = digits_at(text, i);
    if (run >= NUMBER_SCAN_NUMBER_MIN)
        return run + plus;
    struct groups g = {0};
    while (g.count < GROUPS_MAX && take_group(text, i, &g)) {
        char c = byte_at(text, g.end);
        bool apart = c == ' ' || c == '-' || c == '.';
        if (!apart && text.p[g.end - 1] != ')')
            break;
        i = g.end + apart;
    }
    return is_written_number(&g, plus) ? g.end - at : 0;
}

int64_t number_scan_epoch(struct slice uniqueid)
{
    for (size_t i = 0; i < uniqueid.n; i++) {
        bool starts = i == 0 || !number_scan_is_digit(uniqueid.p[i - 1]);
        if (starts && unique_at(uniqueid, i, 0))
            return value_at(uniqueid, i, EPOCH_DIGITS);
    }
    return 0;
}
