/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_BASE_JSON_OUT_H
#define COLLECTOR_BASE_JSON_OUT_H

#include "collector/base/buf.h"

/* An append-only JSON writer over a buf: commas are its business, nesting is the caller's. Bytes
 * that are not UTF-8 become U+FFFD, only themselves. Keys are string literals of ours. */
#define JSON_OUT_DEPTH 16

struct json_out {
    struct buf *to;
    unsigned depth;
    bool comma[JSON_OUT_DEPTH];
    bool exact; /* for bytes that are not UTF-8 others stand in (stand_in.h) instead of U+FFFD */
};

/* A writer at the top of an empty text; to is borrowed for its life. */
struct json_out json_out_to(struct buf *to);

/* Every function takes a key inside an object, and NULL inside an array or at the top. */
void json_out_object(struct json_out *j, const char *key);
void json_out_array(struct json_out *j, const char *key);
/* Closes the innermost object or array with c, '}' or ']'. */
void json_out_close(struct json_out *j, char c);
void json_out_string(struct json_out *j, const char *key, struct slice value);
/* The same of a C string; nothing for NULL. */
void json_out_known(struct json_out *j, const char *key, const char *value);
/* The same under a name that came from elsewhere, inside an object. */
void json_out_named(struct json_out *j, struct slice name, struct slice value);
void json_out_int(struct json_out *j, const char *key, int64_t value);
void json_out_bool(struct json_out *j, const char *key, bool value);
void json_out_null(struct json_out *j, const char *key);
/* Microseconds as seconds with six decimals at most: 1.5, 0.000123, 3. */
void json_out_seconds(struct json_out *j, const char *key, int64_t us);
/* Microseconds since 1970 as RFC 3339 in UTC: "2026-11-20T23:57:51.090059Z". */
void json_out_time(struct json_out *j, const char *key, int64_t us);
/* A value that is JSON already. */
void json_out_raw(struct json_out *j, const char *key, struct slice json);

/* "2026-11-20T23:57:51.090059Z" into text; the year must be 1970 to 9999. */
#define TIME_TEXT_SIZE 32
void time_text(int64_t us, char text[TIME_TEXT_SIZE]);

#endif
