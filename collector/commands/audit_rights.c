/* SPDX-License-Identifier: MIT */
#include "collector/commands/audit_rights.h"

#include <stdio.h>
#include <strings.h>

static const struct power {
    const char *name;
    enum audit_power power;
    const char *sentence;
} powers[] = {
#define READS                            AUDIT_READS
#define CHANGES                          AUDIT_CHANGES
#define AMI_POWER(name, power, sentence) {name, power, sentence},
#include "schemas/ami_powers.def"
#undef AMI_POWER
#undef READS
#undef CHANGES
};

#define POWERS (sizeof(powers) / sizeof(powers[0]))

static void judge(struct audit_action *action)
{
    action->power = AUDIT_UNKNOWN;
    action->sentence = "";
    for (size_t i = 0; i < POWERS; i++) {
        if (strcasecmp(powers[i].name, action->name) == 0) {
            action->power = powers[i].power;
            action->sentence = powers[i].sentence;
        }
    }
}

/* What stands in the last "(Priv: …)" of the line; empty p when nothing does. */
static struct slice classes_of(struct slice line)
{
    static const char opening[] = "(Priv: ";
    size_t n = sizeof(opening) - 1;
    if (!line.n || line.p[line.n - 1] != ')')
        return (struct slice){NULL, 0};
    for (size_t i = line.n; i-- > 0;) {
        struct slice rest = slice_from_offset(line, i);
        if (slice_starts(rest, (struct slice){opening, n}))
            return (struct slice){rest.p + n, rest.n - n - 1};
    }
    return (struct slice){NULL, 0};
}

/* The next name of a list, which is shortened by it; empty at its end. */
static struct slice next_class(struct slice *list)
{
    const char *comma = list->n ? memchr(list->p, ',', list->n) : NULL;
    struct slice first = slice_head(*list, comma ? (size_t)(comma - list->p) : list->n);
    *list = slice_from_offset(*list, first.n + 1);
    return first;
}

static bool is_word(struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~')
            return false;
    }
    return true;
}

/* False when they do not fit or are no words. */
static bool put_classes(struct slice list, char *text, size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    if (slice_is(list, "<none>"))
        return true;
    while (list.n) {
        struct slice class = next_class(&list);
        if (!class.n || slice_is(class, "all"))
            continue;
        if (n + class.n + 2 > size || !is_word(class))
            return false;
        n += (size_t)snprintf(text + n, size - n, "%s%.*s", n ? "," : "", (int)class.n, class.p);
    }
    return true;
}

static bool put_name(struct slice name, char *text)
{
    if (name.n >= AUDIT_ACTION_SIZE || !is_word(name))
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return true;
}

void audit_rights_read(struct audit_rights *rights, const struct ami_message *m)
{
    rights->count = 0;
    rights->cut = m->cut;
    for (unsigned i = 0; i < m->count; i++) {
        const struct ami_header *h = &m->headers[i];
        struct audit_action *action = &rights->actions[rights->count];
        struct slice classes = classes_of(h->value);
        if (!classes.p || !h->name.n)
            continue; /* Response, ActionID */
        if (!put_name(h->name, action->name) ||
            !put_classes(classes, action->classes, sizeof(action->classes))) {
            rights->cut = true;
            continue;
        }
        judge(action);
        rights->count++;
    }
}

static bool is_held(const struct audit_rights *rights, struct slice class)
{
    for (unsigned i = 0; i < rights->count; i++) {
        if (slice_is(class, rights->actions[i].classes))
            return true;
    }
    return false;
}

void audit_rights_class(const struct audit_rights *rights, const struct audit_action *action,
                        char *text, size_t size)
{
    struct slice list = slice_from(action->classes);
    size_t n = 0;
    text[0] = '\0';
    while (list.n) {
        struct slice class = next_class(&list);
        if (is_held(rights, class)) {
            snprintf(text, size, "%.*s", (int)class.n, class.p);
            return;
        }
        if (n < size)
            n += (size_t)snprintf(text + n, size - n, "%s%.*s", n ? " or " : "", (int)class.n,
                                  class.p);
    }
}

bool audit_action_changes(const struct audit_action *action)
{
    return action->power != AUDIT_READS;
}

bool audit_rights_exceed(const struct audit_rights *rights)
{
    for (unsigned i = 0; i < rights->count; i++) {
        const struct audit_action *a = &rights->actions[i];
        if (audit_action_changes(a) && a->classes[0])
            return true;
    }
    return rights->cut;
}
