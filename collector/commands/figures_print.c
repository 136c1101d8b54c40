/* SPDX-License-Identifier: MIT */
#include "collector/commands/figures_print.h"

#include "collector/base/json_out.h"
#include "collector/base/printable.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLUMNS      6
#define COLUMN_WIDTH 17
#define NAME_WIDTH   27
#define LINE_MAX     65536

struct figures_column {
    char head[3][64]; /* day and hour of the window's begin, its end, whose figures */
    double values[FIGURE_COUNT];
};

struct figures_print figures_print_to(FILE *to, bool json, const struct figures_window *windows)
{
    return (struct figures_print){.to = to,
                                  .json = json,
                                  .windows = windows,
                                  .columns = calloc(COLUMNS, sizeof(struct figures_column))};
}

static void local_time(int64_t us, char *text, size_t size)
{
    time_t t = (time_t)(us / 1000000);
    struct tm tm;
    localtime_r(&t, &tm);
    strftime(text, size, "%Y-%m-%d %H:%M", &tm);
}

/* Right aligned in characters, not in bytes. */
static void put_cell(FILE *to, const char *text)
{
    int width = 0;
    for (const char *p = text; *p; p++)
        width += (*p & 0xC0) != 0x80;
    fprintf(to, "%*s%s", width < COLUMN_WIDTH ? COLUMN_WIDTH - width : 1, "", text);
}

static void put_value(FILE *to, enum figure figure, double value)
{
    char text[64] = "–";
    if (!isnan(value))
        snprintf(text, sizeof(text), "%.*f", figure_info(figure)->unit == FIGURE_UNIT_COUNT ? 0 : 1,
                 value);
    put_cell(to, text);
}

static void put_table(struct figures_print *p)
{
    static const char *const heads[] = {"from", "to", ""};
    if (p->any)
        fputc('\n', p->to);
    for (size_t line = 0; line < 3; line++) {
        fprintf(p->to, "%-*s", NAME_WIDTH, heads[line]);
        for (size_t i = 0; i < p->count; i++)
            put_cell(p->to, p->columns[i].head[line]);
        fputc('\n', p->to);
    }
    for (int figure = 0; figure < FIGURE_COUNT; figure++) {
        const struct figure_info *info = figure_info((enum figure)figure);
        fprintf(p->to, "%-*s", NAME_WIDTH, info->name);
        for (size_t i = 0; i < p->count; i++)
            put_value(p->to, (enum figure)figure, p->columns[i].values[figure]);
        fputc('\n', p->to);
    }
    p->any = true;
    p->count = 0;
}

static const char *label_of(const struct figures_row *row)
{
    if (row->queue)
        return row->queue;
    if (row->name)
        return row->name;
    return row->agent ? row->agent : "(all)";
}

static void add_column(struct figures_print *p, const struct figures_row *row)
{
    struct figures_column *c = &p->columns[p->count++];
    local_time(p->windows[row->window].from, c->head[0], sizeof(c->head[0]));
    local_time(p->windows[row->window].to, c->head[1], sizeof(c->head[1]));
    snprintf(c->head[2], sizeof(c->head[2]), "%s", label_of(row));
    printable_make(c->head[2], strlen(c->head[2]));
    memcpy(c->values, row->values, sizeof(c->values));
    if (p->count == COLUMNS)
        put_table(p);
}

static void put_text(struct json_out *j, const char *key, const char *text)
{
    if (text)
        json_out_string(j, key, slice_from(text));
    else
        json_out_null(j, key);
}

static void put_json(struct figures_print *p, const struct figures_row *row)
{
    struct buf text = buf_new(LINE_MAX);
    struct json_out j = json_out_to(&text);
    json_out_object(&j, NULL);
    json_out_time(&j, "from", p->windows[row->window].from);
    json_out_time(&j, "to", p->windows[row->window].to);
    put_text(&j, "pbx", row->pbx);
    put_text(&j, "queue", row->queue);
    put_text(&j, "agent", row->name);
    put_text(&j, "interface", row->agent);
    for (int figure = 0; figure < FIGURE_COUNT; figure++) {
        const struct figure_info *info = figure_info((enum figure)figure);
        if (isnan(row->values[figure]))
            json_out_null(&j, info->name);
        else
            /* A number with six decimals, as seconds are. */
            json_out_seconds(&j, info->name, (int64_t)(row->values[figure] * 1e6 + 0.5));
    }
    json_out_close(&j, '}');
    buf_put_char(&text, '\n');
    fwrite(text.p, 1, text.n, p->to);
    buf_free(&text);
}

void figures_print_row(void *ctx, const struct figures_row *row)
{
    struct figures_print *p = ctx;
    if (p->json)
        put_json(p, row);
    else if (p->columns)
        add_column(p, row);
}

void figures_print_end(struct figures_print *p)
{
    if (p->count)
        put_table(p);
    free(p->columns);
    p->columns = NULL;
}
