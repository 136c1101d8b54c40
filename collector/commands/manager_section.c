/* SPDX-License-Identifier: MIT */
#include "collector/commands/manager_section.h"

#include "parsers/ami_name.h"
#include "parsers/ami_variable.h"
#include <ctype.h>
#include <stdlib.h>

/* Events that amitap does not read though the classes that it needs bring them, and often: some for
 * each hint, call or mailbox. */
static const enum ami_event_id unread[] = {
    AMI_EVENT_EXTENSIONSTATUS,     AMI_EVENT_PRESENCESTATECHANGE, AMI_EVENT_PRESENCESTATUS,
    AMI_EVENT_HANGUPHANDLERPUSH,   AMI_EVENT_HANGUPHANDLERPOP,    AMI_EVENT_MESSAGEWAITING,
    AMI_EVENT_CHANNELTALKINGSTART, AMI_EVENT_CHANNELTALKINGSTOP};

#define UNREAD (sizeof(unread) / sizeof(unread[0]))

bool manager_section_is_advanced(const char *asterisk)
{
    static const long first_minor[][2] = {{18, 26}, {20, 11}, {21, 6}, {22, 1}};
    char *end;
    if (!isdigit((unsigned char)*asterisk))
        return false;
    long major = strtol(asterisk, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    for (size_t i = 0; i < sizeof(first_minor) / sizeof(first_minor[0]); i++) {
        if (major == first_minor[i][0])
            return minor >= first_minor[i][1];
    }
    return major > 22;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* --- the lines of [general] --- */

static void put_tls(struct buf *to, const struct manager_section *s)
{
    if (!config_yes(s->pbx, CONFIG_PBX_TLS)) {
        if (!is_loopback(s->ours))
            buf_printf(to, "; amitap comes over a network, in clear. With tls = yes in its "
                           "configuration:\n"
                           ";tlsenable = yes\n"
                           ";tlsbindaddr = 0.0.0.0:5039\n"
                           ";tlscertfile = /etc/asterisk/keys/asterisk.pem\n"
                           ";tlsprivatekey = /etc/asterisk/keys/asterisk.key\n");
        return;
    }
    bool v6 = strchr(s->theirs, ':') != NULL;
    buf_printf(to,
               "tlsenable = yes\n"
               "tlsbindaddr = %s%s%s:%d\n"
               "tlscertfile = /etc/asterisk/keys/asterisk.pem  ; for the name that amitap knows "
               "the PBX by\n"
               "tlsprivatekey = /etc/asterisk/keys/asterisk.key\n",
               v6 ? "[" : "", *s->theirs ? s->theirs : "0.0.0.0", v6 ? "]" : "",
               (int)config_number(s->pbx, CONFIG_PBX_PORT));
}

static void put_channelvars(struct buf *to, const struct config_section *pbx)
{
    size_t n = 0;
    const char *const *names = config_list(pbx, CONFIG_PBX_HANDOFF_VARIABLES, &n);
    if (!n)
        return;
    buf_printf(to, "channelvars = ");
    for (size_t i = 0; i < n; i++)
        buf_printf(to, "%s%s", i ? "," : "", names[i]);
    buf_printf(to, "  ; handoff_variables: also of calls that were up before\n");
}

static void put_general(struct buf *to, const struct manager_section *s)
{
    bool tls = config_yes(s->pbx, CONFIG_PBX_TLS);
    const char *address = tls || !*s->theirs ? "127.0.0.1" : s->theirs;
    buf_printf(to, "[general]\nenabled = yes\nport = %d\nbindaddr = %s%s\n",
               tls ? 5038 : (int)config_number(s->pbx, CONFIG_PBX_PORT), address,
               tls ? "  ; in clear on the PBX itself only" : "");
    put_tls(to, s);
    buf_printf(to, "timestampevents = yes  ; records carry the PBX's times, and ids that another "
                   "tap gives too\n");
    put_channelvars(to, s->pbx);
}

/* --- classes --- */

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += n) {
        if ((at == list || at[-1] == ',') && (at[n] == ',' || !at[n]))
            return true;
    }
    return false;
}

/* The classes that anything is read from; dtmf is none of them. */
static void put_read(struct buf *to, const struct config_section *pbx)
{
    static const char *const classes[] = {"system", "call", "agent", "dialplan",
                                          "agi",    "user", "cdr"};
    const char *mask = config_text(pbx, CONFIG_PBX_EVENT_MASK);
    bool drift = config_number(pbx, CONFIG_PBX_DRIFT_INTERVAL) > 0;
    const char *comma = "";
    buf_printf(to, "read = ");
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        bool cdr = strcmp(classes[i], "cdr") == 0;
        if ((has_word(mask, classes[i]) || strcmp(mask, "on") == 0) && (!cdr || drift)) {
            buf_printf(to, "%s%s", comma, classes[i]);
            comma = ",";
        }
    }
    buf_printf(to, "\n");
}

