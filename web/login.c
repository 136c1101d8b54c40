/* SPDX-License-Identifier: MIT */
#include "web/login.h"

#include "web/reply.h"

#define PASSWORD_SIZE 257
#define BUSY_SECONDS  5

enum stage { STAGE_FORM, STAGE_WORK, STAGE_DONE, STAGE_LEFT };

struct login_try {
    struct worker_job job; /* first: a job's address is its try's */
    struct login *login;
    struct MHD_Connection *connection;
    struct address from;
    struct access_grant before; /* who was logged in here */
    enum stage stage;           /* from STAGE_WORK on the worker's until the connection resumes */
    char form[REQUEST_BODY_MAX + 1];
    size_t form_n;
    bool too_long;
    char name[WEB_NAME_SIZE];
    char secret[PASSWORD_SIZE]; /* a password, or a code when there is no name */
    enum web_entry entry;
    struct web_person person;
    char cookie[WEB_SECRET_SIZE];
};

struct login_try *login_try_new(struct login *login, struct MHD_Connection *connection,
                                const struct access_grant *before, const struct address *from)
{
    struct login_try *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->login = login;
    t->connection = connection;
    t->from = *from;
    t->before = *before;
    return t;
}

void login_try_free(struct login_try *t)
{
    if (!t)
        return;
    explicit_bzero(t, sizeof(*t));
    free(t);
}

void login_try_take(struct login_try *t, const char *bytes, size_t n)
{
    if (n > REQUEST_BODY_MAX - t->form_n) {
        t->too_long = true;
        return;
    }
    memcpy(t->form + t->form_n, bytes, n);
    t->form_n += n;
}

static void work(struct worker_job *job)
{
    struct login_try *t = (struct login_try *)job;
    const struct web_users *users = t->login->access->options->users;
    if (!t->name[0])
        t->entry = users->enter(users->ctx, t->secret, t->cookie, &t->person);
    else if (users->password(users->ctx, t->name, t->secret, &t->person))
        t->entry = WEB_ENTRY_LET_IN;
    explicit_bzero(t->secret, sizeof(t->secret));
}

static void suspend(struct worker_job *job)
{
    struct login_try *t = (struct login_try *)job;
    t->stage = STAGE_WORK;
    MHD_suspend_connection(t->connection);
}

static void resume(struct worker_job *job, bool worked)
{
    struct login_try *t = (struct login_try *)job;
    t->stage = worked ? STAGE_DONE : STAGE_LEFT;
    MHD_resume_connection(t->connection);
}

/* Reads the form and wipes it. */
static bool read_form(struct login_try *t)
{
    bool good = !t->too_long && strlen(t->form) == t->form_n &&
                ((request_field(t->form, "name", t->name, sizeof(t->name)) && t->name[0] &&
                  request_field(t->form, "password", t->secret, sizeof(t->secret))) ||
                 (!t->name[0] && request_field(t->form, "code", t->secret, sizeof(t->secret))));
    explicit_bzero(t->form, sizeof(t->form));
    return good;
}

static void tell(const struct login_try *t, enum web_event event)
{
    const struct web_users *users = t->login->access->options->users;
    char from[ADDRESS_TEXT_SIZE];
    address_text(&t->from, from);
    users->tell(users->ctx, event, t->entry == WEB_ENTRY_LET_IN ? t->person.name : t->name, from);
}

static enum MHD_Result begin(struct login_try *t, int64_t now)
{
    const struct reply_more busy = {.retry_seconds = BUSY_SECONDS};
    struct reply_more later = {0};
    if (!read_form(t))
        return reply_text(t->connection, MHD_HTTP_BAD_REQUEST, "a form with name and password\n",
                          &later);
    later.retry_seconds =
        attempts_count(t->login->attempts, &t->from, t->name[0] ? t->name : NULL, now);
    if (later.retry_seconds) {
        tell(t, WEB_LIMITED);
        return reply_text(t->connection, MHD_HTTP_TOO_MANY_REQUESTS, "too many attempts\n", &later);
    }
    t->job.work = work;
    t->job.done = resume;
    if (worker_put(t->login->worker, &t->job, suspend))
        return MHD_YES;
    return reply_text(t->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many log in at once\n",
                      &busy);
}

static enum MHD_Result not_now(const struct login_try *t)
{
    const struct reply_more later = {.retry_seconds = BUSY_SECONDS};
    return reply_text(t->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not just now\n", &later);
}

static enum MHD_Result let_in(struct login_try *t, int64_t now)
{
    const struct access *access = t->login->access;
    char letter = t->name[0] ? 's' : 'k', header[ACCESS_COOKIE_SIZE];
    if (t->before.kind == ACCESS_SESSION)
        sessions_end(access->sessions, t->before.session);
    if (letter == 's' && !sessions_begin(access->sessions, &t->person, now, t->cookie)) {
        tell(t, WEB_NOT_LET_IN);
        return not_now(t);
    }
    access_cookie(access, letter, t->cookie, header);
    const struct reply_more more = {.location = "./", .cookie = header};
    enum MHD_Result result =
        reply_text(t->connection, MHD_HTTP_SEE_OTHER, "you are logged in\n", &more);
    explicit_bzero(header, sizeof(header));
    tell(t, WEB_LOGGED_IN);
    return result;
}

static enum MHD_Result finish(struct login_try *t, int64_t now)
{
    const struct reply_more none = {0};
    if (t->entry != WEB_ENTRY_REFUSED)
        attempts_forgive(t->login->attempts, &t->from, t->name[0] ? t->name : NULL);
    if (t->entry == WEB_ENTRY_LET_IN)
        return let_in(t, now);
    if (t->entry == WEB_ENTRY_FAILED)
        return not_now(t);
    tell(t, WEB_REFUSED);
    return reply_text(t->connection, MHD_HTTP_UNAUTHORIZED,
                      t->name[0] ? "name or password are wrong\n"
                                 : "this address was used already, or is too old\n",
                      &none);
}

enum MHD_Result login_try_go_on(struct login_try *t, int64_t now)
{
    const struct reply_more closing = {.retry_seconds = BUSY_SECONDS, .close = true};
    switch (t->stage) {
    case STAGE_FORM:
        return begin(t, now);
    case STAGE_DONE:
        return finish(t, now);
    case STAGE_LEFT:
        return reply_text(t->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "amitap is stopping\n",
                          &closing);
    case STAGE_WORK:
        break;
    }
    return MHD_NO;
}

enum MHD_Result login_end(struct login *login, struct MHD_Connection *connection,
                          const struct access_grant *grant, const struct address *from)
{
    const struct web_users *users = login->access->options->users;
    char header[ACCESS_COOKIE_SIZE], text[ADDRESS_TEXT_SIZE];
    access_cookie(login->access, 's', NULL, header);
    const struct reply_more more = {.location = "login", .cookie = header};
    if (grant->kind == ACCESS_SESSION) {
        address_text(from, text);
        sessions_end(login->access->sessions, grant->session);
        users->tell(users->ctx, WEB_LOGGED_OUT, grant->person.name, text);
    }
    return reply_text(connection, MHD_HTTP_SEE_OTHER, "you are logged out\n", &more);
}
