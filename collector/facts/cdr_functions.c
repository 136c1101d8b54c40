/* SPDX-License-Identifier: MIT */
#include "collector/facts/cdr_functions.h"

#include "collector/base/text.h"
#include <strings.h>

static bool is_word(struct slice s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static size_t find(struct slice s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

/* As Asterisk reads a boolean. */
static bool is_true(struct slice value)
{
    return is_word(value, "yes") || is_word(value, "true") || is_word(value, "y") ||
           is_word(value, "t") || is_word(value, "1") || is_word(value, "on");
}

static bool may_write(const struct cdr_row *row)
{
    return row->state != CDR_FINALISED || !row->next;
}

static void set_userfield(struct cdr_chain *chain, struct slice value)
{
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (may_write(row))
            text_set(&row->userfield_a, value);
    }
    for (struct cdr_row *row = chain->as_b; row; row = row->b_next) {
        if (!may_write(row))
            continue;
        text_set(&row->userfield_b, value);
        saved_touch(&row->chain->channel->saved);
    }
}

static void set_amaflags(struct channel *channel, struct slice value)
{
    struct snapshot_values v = snapshot_values(channel->now);
    if (is_word(value, "omit") || is_word(value, "1"))
        v.ama = SNAPSHOT_AMA_OMIT;
    else if (is_word(value, "billing") || is_word(value, "2"))
        v.ama = SNAPSHOT_AMA_BILLING;
    else
        v.ama = SNAPSHOT_AMA_DOCUMENTATION;
    channel_alter(channel, &v);
}

static void set_disabled(struct cdr_chain *chain, bool on)
{
    unsigned flags = CDR_DISABLED | CDR_DISABLED_FOR_ALL_LATER;
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (row->state != CDR_FINALISED)
            row->flags = on ? row->flags | flags : row->flags & ~flags;
    }
}

/* The mark is only ever set: clearing it leaves what the party has. */
static void set_party_a(struct cdr_chain *chain)
{
    channel_set_flag(chain->channel, SNAPSHOT_PARTY_A, true);
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        if (row->state != CDR_FINALISED)
            snapshot_set(&row->a, chain->channel->now);
    }
}

/* One assignment of a Set: FUNCTION(argument)=value. */
static void assign(struct cdr_chain *chain, struct slice name, struct slice value)
{
    size_t open = find(name, '(');
    if (open == name.n || name.p[name.n - 1] != ')')
        return;
    struct slice function = slice_head(name, open);
    struct slice argument = slice_from_offset(slice_head(name, name.n - 1), open + 1);
    bool cdr = is_word(function, "CDR"), own = is_word(function, "CHANNEL");
    if (cdr && is_word(argument, "userfield"))
        set_userfield(chain, value);
    if ((cdr || own) && is_word(argument, "amaflags"))
        set_amaflags(chain->channel, value);
    /* What CHANNEL() sets on one half of a Local channel it sets on the other too (Asterisk 22). */
    if (own && is_word(argument, "amaflags") && chain->channel->half)
        set_amaflags(chain->channel->half, value);
    if (is_word(function, "CDR_PROP") && is_word(argument, "disable"))
        set_disabled(chain, is_true(value));
    if (is_word(function, "CDR_PROP") && is_word(argument, "party_a") && is_true(value))
        set_party_a(chain);
}

static void run_set(struct cdr_chain *chain, struct slice data)
{
    size_t equals = find(data, '=');
    if (equals < data.n)
        assign(chain, slice_head(data, equals), slice_from_offset(data, equals + 1));
}

/* The length of the first argument of a list: up to a comma outside of quotes and brackets. */
static size_t argument_length(struct slice s)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '(' || c == ')'))
            depth += c == '(' ? 1 : -1;
        else if (!quoted && depth <= 0 && c == ',')
            return i;
    }
    return s.n;
}

static void run_mset(struct cdr_chain *chain, struct slice data)
{
    while (data.n) {
        size_t n = argument_length(data);
        struct slice pair = slice_head(data, n);
        size_t equals = find(pair, '=');
        struct slice value = slice_from_offset(pair, equals + 1);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = (struct slice){value.p + 1, value.n - 2};
        if (equals < pair.n)
            assign(chain, slice_head(pair, equals), value);
        data = slice_from_offset(data, n + 1);
    }
}

