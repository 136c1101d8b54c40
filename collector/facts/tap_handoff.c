/* SPDX-License-Identifier: MIT */
#include "collector/facts/tap_internal.h"
#include "parsers/ami_text.h"
#include <stdio.h>
#include <strings.h>

/* What programs that a call is handed to do: AGI's events, variables, UserEvents, recordings. */

#define USER_EVENT_HEADERS_MAX 32u
#define USER_EVENT_BYTES_MAX   4096u

static bool is_kept(const struct tap *tap, struct slice name)
{
    for (size_t i = 0; i < tap->options.variable_count; i++) {
        if (slice_is(name, tap->options.variables[i]))
            return true;
    }
    return false;
}

static void keep(struct tap *tap, struct channel *c, struct slice name, struct slice value)
{
    /* "__NAME" is how a variable is set that dialed channels inherit. */
    for (int i = 0; i < 2 && name.n && name.p[0] == '_'; i++)
        name = slice_from_offset(name, 1);
    if (is_kept(tap, name) && variables_set(&c->variables, name, value))
        saved_touch(&c->saved);
}

void tap_keep_variable(struct tap *tap, struct channel *c, const struct ami_message *m)
{
    char plain[VARIABLE_VALUE_MAX];
    keep(tap, c, ami_message_get(m, AMI_HEADER_VARIABLE),
         ami_text_plain(m->event, AMI_HEADER_VALUE, ami_message_get(m, AMI_HEADER_VALUE), plain,
                        sizeof(plain)));
}

/* "NAME=value" of a header that Asterisk sends with a channel for each of manager.conf's
 * channelvars. */
static void keep_pair(struct tap *tap, struct channel *c, enum ami_event_id event,
                      struct slice pair)
{
    char plain[VARIABLE_VALUE_MAX];
    const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
    if (!c || !equals)
        return;
    struct slice name = slice_head(pair, (size_t)(equals - pair.p));
    struct slice value = slice_from_offset(pair, name.n + 1);
    keep(tap, c, name, ami_text_plain(event, AMI_HEADER_CHANVARIABLE, value, plain, sizeof(plain)));
}

static void keep_repeated(struct tap *tap, const struct ami_message *m, enum ami_header_id id,
                          enum ami_header_id uniqueid)
{
    unsigned i = ami_message_find(m, id, 0);
    struct channel *c = i < m->count ? tap_channel(tap, ami_message_get(m, uniqueid)) : NULL;
    for (; c && i < m->count; i = ami_message_find(m, id, i + 1))
        keep_pair(tap, c, m->event, m->headers[i].value);
}

/* Asterisk 11 and older name the channel in the header: "ChanVariable(PJSIP/101-1): NAME=value". */
static void keep_old_form(struct tap *tap, const struct ami_message *m)
{
    struct slice form = SLICE("ChanVariable(");
    for (unsigned i = 0; i < m->count; i++) {
        if (m->headers[i].id == AMI_HEADER_UNKNOWN && slice_starts(m->headers[i].name, form))
            keep_pair(tap, tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID)), m->event,
                      m->headers[i].value);
    }
}

void tap_keep_variables(struct tap *tap, const struct ami_message *m)
{
    if (!tap->options.variable_count)
        return;
    if (ami_message_has(m, AMI_HEADER_CHANVARIABLE))
        keep_repeated(tap, m, AMI_HEADER_CHANVARIABLE, AMI_HEADER_UNIQUEID);
    else
        keep_old_form(tap, m);
    if (ami_message_has(m, AMI_HEADER_DESTCHANVARIABLE))
        keep_repeated(tap, m, AMI_HEADER_DESTCHANVARIABLE, AMI_HEADER_DESTUNIQUEID);
}

/* The application that runs where a transfer or a Redirect led to, which no Newexten showed. */
static void show(struct tap *tap, struct channel *c, struct slice application)
{
    if (c->sent_elsewhere)
        tap_run_unshown(tap, c, application, (struct slice){NULL, 0});
}

void tap_on_async_agi_start(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (!c)
        return;
    show(tap, c, SLICE("AGI"));
    if (!tap->sees_dialplan)
        handoff_agi_runs(&tap->calls, c, HANDOFF_ASYNCAGI);
}

void tap_on_async_agi_end(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        handoff_agi_over(&tap->calls, c);
}

/* A word of an AGI command and what is behind it; quotes around the whole rest are taken off. */
static struct slice command_word(struct slice *rest)
{
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_from_offset(*rest, 1);
    const char *blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
    struct slice word = slice_head(*rest, blank ? (size_t)(blank - rest->p) : rest->n);
    *rest = slice_from_offset(*rest, word.n + 1);
    if (rest->n >= 2 && rest->p[0] == '"' && rest->p[rest->n - 1] == '"')
        *rest = (struct slice){rest->p + 1, rest->n - 2};
    return word;
}

