/* SPDX-License-Identifier: MIT */
#include "web/pages.h"

#include "web/pages_data.h"
#include "web/reply.h"
#include <string.h>

struct page {
    const char *path, *type, *etag;
    const unsigned char *bytes;
    size_t n;
};

static const struct page pages[] = {
    {"/", "text/html; charset=utf-8", PAGE_INDEX_HTML_ETAG, page_index_html,
     sizeof(page_index_html)},
    {"/wallboard.css", "text/css; charset=utf-8", PAGE_WALLBOARD_CSS_ETAG, page_wallboard_css,
     sizeof(page_wallboard_css)},
    {"/wallboard.js", "text/javascript; charset=utf-8", PAGE_WALLBOARD_JS_ETAG, page_wallboard_js,
     sizeof(page_wallboard_js)},
    {"/lines.js", "text/javascript; charset=utf-8", PAGE_LINES_JS_ETAG, page_lines_js,
     sizeof(page_lines_js)},
    {"/stream.js", "text/javascript; charset=utf-8", PAGE_STREAM_JS_ETAG, page_stream_js,
     sizeof(page_stream_js)},
    {"/icon.svg", "image/svg+xml", PAGE_ICON_SVG_ETAG, page_icon_svg, sizeof(page_icon_svg)},
};

const char *pages_version(void)
{
    return PAGES_VERSION;
}

const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(path, pages[i].path) == 0)
            return &pages[i];
    }
    return NULL;
}

enum MHD_Result page_answer(const struct page *page, struct MHD_Connection *connection)
{
    const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    bool same = known && strstr(known, page->etag);
    /* PERSISTENT: the bytes are only read. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        same ? 0 : page->n, (void *)(uintptr_t)page->bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    reply_headers(response, page->type, REPLY_REVALIDATE);
    MHD_add_response_header(response, "ETag", page->etag);
    return reply_send(connection, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