static void put_write(struct buf *to, const struct config_section *pbx)
{
    bool channels = config_yes(pbx, CONFIG_PBX_LIST_CHANNELS);
    bool registrations = config_yes(pbx, CONFIG_PBX_LIST_REGISTRATIONS);
    if (channels || registrations)
        buf_printf(to,
                   "write = reporting  ; for %s%s%s; nothing where amitap's configuration has "
                   "%s\n",
                   channels ? "the lists of channels and devices" : "",
                   channels && registrations ? " and " : "",
                   registrations ? "the registrations" : "",
                   channels ? "list_channels = no" : "list_registrations = no");
    else
        buf_printf(to, "write =  ; nothing: list_channels and list_registrations are no\n");
}

/* --- filters --- */

/* A name within a regular expression within a configuration file. */
static void put_escaped(struct buf *to, const char *name)
{
    for (; *name; name++) {
        if (strchr(".[]{}()*+?|^$\\;", *name))
            buf_put_char(to, '\\');
        buf_put_char(to, *name);
    }
}

static void put_variables(struct buf *to, const struct config_section *pbx)
{
    size_t n = 0;
    const char *const *names = config_list(pbx, CONFIG_PBX_HANDOFF_VARIABLES, &n);
    const char *bar = "";
    for (enum ami_variable v = AMI_VARIABLE_NONE + 1; v < AMI_VARIABLE_TOTAL; v++) {
        if (!ami_variable_is_wanted(v))
            continue;
        buf_printf(to, "%s", bar);
        put_escaped(to, ami_variable_name(v));
        bar = "|";
    }
    for (size_t i = 0; i < n; i++) {
        buf_printf(to, "%s_?_?", bar);
        put_escaped(to, names[i]);
    }
}

/* The form that needs a new Asterisk looks at a name or a header alone, the older one at the whole
 * event. Once there is an including filter, what none of them lets through is not sent. */
static void put_filters(struct buf *to, const struct manager_section *s)
{
    bool advanced = manager_section_is_advanced(s->asterisk);
    buf_printf(
        to, "; Events that amitap does not read are not sent: of VarSet those of some variables,\n"
            "; all others (no other name begins with \"Va\"), but for those that it never "
            "reads.\n");
    if (advanced)
        buf_printf(to, "eventfilter(action(include),method(regex)) = ^Event: ([^V]|V[^a])\n"
                       "eventfilter(action(include),name(VarSet),header(Variable),method(regex)) = "
                       "^(");
    else
        buf_printf(to, "eventfilter = ^Event: ([^V]|V[^a])\n"
                       "eventfilter = ^Event: VarSet.*Variable: (");
    put_variables(to, s->pbx);
    buf_printf(to, advanced ? ")$\n" : ")[[:space:]]\n");
    for (size_t i = 0; i < UNREAD; i++)
        buf_printf(to,
                   advanced ? "eventfilter(action(exclude),name(%s)) =\n"
                            : "eventfilter = !^Event: %s[[:space:]]\n",
                   ami_event_name(unread[i]));
}

/* --- all of it --- */

static void put_permit(struct buf *to, const char *ours)
{
    bool v6 = strchr(ours, ':') != NULL;
    buf_printf(to, "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\n");
    if (*ours)
        buf_printf(to, "permit = %s/%s  ; where amitap comes from\n", ours,
                   v6 ? "128" : "255.255.255.255");
    else
        buf_printf(to, "permit = 127.0.0.1/255.255.255.255  ; amitap's address\n");
}

bool manager_section_put(struct buf *to, const struct manager_section *s)
{
    put_general(to, s);
    buf_printf(to, "\n[%s]\nsecret = change-me  ; the same as in amitap's secret file\n",
               config_text(s->pbx, CONFIG_PBX_USER));
    put_permit(to, s->ours);
    put_read(to, s->pbx);
    put_write(to, s->pbx);
    buf_printf(to, "writetimeout = 1000  ; milliseconds that amitap may not read before Asterisk "
                   "hangs up on it (default 100)\n"
                   "displayconnects = no  ; no line on the console for each log-in\n");
    put_filters(to, s);
    return !to->failed;
}
