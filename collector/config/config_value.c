/* SPDX-License-Identifier: MIT */
#include "collector/config/config_value.h"
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

bool config_parse_number(const char *text, int64_t *ret_value)
{
    const char *digits = text + (*text == '-');
    size_t n = strspn(digits, DIGITS);
    if (n == 0 || n > 18 || digits[n] || (*digits == '0' && (n > 1 || digits > text))) {
        return false;
    }
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value * 10 + (digits[i] - '0');
    }
    *ret_value = digits > text ? -value : value;
    return true;
}

bool config_parse_yesno(const char *text, bool *ret_value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *ret_value = i % 2;
            return true;
        }
    }
    return false;
}

bool config_is_listen_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    if (!colon || !config_parse_number(colon + 1, &port) || port < 0 || port > 65535) {
        return false;
    }
    size_t host = (size_t)(colon - text);
    if (*text == '[') {
        return host > 2 && text[host - 1] == ']';
    }
    return host > 0 && !memchr(text, ':', host) && strcspn(text, "/ []") >= host;
}

bool config_is_event_mask(const char *text)
{
    for (;;) {
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");
        if (n == 0) {
            return false;
        }
        if (text[n] != ',') {
            return text[n] == '\0';
        }
        text += n + 1;
    }
}
