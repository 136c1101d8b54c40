/* SPDX-License-Identifier: MIT */
#include "web/pages.h"

#include "web/pages_data.h"
#include "web/reply.h"
#include <string.h>

struct page {
    const char *path, *type, *etag;
    const unsigned char *bytes;
    size_t n;
    enum page_for people;
};

#define PAGE(path, type, NAME, name, people)                                                       \
    {                                                                                              \
        path, type, PAGE_##NAME##_ETAG, page_##name, sizeof(page_##name), people                   \
    }
#define HTML   "text/html; charset=utf-8"
#define CSS    "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const struct page pages[] = {
    PAGE("/", HTML, INDEX_HTML, index_html, PAGE_FOR_THOSE_IN),
    PAGE("/wallboard.css", CSS, WALLBOARD_CSS, wallboard_css, PAGE_FOR_ALL),
    PAGE("/wallboard.js", SCRIPT, WALLBOARD_JS, wallboard_js, PAGE_FOR_THOSE_IN),
    PAGE("/lines.js", SCRIPT, LINES_JS, lines_js, PAGE_FOR_THOSE_IN),
    PAGE("/stream.js", SCRIPT, STREAM_JS, stream_js, PAGE_FOR_THOSE_IN),
    PAGE("/icon.svg", "image/svg+xml", ICON_SVG, icon_svg, PAGE_FOR_ALL),
    PAGE("/login", HTML, LOGIN_HTML, login_html, PAGE_FOR_LOGIN),
    PAGE("/login.js", SCRIPT, LOGIN_JS, login_js, PAGE_FOR_LOGIN),
};

enum page_for page_for(const struct page *page)
{
    return page->people;
}

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

enum MHD_Result page_answer(const struct page *page, struct MHD_Connection *connection,
                            const char *etag, const char *cookie)
{
    bool same = etag && strstr(etag, page->etag);
    /* PERSISTENT: the bytes are only read. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        same ? 0 : page->n, (void *)(uintptr_t)page->bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    if (page->people == PAGE_FOR_LOGIN)
        reply_headers_of_form(response, page->type, REPLY_REVALIDATE);
    else
        reply_headers(response, page->type, REPLY_REVALIDATE);
    MHD_add_response_header(response, "ETag", page->etag);
    if (cookie)
        MHD_add_response_header(response, "Set-Cookie", cookie);
    return reply_send(connection, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
