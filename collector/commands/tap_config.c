/* SPDX-License-Identifier: MIT */
#include "collector/commands/tap_config.h"

#include <stdio.h>
#include <unistd.h>

#define WHY_SIZE 300

/* What names this tap in ids of facts that are its own: the machine's name, one tap each. */
static struct slice tap_name(void)
{
    static char name[256];
    if (!name[0] && (gethostname(name, sizeof(name) - 1) != 0 || !name[0]))
        return SLICE("amitap");
    return slice_from(name);
}

struct tap_options tap_config_options(const struct config_section *pbx)
{
    struct tap_options options = tap_options_default(slice_from(config_section_name(pbx)));
    options.tap = config_text(pbx, CONFIG_PBX_TAP) ? slice_from(config_text(pbx, CONFIG_PBX_TAP))
                                                   : tap_name();
    options.cdr.unanswered = config_yes(pbx, CONFIG_PBX_UNANSWERED);
    options.cdr.congestion = config_yes(pbx, CONFIG_PBX_CONGESTION);
    options.cdr.endbeforehexten = config_yes(pbx, CONFIG_PBX_ENDBEFOREHEXTEN);
    options.cdr.initiatedseconds = config_yes(pbx, CONFIG_PBX_INITIATEDSECONDS);
    options.cdr.channeldefaultenabled = config_yes(pbx, CONFIG_PBX_CHANNELDEFAULTENABLED);
    options.cdr.canceldispositionenabled = config_yes(pbx, CONFIG_PBX_CANCELDISPOSITIONENABLED);
    options.cdr.ignorestatechanges = config_yes(pbx, CONFIG_PBX_IGNORESTATECHANGES);
    options.cdr.ignoredialchanges = config_yes(pbx, CONFIG_PBX_IGNOREDIALCHANGES);
    options.log_restricted_caller_id = config_yes(pbx, CONFIG_PBX_LOG_RESTRICTED_CALLER_ID);
    options.log_caller_id_name = config_yes(pbx, CONFIG_PBX_LOG_CALLER_ID_NAME);
    options.log_unpause_on_reason_change = config_yes(pbx, CONFIG_PBX_LOG_UNPAUSE_ON_REASON_CHANGE);
    options.wrapuptimes = config_list(pbx, CONFIG_PBX_WRAPUPTIMES, &options.wrapuptime_count);
    options.log_membername_as_agent = config_yes(pbx, CONFIG_PBX_LOG_MEMBERNAME_AS_AGENT);
    options.trunks = config_list(pbx, CONFIG_PBX_TRUNKS, &options.trunk_count);
    options.trunk_interval = config_number(pbx, CONFIG_PBX_TRUNK_MINUTES) * 60 * 1000000;
    options.unsure = config_number(pbx, CONFIG_PBX_UNSURE_SECONDS) * 1000000;
    options.variables = config_list(pbx, CONFIG_PBX_HANDOFF_VARIABLES, &options.variable_count);
    return options;
}

struct ami_link_config tap_config_link(const struct config_section *pbx)
{
    struct ami_link_config config = ami_link_config_default();
    config.hosts = config_pbx_hosts(pbx, &config.host_count);
    config.port = (uint16_t)config_number(pbx, CONFIG_PBX_PORT);
    config.user = config_text(pbx, CONFIG_PBX_USER);
    config.secret = config_pbx_secret(pbx);
    if (!config_yes(pbx, CONFIG_PBX_LIST_CHANNELS))
        config.lists &= ~(unsigned)(AMI_SNAPSHOT_CHANNELS | AMI_SNAPSHOT_DEVICES);
    if (config_yes(pbx, CONFIG_PBX_LIST_REGISTRATIONS))
        config.lists |= AMI_SNAPSHOT_REGISTRATIONS;
    config.event_mask = config_text(pbx, CONFIG_PBX_EVENT_MASK);
    config.connect_us = config_number(pbx, CONFIG_PBX_CONNECT_SECONDS) * 1000000;
    config.check_us = config_number(pbx, CONFIG_PBX_DRIFT_INTERVAL) * 1000000;
    config.ping_us = config_number(pbx, CONFIG_PBX_PING_SECONDS) * 1000000;
    return config;
}

static bool make_tls(const struct config_section *pbx, struct ami_tls **ret_tls, char why[WHY_SIZE])
{
    struct ami_tls_config config = {.ca_file = config_text(pbx, CONFIG_PBX_TLS_CA_FILE),
                                    .name = config_text(pbx, CONFIG_PBX_TLS_NAME),
                                    .verify = config_yes(pbx, CONFIG_PBX_TLS_VERIFY)};
    *ret_tls = NULL;
    if (!config_yes(pbx, CONFIG_PBX_TLS))
        return true;
    *ret_tls = ami_tls_new(&config, why, WHY_SIZE);
    return *ret_tls != NULL;
}

bool tap_config_tls_check(const struct config *config, struct config_report *report)
{
    char why[WHY_SIZE];
    bool good = true;
    for (size_t i = 0; i < config_pbx_count(config); i++) {
        const struct config_section *pbx = config_pbx(config, i);
        struct ami_tls *tls = NULL;
        if (!make_tls(pbx, &tls, why)) {
            config_report_fault(report, config_line(pbx, CONFIG_PBX_TLS_CA_FILE),
                                "pbx %s: tls_ca_file: %s", config_section_name(pbx), why);
            good = false;
        }
        ami_tls_free(tls);
    }
    return good;
}

bool tap_config_tls(const struct config_section *pbx, struct ami_tls **ret_tls, FILE *to)
{
    char why[WHY_SIZE];
    if (!make_tls(pbx, ret_tls, why))
        fprintf(to, "amitap: pbx %s: tls: %s\n", config_section_name(pbx), why);
    return *ret_tls || !config_yes(pbx, CONFIG_PBX_TLS);
}

static const struct config_section *find_pbx(const struct config *config, const char *name)
{
    size_t count = config_pbx_count(config);
    if (!name)
        return count == 1 ? config_pbx(config, 0) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(config_section_name(config_pbx(config, i)), name) == 0)
            return config_pbx(config, i);
    }
    return NULL;
}

struct config *tap_config_file(const char *path)
{
    struct config_report *report = config_report_new();
    if (!report) {
        fputs("amitap: memory is short\n", stderr);
        return NULL;
    }
    struct config *config = config_load(path, report);
    config_report_print(report, path, stderr);
    config_report_free(report);
    return config;
}

bool tap_config_load(struct tap_config *ret_config, const char *path, const char *pbx)
{
    ret_config->config = NULL;
    ret_config->section = NULL;
    ret_config->options = tap_options_default(slice_from(pbx ? pbx : "main"));
    if (!path)
        return true;
    struct config *config = tap_config_file(path);
    if (!config)
        return false;
    const struct config_section *section = find_pbx(config, pbx);
    if (!section) {
        if (pbx)
            fprintf(stderr, "%s: no pbx section named \"%s\"\n", path, pbx);
        else
            fprintf(stderr, "%s: several pbx sections; name one with --pbx\n", path);
        config_free(config);
        return false;
    }
    ret_config->config = config;
    ret_config->section = section;
    ret_config->options = tap_config_options(section);
    return true;
}

void tap_config_free(struct tap_config *config)
{
    config_free(config->config);
    config->config = NULL;
}
