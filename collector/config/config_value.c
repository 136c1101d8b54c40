/* SPDX-License-Identifier: MIT */
#include "collector/config/config_value.h"
#include <arpa/inet.h>
#include <stdio.h>
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
    char host[INET6_ADDRSTRLEN + 2];
    struct in6_addr ignored;
    size_t n = (size_t)(colon - text);
    if (n == 0 || n >= sizeof host) {
        return false;
    }
    bool bracket = text[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracket ? n - 2 : n), text + bracket);
    return inet_pton(bracket ? AF_INET6 : AF_INET, host, &ignored) == 1 ||
           (!bracket && strcmp(host, "localhost") == 0);
}

/* Whether all bits behind the first so many are zero, as nobody means 10.0.0.1/8. */
static bool is_zero_behind(const uint8_t bytes[16], unsigned bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if (bytes[i / 8] >> (7 - i % 8) & 1) {
            return false;
        }
    }
    return true;
}

bool config_parse_network(const char *text, uint8_t ret_bytes[16], unsigned *ret_bits)
{
    char address[INET6_ADDRSTRLEN];
    size_t n = strcspn(text, "/");
    int64_t bits = 0;
    if (n >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, n);
    address[n] = '\0';
    memset(ret_bytes, 0, 16);
    bool v4 = inet_pton(AF_INET, address, ret_bytes + 12) == 1;
    if (v4) {
        ret_bytes[10] = ret_bytes[11] = 0xff;
    } else if (inet_pton(AF_INET6, address, ret_bytes) != 1) {
        return false;
    }
    unsigned most = v4 ? 32 : 128;
    if (text[n] == '\0') {
        bits = most;
    } else if (!config_parse_number(text + n + 1, &bits) || bits < 0 || bits > most) {
        return false;
    }
    *ret_bits = (unsigned)bits + (128 - most);
    return is_zero_behind(ret_bytes, *ret_bits);
}

bool config_is_host_name(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && n <= 253 && text[n] == '\0';
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
