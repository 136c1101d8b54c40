/* SPDX-License-Identifier: MIT */
#include "collector/config/config_report.h"

#include "collector/base/printable.h"
#include <stdlib.h>

#define FINDINGS_MAX 100
#define TEXT_SIZE    400

struct finding {
    unsigned line;
    unsigned order; /* among those of one line */
    bool warning;
    char text[TEXT_SIZE];
};

struct config_report {
    struct finding findings[FINDINGS_MAX];
    unsigned count;
    unsigned faults;
    unsigned left_out;
};

struct config_report *config_report_new(void)
{
    return calloc(1, sizeof(struct config_report));
}

void config_report_free(struct config_report *r)
{
    free(r);
}

static void __attribute__((format(printf, 4, 0)))
add(struct config_report *r, unsigned line, bool warning, const char *format, va_list args)
{
    r->faults += !warning;
    if (r->count == FINDINGS_MAX) {
        r->left_out++;
        return;
    }
    struct finding *f = &r->findings[r->count];
    f->line = line;
    f->order = r->count++;
    f->warning = warning;
    vsnprintf(f->text, sizeof f->text, format, args);
}

void config_report_fault_v(struct config_report *r, unsigned line, const char *format, va_list args)
{
    add(r, line, false, format, args);
}

void config_report_fault(struct config_report *r, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(r, line, false, format, args);
    va_end(args);
}

void config_report_warning(struct config_report *r, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(r, line, true, format, args);
    va_end(args);
}

unsigned config_report_faults(const struct config_report *r)
{
    return r->faults;
}

static int by_line(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

void config_report_print(struct config_report *r, const char *file, FILE *to)
{
    qsort(r->findings, r->count, sizeof r->findings[0], by_line);
    for (unsigned i = 0; i < r->count; i++) {
        const struct finding *f = &r->findings[i];
        if (f->line) {
            fprintf(to, "%s:%u: ", file, f->line);
        } else {
            fprintf(to, "%s: ", file);
        }
        fputs(f->warning ? "warning: " : "", to);
        printable_put(slice_from(f->text), to);
        fputc('\n', to);
    }
    if (r->left_out) {
        fprintf(to, "%s: %u more\n", file, r->left_out);
    }
}
