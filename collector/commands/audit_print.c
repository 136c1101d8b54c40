/* SPDX-License-Identifier: MIT */
#include "collector/commands/audit_print.h"

#include "collector/base/json_out.h"

static const char *sentence_of(const struct audit_action *action)
{
    return *action->sentence
               ? action->sentence
               : "is not known to amitap, and so counts as one that changes something";
}

static unsigned changing(const struct audit_rights *rights)
{
    unsigned n = 0;
    for (unsigned i = 0; i < rights->count; i++)
        n += audit_action_changes(&rights->actions[i]);
    return n;
}

/* --- for people --- */

/* The actions that change something by this class, under a heading. */
static void put_class(struct buf *to, const struct audit_rights *rights, const char *class)
{
    char held[AUDIT_CLASSES_SIZE];
    bool first = true;
    for (unsigned i = 0; i < rights->count; i++) {
        const struct audit_action *a = &rights->actions[i];
        audit_rights_class(rights, a, held, sizeof(held));
        if (!audit_action_changes(a) || strcmp(held, class) != 0)
            continue;
        if (first && !*class)
            buf_printf(to, "\nWithout any class, as every account that may log in, with an empty "
                           "write= too:\n");
        else if (first)
            buf_printf(to, "\nBy write = %s:\n", class);
        first = false;
        buf_printf(to, "  %-28s %s\n", a->name, sentence_of(a));
    }
}

/* Whether no action before this one has its class. */
static bool is_first_of_class(const struct audit_rights *rights, unsigned at, const char *class)
{
    char other[AUDIT_CLASSES_SIZE];
    for (unsigned i = 0; i < at; i++) {
        audit_rights_class(rights, &rights->actions[i], other, sizeof(other));
        if (strcmp(other, class) == 0)
            return false;
    }
    return true;
}

static void put_classes(struct buf *to, const struct audit_rights *rights)
{
    char class[AUDIT_CLASSES_SIZE];
    for (unsigned i = 0; i < rights->count; i++) {
        audit_rights_class(rights, &rights->actions[i], class, sizeof(class));
        if (*class && is_first_of_class(rights, i, class))
            put_class(to, rights, class);
    }
    put_class(to, rights, "");
}

static void put_verdict(struct buf *to, const struct audit_rights *rights)
{
    if (rights->cut)
        buf_printf(to, "\nThe PBX's list was too long to be read whole: there may be more.\n");
    buf_printf(to, "\n%s\n",
               audit_rights_exceed(rights)
                   ? "So whoever has this account's secret can change more than every account can."
                   : "That is what every account can; none can be given less. Keep its secret as "
                     "one that can do harm.");
    buf_printf(to, "amitap itself sends none of these but Status, and that without variables "
                   "(schemas/ami_actions.def).\n"
                   "Which classes of events the account may read no PBX tells.\n");
}

bool audit_print_text(struct buf *to, const struct audit_report *r)
{
    buf_printf(to, "pbx %s: account %s at %s:%u, %s%s, manager %s\n", r->pbx, r->user, r->host,
               r->port, *r->asterisk ? "Asterisk " : "an Asterisk that does not tell its version",
               r->asterisk, r->manager);
    buf_printf(to, "It may call %u actions, of which %u change something.\n", r->rights->count,
               changing(r->rights));
    put_classes(to, r->rights);
    put_verdict(to, r->rights);
    buf_printf(to, "\nThe smallest manager.conf for this configuration (its [general] has these "
                   "lines, others may stay):\n\n");
    if (!*r->asterisk)
        buf_printf(to, "; The version is not known, so the filters are of the form that every "
                       "version takes.\n");
    buf_put_slice(to, r->section);
    return !to->failed;
}

/* --- for programs --- */

static void put_action(struct json_out *j, const struct audit_rights *rights,
                       const struct audit_action *a)
{
    char class[AUDIT_CLASSES_SIZE];
    audit_rights_class(rights, a, class, sizeof(class));
    json_out_object(j, NULL);
    json_out_string(j, "action", slice_from(a->name));
    json_out_string(j, "class", slice_from(class));
    json_out_string(j, "classes", slice_from(a->classes));
    json_out_bool(j, "known", a->power != AUDIT_UNKNOWN);
    json_out_string(j, "does", slice_from(sentence_of(a)));
    json_out_close(j, '}');
}

static void put_version(struct json_out *j, const char *asterisk)
{
    if (*asterisk)
        json_out_string(j, "asterisk", slice_from(asterisk));
    else
        json_out_null(j, "asterisk");
}

bool audit_print_json(struct buf *to, const struct audit_report *r)
{
    struct json_out j = json_out_to(to);
    json_out_object(&j, NULL);
    json_out_string(&j, "pbx", slice_from(r->pbx));
    json_out_string(&j, "host", slice_from(r->host));
    json_out_int(&j, "port", r->port);
    json_out_string(&j, "user", slice_from(r->user));
    put_version(&j, r->asterisk);
    json_out_string(&j, "manager", slice_from(r->manager));
    json_out_int(&j, "actions", r->rights->count);
    json_out_bool(&j, "exceeds", audit_rights_exceed(r->rights));
    json_out_array(&j, "changes");
    for (unsigned i = 0; i < r->rights->count; i++) {
        if (audit_action_changes(&r->rights->actions[i]))
            put_action(&j, r->rights, &r->rights->actions[i]);
    }
    json_out_close(&j, ']');
    json_out_string(&j, "section", r->section);
    json_out_close(&j, '}');
    buf_put_char(to, '\n');
    return !to->failed;
}
