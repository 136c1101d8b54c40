/* SPDX-License-Identifier: MIT */
#ifndef WEB_LOGIN_H
#define WEB_LOGIN_H

#include "web/access.h"
#include "web/attempts.h"
#include "web/worker.h"
#include <microhttpd.h>

/* POST /login: a form with name and password, or with the code of a screen's one-time URL. The form
 * is collected, the attempt counted, and the connection suspended while the worker hashes. POST
 * /logout. */
struct login {
    const struct access *access;
    struct worker *worker;
    struct attempts *attempts; /* libmicrohttpd's thread only */
};

/* One log-in under way. */
struct login_try;

/* before: who asks; that one's session ends when it succeeds. NULL when memory is short. */
struct login_try *login_try_new(struct login *login, struct MHD_Connection *connection,
                                const struct access_grant *before, const struct address *from);
/* Wipes and frees it. NULL is allowed. */
void login_try_free(struct login_try *t);

/* Takes n bytes of the form. */
void login_try_take(struct login_try *t, const char *bytes, size_t n);

/* The form is whole: answers, or suspends the connection, after which this is called again. Returns
 * what the access handler returns. now: monotonic seconds. */
enum MHD_Result login_try_go_on(struct login_try *t, int64_t now);

/* Ends the session of this grant and answers. */
enum MHD_Result login_end(struct login *login, struct MHD_Connection *connection,
                          const struct access_grant *grant, const struct address *from);

#endif
