/* SPDX-License-Identifier: MIT */
#include "collector/commands/timeline.h"

#include "collector/base/json_out.h"
#include "collector/base/printable.h"
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

/* A longer one does not push the next column to the right. */
#define WHO_COLUMN  28
#define WHAT_COLUMN 64

static const char *copy(struct timeline *t, const char *text)
{
    char *own = strdup(text ? text : "");
    t->failed |= !own;
    return own;
}

void timeline_add(struct timeline *t, const struct timeline_line *line)
{
    if (t->count == t->size) {
        size_t size = t->size ? t->size * 2 : 64;
        struct timeline_line *more = realloc(t->lines, size * sizeof(*more));
        if (!more) {
            t->failed = true;
            return;
        }
        t->lines = more;
        t->size = size;
    }
    struct timeline_line *own = &t->lines[t->count++];
    *own = *line;
    own->event = copy(t, line->event);
    own->who = copy(t, line->who);
    own->what = copy(t, line->what);
    own->why = copy(t, line->why);
}

void timeline_free(struct timeline *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free((char *)t->lines[i].event);
        free((char *)t->lines[i].who);
        free((char *)t->lines[i].what);
        free((char *)t->lines[i].why);
    }
    free(t->lines);
    *t = (struct timeline){0};
}

static bool is_before(const struct timeline_line *a, const struct timeline_line *b)
{
    return a->time != b->time ? a->time < b->time : a->rank < b->rank;
}

/* Records come almost in order, so that few lines move; equal ones stay as they are. */
void timeline_sort(struct timeline *t)
{
    for (size_t i = 1; i < t->count; i++) {
        struct timeline_line line = t->lines[i];
        size_t to = i;
        for (; to > 0 && is_before(&line, &t->lines[to - 1]); to--)
            t->lines[to] = t->lines[to - 1];
        t->lines[to] = line;
    }
}

/* Where the number of a channel begins, "-" and eight hexadecimal digits in front of the end or of
 * ";1", ";2"; NULL when the name has none. */
static const char *number_of(const char *channel)
{
    const char *dash = strrchr(channel, '-');
    if (!dash || strspn(dash + 1, "0123456789abcdef") != 8)
        return NULL;
    return dash[9] == 0 || dash[9] == ';' ? dash + 1 : NULL;
}

const char *timeline_short_name(const char *channel, char *text)
{
    const char *number = number_of(channel);
    size_t head = number ? (size_t)(number - channel) : strlen(channel);
    for (int i = 0; number && i < 7 && *number == '0'; i++)
        number++;
    snprintf(text, TIMELINE_NAME_SIZE, "%.*s%s", (int)head, channel, number ? number : "");
    return text;
}

static int width_of(const struct timeline *t, bool who, int max)
{
    char name[TIMELINE_NAME_SIZE];
    int width = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_line *line = &t->lines[i];
        int n = (int)strlen(who ? timeline_short_name(line->who, name) : line->what);
        if (n > width && n <= max)
            width = n;
    }
    return width;
}

void timeline_print(const struct timeline *t, int64_t start, FILE *to)
{
    char name[TIMELINE_NAME_SIZE], when[TIME_TEXT_SIZE];
    int who = width_of(t, true, WHO_COLUMN), what = width_of(t, false, WHAT_COLUMN);
    struct buf text = buf_new(LINE_MAX_BYTES);
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_line *line = &t->lines[i];
        time_text(line->time, when);
        buf_clear(&text);
        buf_printf(&text, "%+9.3f  %.12s  %-*s  %-*s  %s%s%s", (double)(line->time - start) / 1e6,
                   when + 11, who, timeline_short_name(line->who, name), what, line->what,
                   line->event, line->event[0] ? ": " : "", line->why);
        printable_put(buf_slice(&text), to);
        fputc('\n', to);
    }
    buf_free(&text);
}

void timeline_print_json(const struct timeline *t, int64_t start, FILE *to)
{
    struct buf text = buf_new(LINE_MAX_BYTES);
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_line *line = &t->lines[i];
        buf_clear(&text);
        struct json_out j = json_out_to(&text);
        json_out_object(&j, NULL);
        json_out_time(&j, "time", line->time);
        json_out_seconds(&j, "after_seconds", line->time - start);
        json_out_string(&j, "who", slice_from(line->who));
        json_out_string(&j, "what", slice_from(line->what));
        json_out_string(&j, "why", slice_from(line->why));
        if (line->event[0])
            json_out_string(&j, "cause_event", slice_from(line->event));
        else
            json_out_null(&j, "cause_event");
        json_out_string(&j, "rule", slice_from(line->rule));
        json_out_close(&j, '}');
        buf_put_char(&text, '\n');
        fwrite(text.p, 1, text.n, to);
    }
    buf_free(&text);
}
