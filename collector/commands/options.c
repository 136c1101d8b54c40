/* SPDX-License-Identifier: MIT */
#include "collector/commands/options.h"

#include "collector/base/printable.h"
#include <stdio.h>

void options_begin(void)
{
    opterr = 0;
    optind = 0; /* glibc begins anew, and counts from 1 */
}

/* "amitap: record: --seconds", whatever the word holds. */
static void put_word(const char *command, struct slice word)
{
    fprintf(stderr, "amitap: %s: ", command);
    printable_put(word, stderr);
}

static bool takes_value(const struct option *options, int option)
{
    for (; options->name; options++) {
        if (options->val == option)
            return options->has_arg == required_argument;
    }
    return true;
}

static void tell(char **argv, int found, const struct option *options)
{
    const char *word = argv[optind - 1], short_word[] = {'-', (char)optopt, '\0'};
    bool is_long = word[0] == '-' && word[1] == '-';
    if (found == ':') {
        put_word(argv[0], slice_from(word));
        fputs(" needs a value\n", stderr);
    } else if (is_long && optopt && !takes_value(options, optopt)) {
        put_word(argv[0], slice_head(slice_from(word), strcspn(word, "=")));
        fputs(" takes no value\n", stderr);
    } else {
        put_word(argv[0], optopt ? slice_from(short_word)
                                 : slice_head(slice_from(word), strcspn(word, "=")));
        fputs(" is none of its options\n", stderr);
    }
}

int options_next(int argc, char **argv, const char *shorts, const struct option *options)
{
    int found = getopt_long(argc, argv, shorts, options, NULL);
    if (found != ':' && found != '?')
        return found;
    tell(argv, found, options);
    return '?';
}

bool options_end(int argc, char **argv)
{
    if (optind >= argc)
        return true;
    put_word(argv[0], SLICE("'"));
    printable_put(slice_from(argv[optind]), stderr);
    fputs("' is one word too many\n", stderr);
    return false;
}

bool options_need(const char *command, const char *what, bool given)
{
    if (!given)
        fprintf(stderr, "amitap: %s: %s is missing\n", command, what);
    return given;
}

bool options_refuse(const char *command, const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "amitap: %s: %s: '", command, option);
    printable_put(slice_from(value), stderr);
    fprintf(stderr, "' is not %s\n", wanted);
    return false;
}