/* "EXEC Application arguments" runs an application that no Newexten shows. */
static void execute(struct tap *tap, struct channel *c, struct slice rest)
{
    struct slice application = command_word(&rest);
    struct channel_change change = channel_run_inside(c, application, rest, tap->emit->now);
    tap_look(tap, &change);
    tap_run(tap, c, application, rest);
}

/* "SET VARIABLE name value" does what the application Set does. */
static void set_variable(struct tap *tap, struct channel *c, struct slice rest)
{
    char text[SNAPSHOT_TEXT_MAX];
    struct slice name = command_word(&rest);
    if (name.n + 1 + rest.n > sizeof(text))
        return;
    int n = snprintf(text, sizeof(text), "%.*s=%.*s", (int)name.n, name.n ? name.p : "",
                     (int)rest.n, rest.n ? rest.p : "");
    tap_run(tap, c, SLICE("Set"), (struct slice){text, (size_t)n});
}

static bool is_command(struct slice command, const char *words)
{
    size_t n = strlen(words);
    return command.n > n && strncasecmp(command.p, words, n) == 0;
}

void tap_on_agi_exec_start(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    struct slice command = ami_message_get(m, AMI_HEADER_COMMAND);
    if (!c)
        return;
    show(tap, c, SLICE("AGI"));
    /* It can come before the Newexten: where that is to come, it is what begins the hand-off. */
    if (!tap->sees_dialplan)
        handoff_agi_runs(&tap->calls, c, HANDOFF_AGI);
    if (is_command(command, "SET VARIABLE "))
        set_variable(tap, c, slice_from_offset(command, strlen("SET VARIABLE ")));
    if (!is_command(command, "EXEC "))
        return;
    handoff_executes(c, true);
    execute(tap, c, slice_from_offset(command, 5));
}

void tap_on_agi_exec_end(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (!c)
        return;
    tap_application_over(tap, c);
    channel_inside_over(c);
    handoff_executes(c, false);
}

/* The event's own headers stand behind its name, in the order in which they were given; the same
 * name may stand there more than once. */
static size_t put_headers(struct fact_builder *f, const struct ami_message *m)
{
    size_t omitted = 0, bytes = 0, count = 0;
    fact_open_array(f, FIELD_HEADERS);
    for (unsigned i = ami_message_find(m, AMI_HEADER_USEREVENT, 0) + 1; i < m->count; i++) {
        const struct ami_header *h = &m->headers[i];
        bytes += h->name.n + h->value.n;
        if (count == USER_EVENT_HEADERS_MAX || bytes > USER_EVENT_BYTES_MAX) {
            omitted++;
            continue;
        }
        count++;
        fact_open_object(f, FIELD_HEADERS);
        fact_put_string(f, FIELD_NAME, h->name);
        fact_put_string(f, FIELD_VALUE, h->value);
        fact_close(f);
    }
    fact_close(f);
    return omitted;
}

static void tell_user_event(struct tap *tap, const struct ami_message *m, struct channel *c)
{
    struct call *call = c ? c->call : NULL;
    struct slice name = slice_head(ami_message_get(m, AMI_HEADER_USEREVENT), 256);
    struct emit_about about = {.kind = FACT_CALL_USER_EVENT,
                               .subject = c ? channel_uniqueid(c) : tap->options.pbx,
                               .key = call ? call_linkedid(call) : (struct slice){NULL, 0},
                               .word = name,
                               .sequence = call ? &call->sequence : NULL};
    struct fact_builder *f = emit_begin(tap->emit, &about);
    fact_put_known(f, FIELD_LINKEDID, about.key);
    fact_put_known(f, FIELD_UNIQUEID, c ? about.subject : (struct slice){NULL, 0});
    fact_put_known(f, FIELD_CHANNEL, c ? channel_name(c) : (struct slice){NULL, 0});
    fact_put_string(f, FIELD_USER_EVENT, name);
    fact_put_int(f, FIELD_HEADERS_OMITTED, (int64_t)put_headers(f, m));
    emit_end(tap->emit);
    if (call)
        saved_touch(&call->saved);
}

void tap_on_user_event(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_channel(tap, ami_message_get(m, AMI_HEADER_UNIQUEID));
    unsigned own = ami_message_find(m, AMI_HEADER_USEREVENT, 0) + 1;
    for (unsigned i = own; c && i < m->count; i++)
        keep(tap, c, m->headers[i].name, m->headers[i].value);
    tell_user_event(tap, m, c);
}

void tap_recording_named(struct tap *tap, struct channel *c, const struct ami_message *m)
{
    char plain[SNAPSHOT_TEXT_MAX];
    recording_named(&tap->calls, c,
                    ami_text_plain(m->event, AMI_HEADER_VALUE, ami_message_get(m, AMI_HEADER_VALUE),
                                   plain, sizeof(plain)));
}

void tap_on_recording_start(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        recording_started(&tap->calls, c);
}

void tap_on_recording_stop(struct tap *tap, const struct ami_message *m)
{
    struct channel *c = tap_see(tap, m, &channel_headers_plain);
    if (c)
        recording_stopped(&tap->calls, c);
}
