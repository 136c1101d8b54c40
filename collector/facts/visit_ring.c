/* SPDX-License-Identifier: MIT */
#include "collector/base/memory.h"
#include "collector/base/text.h"
#include "collector/facts/visit_fact.h"
#include "collector/facts/visit_inner.h"
#include "parsers/ami_text.h"
#include <stdlib.h>

/* The members' phones that ring for a visit. */

void visit_clear_attempts(struct visit *v)
{
    for (size_t i = 0; i < v->attempt_count; i++) {
        free(v->attempts[i].uniqueid);
        free(v->attempts[i].member);
    }
    v->attempt_count = 0;
}

struct visit_attempt *visit_attempt_of(const struct visit *v, struct slice uniqueid)
{
    for (size_t i = v->attempt_count; i > 0; i--) {
        if (slice_equal(slice_from(v->attempts[i - 1].uniqueid), uniqueid))
            return &v->attempts[i - 1];
    }
    return NULL;
}

static bool attempts_grow(struct visit *v)
{
    if (v->attempt_count < v->attempt_size)
        return true;
    size_t size = v->attempt_size ? v->attempt_size * 2 : 4;
    if (size > VISIT_ATTEMPTS_MAX)
        return false;
    struct visit_attempt *attempts = memory_resized(v->attempts, size * sizeof(*attempts));
    if (!attempts)
        return false;
    v->attempts = attempts;
    v->attempt_size = size;
    return true;
}

/* Attempts that were told are over; a long wait makes many. */
static void attempts_compact(struct visit *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->attempt_count; i++) {
        if (v->attempts[i].told) {
            free(v->attempts[i].uniqueid);
            free(v->attempts[i].member);
        } else {
            v->attempts[kept++] = v->attempts[i];
        }
    }
    v->attempt_count = kept;
}

void visits_agent_called(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING));
    if (!v)
        return;
    v->rings++;
    saved_touch(&v->saved);
    attempts_compact(v);
    if (!attempts_grow(v)) {
        visits->refused++;
        return;
    }
    struct visit_attempt *a = &v->attempts[v->attempt_count++];
    *a = (struct visit_attempt){.start = visits->emit->now};
    text_set(&a->uniqueid, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    text_set(&a->member, ami_message_get(m, AMI_HEADER_MEMBERNAME));
}

void visits_ring_no_answer(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find_by(visits, m, VISIT_IN(VISIT_WAITING) | VISIT_IN(VISIT_LEFT));
    if (!v)
        return;
    struct visit_attempt *a = visit_attempt_of(v, ami_message_get(m, AMI_HEADER_DESTUNIQUEID));
    if (a)
        a->told = true;
    saved_touch(&v->saved);
    struct slice args[] = {ami_message_get(m, AMI_HEADER_RINGTIME)};
    struct visit_words words = {"RINGNOANSWER", ami_message_get(m, AMI_HEADER_MEMBERNAME), args, 1};
    visit_line(visits->emit, v, &words);
}

void visits_dial_end(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find(visits, ami_message_get(m, AMI_HEADER_UNIQUEID), SLICE(""),
                                  VISIT_IN(VISIT_WAITING) | VISIT_IN(VISIT_LEFT));
    struct visit_attempt *a =
        v ? visit_attempt_of(v, ami_message_get(m, AMI_HEADER_DESTUNIQUEID)) : NULL;
    if (!a)
        return;
    struct slice status = ami_message_get(m, AMI_HEADER_DIALSTATUS);
    saved_touch(&v->saved);
    if (slice_is(status, "ANSWER")) {
        v->answer_seen = true;
        text_set(&v->member, slice_from(a->member));
        return;
    }
    if (!slice_is(status, "CANCEL") || v->answer_seen || a->told)
        return;
    a->forwards = ami_message_get(m, AMI_HEADER_FORWARD).n != 0;
    if (!a->forwards)
        a->cancelled = visits->emit->now;
}

void visits_dial_begin(struct visits *visits, const struct ami_message *m)
{
    struct visit *v = visits_find(visits, ami_message_get(m, AMI_HEADER_UNIQUEID), SLICE(""),
                                  VISIT_IN(VISIT_WAITING));
    struct slice dest = ami_message_get(m, AMI_HEADER_DESTUNIQUEID);
    if (!v || visit_attempt_of(v, dest))
        return;
    for (size_t i = 0; i < v->attempt_count; i++) {
        if (!v->attempts[i].forwards)
            continue;
        v->attempts[i].forwards = false;
        text_set(&v->attempts[i].uniqueid, dest);
        saved_touch(&v->saved);
        return;
    }
}

void visit_tell_cancelled(struct visits *visits, struct visit *v)
{
    for (size_t i = 0; i < v->attempt_count; i++) {
        struct visit_attempt *a = &v->attempts[i];
        char ms[QUEUE_LOG_NUMBER_SIZE];
        if (!a->cancelled || a->told)
            continue;
        a->told = true;
        struct slice args[] = {queue_log_number((a->cancelled - a->start) / 1000, ms)};
        struct visit_words words = {"RINGCANCELED", slice_from(a->member), args, 1};
        visit_line(visits->emit, v, &words);
    }
}

void visits_picked_up(struct visits *visits, struct slice target)
{
    size_t position = 0;
    struct visit *v;
    while ((v = table_next(&visits->by_caller, &position))) {
        for (; v; v = v->next) {
            struct visit_attempt *a =
                v->state == VISIT_WAITING ? visit_attempt_of(v, target) : NULL;
            if (!a)
                continue;
            v->answer_seen = true;
            text_set(&v->member, slice_from(a->member));
            saved_touch(&v->saved);
            return;
        }
    }
}
