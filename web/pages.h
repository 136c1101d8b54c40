/* SPDX-License-Identifier: MIT */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include <microhttpd.h>

/* The wallboard's pages, built into the binary. */
struct page;

/* Who may have it. */
enum page_for {
    PAGE_FOR_ALL,      /* what the log-in page needs */
    PAGE_FOR_LOGIN,    /* the log-in page: of use where there are users */
    PAGE_FOR_THOSE_IN, /* the wallboard */
};
enum page_for page_for(const struct page *page);

/* The page at this path, or NULL. */
const struct page *page_find(const char *path);

/* Sends it, or 304 when the client has the one of this ETag (NULL: none) already. cookie: a
 * Set-Cookie header to go with it, or NULL. */
enum MHD_Result page_answer(const struct page *page, struct MHD_Connection *connection,
                            const char *etag, const char *cookie);

/* A short name of all pages' contents: it changes when one of them does. */
const char *pages_version(void);

#endif
