/* SPDX-License-Identifier: MIT */
#ifndef WEB_REPLY_H
#define WEB_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>

/* Gives a response the headers that every answer carries: content type, caching and what keeps a
 * browser from running, framing or guessing anything that is not ours. */
void reply_headers(struct MHD_Response *response, const char *type, const char *caching);

/* The same for the page with the log-in form, which may be sent to us. */
void reply_headers_of_form(struct MHD_Response *response, const char *type, const char *caching);

#define REPLY_NO_STORE   "no-store"
#define REPLY_REVALIDATE "no-cache"
#define REPLY_JSON       "application/json"

/* What some answers say besides; zeros and NULLs are not said. */
struct reply_more {
    const char *location;
    const char *cookie; /* Set-Cookie */
    const char *allow;  /* methods */
    unsigned retry_seconds;
    bool close; /* the connection ends with it */
};

/* Answers with a line of plain text that lives for ever. Returns what the access handler returns.
 */
enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status, const char *text,
                           const struct reply_more *more);

/* Queues the response and drops our reference, whether or not it could be queued. A NULL response
 * (memory is short) closes the connection. */
enum MHD_Result reply_send(struct MHD_Connection *connection, unsigned status,
                           struct MHD_Response *response);

#endif