static void run_fork(struct cdr_chain *chain, struct slice options, const struct cdr_message *m)
{
    const struct cdr_row *first = chain->first;
    const struct cdr_row *last = chain->last;
    if (last->state == CDR_FINALISED)
        return;
    struct cdr_row *row = cdr_chain_append(chain, last, CDR_OPENED_FORKED, last->start);
    if (!row)
        return;
    snapshot_set(&row->application, first->application);
    snapshot_set(&row->place, first->place);
    row->flags = first->flags & ~(unsigned)CDR_APPLICATION_LOCKED;
    text_set(&row->bridge, slice_from(first->bridge));
    row->state = last->state;
    row->answer = last->answer;
    row->last_event = m->time;
    if (last->b)
        cdr_chain_set_b(row, last->b, last->b_chain);
    if (find(options, 'a') < options.n && snapshot_state(row->a) == CHANNEL_STATE_UP)
        row->answer = m->time;
    if (find(options, 'r') < options.n)
        row->start = row->answer = m->time;
    if (find(options, 'e') == options.n)
        return;
    for (struct cdr_row *earlier = chain->first; earlier != row; earlier = earlier->next)
        cdr_row_finalise(earlier, CDR_CLOSED_FORKED, m->options);
}

static void run_reset(struct cdr_chain *chain, const struct cdr_message *m)
{
    for (struct cdr_row *row = chain->first; row; row = row->next) {
        row->start = m->time;
        row->flags &= ~(unsigned)(CDR_BEGUN_UNSEEN | CDR_ANSWERED_UNSEEN);
        cdr_row_reopen(row);
        row->answer = snapshot_state(row->a) == CHANNEL_STATE_UP ? m->time : 0;
    }
}

/* Dial's option C resets the rows. Options are letters behind the second comma, some with an
 * argument in brackets. */
static bool dial_resets(struct slice data)
{
    int commas = 0, depth = 0;
    for (size_t i = 0; i < data.n && commas < 3; i++) {
        char c = data.p[i];
        depth += (c == '(') - (c == ')' && depth);
        if (depth == 0 && c == ',')
            commas++;
        else if (depth == 0 && commas == 2 && c == 'C')
            return true;
    }
    return false;
}

void cdr_run_application(struct cdr_chain *chain, struct slice application, struct slice data,
                         const struct cdr_message *m)
{
    if (is_word(application, "Set"))
        run_set(chain, data);
    else if (is_word(application, "MSet"))
        run_mset(chain, data);
    else if (is_word(application, "ForkCDR"))
        run_fork(chain, data, m);
    else if (is_word(application, "ResetCDR") ||
             (is_word(application, "Dial") && dial_resets(data)))
        run_reset(chain, m);
}

/* "App(data)" taken apart. */
static bool split_call(struct slice call, struct slice *ret_application, struct slice *ret_data)
{
    size_t open = find(call, '(');
    if (!open || open == call.n)
        return false;
    *ret_application = slice_head(call, open);
    size_t end = call.n;
    while (end > open && call.p[end - 1] != ')')
        end--;
    *ret_data = slice_from_offset(slice_head(call, end > open ? end - 1 : call.n), open + 1);
    return true;
}

bool cdr_inner_application(struct slice application, struct slice data,
                           struct slice *ret_application, struct slice *ret_data)
{
    if (is_word(application, "RetryDial")) {
        *ret_application = application;
        *ret_data = SLICE("Retrying"); /* what it sets as its own data while it dials */
        return true;
    }
    if (is_word(application, "Exec") || is_word(application, "TryExec"))
        return split_call(data, ret_application, ret_data);
    if (!is_word(application, "ExecIf"))
        return false;
    /* ExecIf(condition?applicationIfTrue:applicationIfFalse), the condition already evaluated. */
    size_t question = find(data, '?');
    struct slice condition = slice_head(data, question);
    struct slice rest = slice_from_offset(data, question + 1);
    size_t depth = 0, colon = 0;
    for (; colon < rest.n && !(rest.p[colon] == ':' && depth == 0); colon++) {
        depth += rest.p[colon] == '(';
        depth -= rest.p[colon] == ')' && depth > 0;
    }
    bool yes = condition.n && !is_word(condition, "0");
    struct slice call = yes ? slice_head(rest, colon) : slice_from_offset(rest, colon + 1);
    return split_call(call, ret_application, ret_data);
}
