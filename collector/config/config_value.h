/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_VALUE_H
#define COLLECTOR_CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number without sign games: "0", "-5", "5038", but neither "010" (octal to some), "+1",
 * "1e3" nor " 1". False when text is none, or past 18 digits. */
bool config_parse_number(const char *text, int64_t *ret_value);

/* yes, true, on or no, false, off, in any case. False when text is none of them. */
bool config_parse_yesno(const char *text, bool *ret_value);

/* ADDRESS:PORT, of IPv4 or localhost, or [ADDRESS]:PORT, of IPv6; a port from 0 to 65535. */
bool config_is_listen_address(const char *text);

/* An address, or a network such as 10.0.0.0/8 or 2001:db8::/32 whose other bits are zero; as 16
 * bytes, of which so many bits count. IPv4 is ::ffff:a.b.c.d there, with 96 bits more. */
bool config_parse_network(const char *text, uint8_t ret_bytes[16], unsigned *ret_bits);

/* A host's name: letters, digits, '.', '_' and '-'. */
bool config_is_host_name(const char *text);

/* Lower-case words separated by commas. */
bool config_is_event_mask(const char *text);

#endif
