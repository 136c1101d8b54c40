/* SPDX-License-Identifier: MIT */
#include "collector/commands/record.h"

#include "collector/base/log.h"
#include "collector/commands/options.h"
#include "collector/commands/recording.h"
#include "collector/commands/tap_config.h"
#include "parsers/ami_text.h"
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS_MAX 31536000 /* a year */

struct arguments {
    const char *config;
    const char *pbx;
    const char *out;
    bool scrub;
    int64_t seconds; /* 0: until a signal */
};

struct record {
    struct arguments arguments;
    struct tap_config config;
    const char *pbx;
    struct event_base *base;
    struct event *signals[2];
    struct event *end;
    struct resolver *resolver;
    struct ami_tls *tls; /* NULL: in clear */
    struct ami_link *link;
    struct recording *recording;
    bool ever; /* logged in */
};

static void on_bytes(void *ctx, struct slice bytes)
{
    struct record *r = ctx;
    recording_bytes(r->recording, bytes);
}

static void on_turn_end(void *ctx)
{
    struct record *r = ctx;
    if (recording_failed(r->recording))
        ami_link_stop(r->link);
}

static void on_state(void *ctx, const struct ami_link_change *change)
{
    struct record *r = ctx;
    char text[512];
    if (ami_link_change_text(r->pbx, change, text, sizeof(text)))
        log_line(ami_link_change_is_fault(change) ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s", text);
    r->ever |= change->to == AMI_LINK_BOOTING;
    if (change->to == AMI_LINK_CONNECTING)
        recording_part(r->recording);
    if (change->to == AMI_LINK_STOPPED)
        event_base_loopexit(r->base, NULL);
    else if (change->shut_out && !r->ever)
        ami_link_stop(r->link);
}

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    struct record *r = ctx;
    ami_link_stop(r->link);
}

static bool make_loop(struct record *r)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    r->base = event_base_new();
    if (!r->base)
        return false;
    for (size_t i = 0; i < 2; i++) {
        r->signals[i] = evsignal_new(r->base, numbers[i], on_end, r);
        if (!r->signals[i] || event_add(r->signals[i], NULL) < 0)
            return false;
    }
    r->end = evtimer_new(r->base, on_end, r);
    struct timeval after = {.tv_sec = r->arguments.seconds};
    if (!r->end || (after.tv_sec && evtimer_add(r->end, &after) < 0))
        return false;
    r->resolver = resolver_new(r->base);
    return r->resolver != NULL;
}

static bool make_link(struct record *r)
{
    static const struct ami_link_events events = {
        .state = on_state, .turn_end = on_turn_end, .bytes = on_bytes};
    struct ami_link_env env = {.base = r->base,
                               .resolver = r->resolver,
                               .clock = clock_system(),
                               .random = random_system()};
    struct ami_link_config config = tap_config_link(r->config.section);
    /* The passwords of registrations would stand in the recording. */
    config.lists &= ~(unsigned)AMI_SNAPSHOT_REGISTRATIONS;
    r->pbx = config_section_name(r->config.section);
    config.tls = r->tls;
    r->link = ami_link_new(&config, &env, &events, r);
    return r->link != NULL;
}

static void release(struct record *r)
{
    ami_link_free(r->link);
    ami_tls_free(r->tls);
    resolver_free(r->resolver);
    for (size_t i = 0; i < 2; i++) {
        if (r->signals[i])
            event_free(r->signals[i]);
    }
    if (r->end)
        event_free(r->end);
    if (r->base)
        event_base_free(r->base);
    tap_config_free(&r->config);
}

static bool tell_totals(const struct record *r, const struct recording_totals *t)
{
    const char *out = r->arguments.out;
    if (t->bytes == 0) {
        fprintf(stderr, "amitap: record: pbx %s sent nothing; there is no %s\n", r->pbx, out);
        return false;
    }
    fprintf(stderr, "amitap: record: %s: %" PRIu64 " bytes of pbx %s\n", out, t->bytes, r->pbx);
    if (r->arguments.scrub)
        fprintf(stderr,
                "amitap: record: %" PRIu64 " numbers and %" PRIu64
                " names replaced; look it over before you hand it on\n",
                t->scrub.scrubbed.numbers, t->scrub.scrubbed.names);
    if (t->scrub.scrubbed.not_learned)
        fprintf(stderr,
                "amitap: record: too many names: %" PRIu64 " were replaced in name headers only\n",
                t->scrub.scrubbed.not_learned);
    if (t->scrub.cut_lines)
        fprintf(stderr, "amitap: record: %" PRIu64 " lines were too long and cut\n",
                t->scrub.cut_lines);
    if (t->lost)
        fprintf(stderr,
                "amitap: record: %s: the disk was too slow: %" PRIu64 " bytes are missing\n", out,
                t->lost);
    return t->lost == 0;
}

static int run(struct record *r)
{
    struct recording_totals totals;
    if (!tap_config_tls(r->config.section, &r->tls, stderr))
        return EXIT_FAILURE;
    if (!make_loop(r) || !make_link(r)) {
        fputs("amitap: memory is short\n", stderr);
        return EXIT_FAILURE;
    }
    r->recording = recording_new(r->arguments.out, r->arguments.scrub);
    if (!r->recording)
        return EXIT_FAILURE;
    log_start();
    ami_link_start(r->link);
    event_base_dispatch(r->base);
    log_stop();
    bool good = recording_end(r->recording, &totals);
    good = tell_totals(r, &totals) && good;
    return good && r->ever ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool read_seconds(const char *text, int64_t *ret_seconds)
{
    return ami_text_int_within(slice_from(text), 1, SECONDS_MAX, ret_seconds) ||
           options_refuse("record", "--seconds", text, "a number of seconds, at most a year");
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},  {"pbx", required_argument, NULL, 'p'},
        {"output", required_argument, NULL, 'o'},  {"scrub", no_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    options_begin();
    for (int option; (option = options_next(argc, argv, ":c:o:", options)) != -1;) {
        if (option == 'c')
            a->config = optarg;
        else if (option == 'p')
            a->pbx = optarg;
        else if (option == 'o')
            a->out = optarg;
        else if (option == 's')
            a->scrub = true;
        else if (option != 't' || !read_seconds(optarg, &a->seconds))
            return false;
    }
    return options_end(argc, argv) && options_need(argv[0], "-c FILE", a->config) &&
           options_need(argv[0], "-o OUT", a->out);
}

int record_command(int argc, char **argv)
{
    struct record r = {0};
    if (!read_arguments(argc, argv, &r.arguments)) {
        fputs("usage: amitap record -c FILE [--pbx NAME] -o OUT [--scrub] [--seconds N]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!tap_config_load(&r.config, r.arguments.config, r.arguments.pbx))
        return EXIT_FAILURE;
    int status = run(&r);
    release(&r);
    return status;
}
