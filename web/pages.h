/* SPDX-License-Identifier: MIT */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include <microhttpd.h>

/* The wallboard's pages, built into the binary. */
struct page;

/* The page at this path, or NULL. */
const struct page *page_find(const char *path);

/* Sends it, or 304 when the client has it already. */
enum MHD_Result page_answer(const struct page *page, struct MHD_Connection *connection);

/* A short name of all pages' contents: it changes when one of them does. */
const char *pages_version(void);

#endif
