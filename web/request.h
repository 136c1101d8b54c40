/* SPDX-License-Identifier: MIT */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>

/* Why a request is not served: an HTTP status with its line of text; status 0 when it is. */
struct request_verdict {
    unsigned status;
    const char *text;
};

/* Judges method, Host and body before anything is looked up. A loopback address is no boundary
 * against DNS rebinding, so Host must be an IP literal or localhost. Bodies are never read. */
struct request_verdict request_judge(struct MHD_Connection *connection, const char *method,
                                     const char *version);

/* Whether a Host header's value is an IP literal or "localhost", with or without a port. */
bool request_host_allowed(const char *host);

#endif
