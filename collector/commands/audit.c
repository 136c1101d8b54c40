/* SPDX-License-Identifier: MIT */
#include "collector/commands/audit.h"

#include "collector/base/printable.h"
#include "collector/commands/audit_print.h"
#include "collector/commands/manager_section.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define EXIT_EXCEEDS 1
#define EXIT_USAGE   2
#define EXIT_UNKNOWN 3

#define TEXT_SIZE 262144

struct audit {
    const char *path;
    const char *pbx; /* as asked for; NULL: the only one */
    bool json;
    struct tap_config config;
    struct event_base *base;
    struct resolver *resolver;
    struct ami_tls *tls; /* NULL: in clear */
    struct ami_link *link;
    bool answered; /* ListCommands was */
    char asterisk[64];
    char host[256];
    struct ami_transport_ends ends;
    struct audit_rights rights;
};

static void keep(char *text, size_t size, struct slice value)
{
    snprintf(text, size, "%.*s", (int)value.n, value.n ? value.p : "");
    printable_make(text, strlen(text));
}

static void on_answer(void *ctx, enum ami_action action, const struct ami_message *m)
{
    struct audit *a = ctx;
    bool good = slice_is(m->name, "Success");
    if (action == AMI_ACTION_CORESETTINGS) {
        keep(a->asterisk, sizeof(a->asterisk),
             good ? ami_message_get(m, AMI_HEADER_ASTERISKVERSION) : SLICE(""));
    } else if (good) {
        audit_rights_read(&a->rights, m);
        a->ends = ami_link_ends(a->link);
        a->answered = true;
    } else {
        char why[256];
        keep(why, sizeof(why), ami_message_get(m, AMI_HEADER_MESSAGE));
        fprintf(stderr, "amitap: audit: pbx %s: ListCommands is refused: %s\n",
                config_section_name(a->config.section), why);
    }
}

static void on_done(void *ctx, enum ami_action action, enum ami_link_outcome outcome)
{
    struct audit *a = ctx;
    if (outcome == AMI_LINK_LIST_TIMEOUT)
        fprintf(stderr, "amitap: audit: pbx %s: no answer to %s within %d s\n",
                config_section_name(a->config.section), ami_action_name(action),
                (int)config_number(a->config.section, CONFIG_PBX_CONNECT_SECONDS));
}

/* The first host that answers is the one; when none does that is the end. */
static void on_state(void *ctx, const struct ami_link_change *change)
{
    struct audit *a = ctx;
    const char *name = config_section_name(a->config.section);
    char text[512], line[512];
    struct ami_link_change told = *change;
    if (change->to == AMI_LINK_WAITING && ami_link_change_is_fault(change))
        told.to = AMI_LINK_STOPPED; /* no next attempt is to be announced */
    if (change->to != AMI_LINK_LIVE && change->to != AMI_LINK_STOPPED &&
        ami_link_change_text(name, &told, text, sizeof(text))) {
        keep(line, sizeof(line), slice_from(text));
        fprintf(stderr, "amitap: audit: %s%s\n", line,
                change->to == AMI_LINK_BOOTING ? ", asking what the account may do" : "");
    }
    if (change->to == AMI_LINK_BOOTING)
        keep(a->host, sizeof(a->host), slice_from(change->host));
    if (change->to == AMI_LINK_STOPPED)
        event_base_loopexit(a->base, NULL);
    else if (change->to == AMI_LINK_WAITING || change->to == AMI_LINK_LIVE)
        ami_link_stop(a->link);
}

static bool make_link(struct audit *a)
{
    static const struct ami_link_events events = {
        .state = on_state, .snapshot_action_done = on_done, .answer = on_answer};
    struct ami_link_config config = tap_config_link(a->config.section);
    config.lists = AMI_SNAPSHOT_RIGHTS;
    config.event_mask = "off";
    config.list_us = config.connect_us;
    config.boot_us = 1; /* what the account may do does not hang on it */
    config.tls = a->tls;
    a->base = event_base_new();
    a->resolver = a->base ? resolver_new(a->base) : NULL;
    struct ami_link_env env = {.base = a->base,
                               .resolver = a->resolver,
                               .clock = clock_system(),
                               .random = random_system()};
    a->link = a->resolver ? ami_link_new(&config, &env, &events, a) : NULL;
    return a->link != NULL;
}

static bool put_report(struct audit *a, struct buf *section, struct buf *text)
{
    const struct config_section *pbx = a->config.section;
    struct manager_section wanted = {
        .pbx = pbx, .asterisk = a->asterisk, .ours = a->ends.ours, .theirs = a->ends.theirs};
    if (!manager_section_put(section, &wanted))
        return false;
    struct audit_report report = {.pbx = config_section_name(pbx),
                                  .host = a->host,
                                  .port = (unsigned)config_number(pbx, CONFIG_PBX_PORT),
                                  .user = config_text(pbx, CONFIG_PBX_USER),
                                  .asterisk = a->asterisk,
                                  .manager = ami_link_version(a->link),
                                  .rights = &a->rights,
                                  .section = buf_slice(section)};
    return a->json ? audit_print_json(text, &report) : audit_print_text(text, &report);
}

static int print_report(struct audit *a)
{
    struct buf section = buf_new(TEXT_SIZE), text = buf_new(4 * TEXT_SIZE);
    bool good = put_report(a, &section, &text) && fwrite(text.p, 1, text.n, stdout) == text.n &&
                fflush(stdout) == 0;
    buf_free(&section);
    buf_free(&text);
    if (!good) {
        fputs("amitap: audit: what was found cannot be written\n", stderr);
        return EXIT_UNKNOWN;
    }
    return audit_rights_exceed(&a->rights) ? EXIT_EXCEEDS : EXIT_SUCCESS;
}

static int run(struct audit *a)
{
    if (!tap_config_tls(a->config.section, &a->tls, stderr))
        return EXIT_UNKNOWN;
    if (!make_link(a)) {
        fputs("amitap: memory is short\n", stderr);
        return EXIT_UNKNOWN;
    }
    ami_link_start(a->link);
    event_base_dispatch(a->base);
    return a->answered ? print_report(a) : EXIT_UNKNOWN;
}

static void release(struct audit *a)
{
    ami_link_free(a->link);
    ami_tls_free(a->tls);
    resolver_free(a->resolver);
    if (a->base)
        event_base_free(a->base);
    tap_config_free(&a->config);
    free(a);
}

static bool read_arguments(int argc, char **argv, struct audit *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"pbx", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    options_begin();
    for (int option; (option = options_next(argc, argv, ":c:", options)) != -1;) {
        if (option == 'c')
            a->path = optarg;
        else if (option == 'p')
            a->pbx = optarg;
        else if (option == 'j')
            a->json = true;
        else
            return false;
    }
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", a->path);
}

int audit_command(int argc, char **argv)
{
    struct audit *a = calloc(1, sizeof(*a));
    if (!a) {
        fputs("amitap: memory is short\n", stderr);
        return EXIT_UNKNOWN;
    }
    if (!read_arguments(argc, argv, a)) {
        fputs("usage: amitap audit -c FILE [--pbx NAME] [--json]\n", stderr);
        free(a);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_UNKNOWN;
    if (tap_config_load(&a->config, a->path, a->pbx))
        status = run(a);
    release(a);
    return status;
}
