/* SPDX-License-Identifier: MIT */
#include "collector/commands/check.h"
#include "collector/commands/web_config.h"
#include "collector/config/config.h"
#include "collector/config/config_sample.h"
#include "collector/sinks/kafka_config.h"
#include <getopt.h>
#include <stdio.h>

static int check_file(const char *path)
{
    struct config_report *report = config_report_new();
    if (!report) {
        fputs("amitap: memory is short\n", stderr);
        return 1;
    }
    struct config *config = config_load(path, report);
    bool kafka = config && kafka_config_check(config, report);
    bool web = config && web_config_check(config, report);
    bool good = kafka && web;
    if (config)
        config_warn_if_open(config, path, report);
    config_report_print(report, path, stderr);
    if (good) {
        printf("%s: ok\n", path);
    }
    int status = good ? 0 : 1;
    config_free(config);
    config_report_free(report);
    return status;
}

int check_command(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"print-sample", no_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    const char *path = NULL;
    bool sample = false;
    opterr = 0;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
        if (c == 'c') {
            path = optarg;
        } else if (c == 's') {
            sample = true;
        } else {
            path = NULL;
            sample = false;
            break;
        }
    }
    if (optind != argc || sample == (path != NULL)) {
        fputs("usage: amitap check -c FILE\n       amitap check --print-sample\n", stderr);
        return 2;
    }
    if (sample) {
        config_sample_print(stdout);
        return 0;
    }
    return check_file(path);
}
