/* SPDX-License-Identifier: MIT */
#include "collector/commands/check.h"
#include "collector/commands/options.h"
#include "collector/commands/tap_config.h"
#include "collector/commands/web_config.h"
#include "collector/config/config.h"
#include "collector/config/config_sample.h"
#include "collector/sinks/kafka_config.h"
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
    bool tls = config && tap_config_tls_check(config, report);
    bool good = kafka && web && tls;
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

static bool read_arguments(int argc, char **argv, const char **ret_path, bool *ret_sample)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"print-sample", no_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    options_begin();
    for (int c; (c = options_next(argc, argv, ":c:", options)) != -1;) {
        if (c == 'c') {
            *ret_path = optarg;
        } else if (c == 's') {
            *ret_sample = true;
        } else {
            return false;
        }
    }
    return options_end(argc, argv) && options_need(argv[0], "one of -c FILE and --print-sample",
                                                   *ret_sample == (*ret_path == NULL));
}

int check_command(int argc, char **argv)
{
    const char *path = NULL;
    bool sample = false;
    if (!read_arguments(argc, argv, &path, &sample)) {
        fputs("usage: amitap check -c FILE\n       amitap check --print-sample\n", stderr);
        return 2;
    }
    if (sample) {
        config_sample_print(stdout);
        return 0;
    }
    return check_file(path);
}
