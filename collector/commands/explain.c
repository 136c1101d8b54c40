/* SPDX-License-Identifier: MIT */
#include "collector/commands/explain.h"

#include "collector/base/printable.h"
#include "collector/commands/explain_source.h"
#include "collector/commands/explain_words.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *config;
    const char *id;
    const char *pbx;
    char *const *files; /* recordings; ends with NULL */
    bool json;
};

static bool read_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"pbx", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct arguments a = {0};
    options_begin();
    for (int option; (option = options_next(argc, argv, ":c:", options)) != -1;) {
        if (option == 'c')
            a.config = optarg;
        else if (option == 'p')
            a.pbx = optarg;
        else if (option == 'j')
            a.json = true;
        else
            return false;
    }
    if (optind < argc)
        a.id = argv[optind++];
    a.files = argv + optind;
    *ret_arguments = a;
    return options_need(argv[0], "LINKEDID", a.id && *a.id) &&
           options_need(argv[0], "-c FILE or RECORDING", a.config || a.files[0]);
}

static json_t *from_history(const struct arguments *a)
{
    struct config *config = tap_config_file(a->config);
    if (!config)
        return NULL;
    struct explain_wanted wanted = {.id = a->id, .pbx = a->pbx};
    json_t *records = explain_from_history(
        config_text(config_section(config, CONFIG_STORE), CONFIG_STORE_PATH), &wanted);
    config_free(config);
    return records;
}

static json_t *from_recording(const struct arguments *a)
{
    struct tap_config config;
    if (!tap_config_load(&config, a->config, a->pbx))
        return NULL;
    json_t *records = explain_from_recording(a->files, &config.options, a->id);
    tap_config_free(&config);
    return records;
}

/* The first record of that kind; the newest of a call that was merged is its last. */
static const json_t *record_of(const json_t *records, const char *kind)
{
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        const char *own = explain_text(record, "kind");
        if (own && strcmp(own, kind) == 0 && (!found || !explain_text(record, "merged_into")))
            found = record;
    }
    return found;
}

static int64_t first_time(const json_t *records, const struct timeline *t)
{
    const json_t *call = record_of(records, "call");
    int64_t start = call ? explain_time(call, "start") : 0;
    return start || !t->count ? start : t->lines[0].time;
}

/* "lasted 16.010 s, wait 1.008 s, …": what the call's record counts. */
static void print_sums(const json_t *call)
{
    static const char *const parts[] = {"wait", "ring", "talk", "hold"};
    printf("lasted %.3f s", explain_number(call, "duration"));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char field[32];
        snprintf(field, sizeof(field), "%s_seconds", parts[i]);
        if (json_is_number(json_object_get(call, field)))
            printf(", %s %.3f s", parts[i], explain_number(call, field));
    }
    putchar('\n');
}

static void print_heading(const json_t *records, const struct arguments *a, int64_t start)
{
    const json_t *call = record_of(records, "call");
    const json_t *any = call ? call : json_array_get(records, 0);
    const char *pbx = explain_text(any, "pbx"), *linkedid = explain_text(any, "linkedid");
    char when[TIME_TEXT_SIZE];
    time_text(start, when);
    fputs("call ", stdout);
    printable_put(slice_from(linkedid ? linkedid : a->id), stdout);
    for (size_t i = 0; i < json_array_size(json_object_get(call, "aliases")); i++) {
        const json_t *alias = json_array_get(json_object_get(call, "aliases"), i);
        fputs(i ? ", " : " with ", stdout);
        printable_put(slice_from(json_string_value(alias)), stdout);
    }
    fputs(" of ", stdout);
    printable_put(slice_from(pbx ? pbx : "-"), stdout);
    printf(", from %.10s %.12s UTC\n", when, when + 11);
    if (call)
        print_sums(call);
    else
        puts("it has not ended yet, or its end was not seen");
}

static void print(const json_t *records, const struct arguments *a, const struct timeline *t)
{
    int64_t start = first_time(records, t);
    if (a->json) {
        timeline_print_json(t, start, stdout);
        return;
    }
    print_heading(records, a, start);
    timeline_print(t, start, stdout);
    if (!a->files[0])
        puts("not in the history, but in a recording of the call: CDR rows that Asterisk does not "
             "write, phones that rang without an answer");
}

int explain_command(int argc, char **argv)
{
    struct arguments a;
    struct timeline timeline = {0};
    if (!read_arguments(argc, argv, &a)) {
        fputs("usage: amitap explain LINKEDID -c FILE [--pbx NAME] [--json]\n"
              "       amitap explain LINKEDID [-c FILE] [--pbx NAME] [--json] RECORDING...\n",
              stderr);
        return 2;
    }
    json_t *records = a.files[0] ? from_recording(&a) : from_history(&a);
    if (!records)
        return EXIT_FAILURE;
    explain_words(records, &timeline);
    bool good = !timeline.failed;
    if (!good)
        fputs("amitap: explain: memory is short\n", stderr);
    else
        print(records, &a, &timeline);
    if (good && fflush(stdout) != 0) {
        fprintf(stderr, "amitap: explain: standard output: %s\n", strerror(errno));
        good = false;
    }
    timeline_free(&timeline);
    json_decref(records);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
