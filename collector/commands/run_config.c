/* SPDX-License-Identifier: MIT */
#include "collector/commands/run_config.h"

#include "collector/commands/tap_config.h"
#include "collector/commands/web_config.h"
#include "collector/sinks/kafka_config.h"
#include <stdlib.h>

struct run_config {
    struct config *config;
    unsigned users;
};

struct config *run_config_load(const char *path, FILE *to)
{
    struct config_report *report = config_report_new();
    struct config *config = report ? config_load(path, report) : NULL;
    bool kafka = config && kafka_config_check(config, report);
    bool web = config && web_config_check(config, report);
    bool tls = config && tap_config_tls_check(config, report);
    if (config)
        config_warn_if_open(config, path, report);
    if (config && !(kafka && web && tls)) {
        config_free(config);
        config = NULL;
    }
    if (report)
        config_report_print(report, path, to);
    config_report_free(report);
    return config;
}

struct run_config *run_config_new(struct config *config)
{
    struct run_config *c = calloc(1, sizeof(*c));
    if (!c) {
        config_free(config);
        return NULL;
    }
    *c = (struct run_config){config, 1};
    return c;
}

struct run_config *run_config_hold(struct run_config *c)
{
    c->users++;
    return c;
}

void run_config_release(struct run_config *c)
{
    if (!c || --c->users > 0)
        return;
    config_free(c->config);
    free(c);
}

const struct config *run_config_of(const struct run_config *c)
{
    return c->config;
}

const struct config_section *run_config_pbx(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config_pbx_count(config); i++) {
        if (strcmp(config_section_name(config_pbx(config, i)), name) == 0)
            return config_pbx(config, i);
    }
    return NULL;
}

/* What tap_config_link and tap_config_tls read. */
static bool is_link_key(enum config_key key)
{
    switch (key) {
    case CONFIG_PBX_HOST:
    case CONFIG_PBX_HOSTS:
    case CONFIG_PBX_PORT:
    case CONFIG_PBX_USER:
    case CONFIG_PBX_SECRET_FILE:
    case CONFIG_PBX_SECRET:
    case CONFIG_PBX_TLS:
    case CONFIG_PBX_TLS_CA_FILE:
    case CONFIG_PBX_TLS_NAME:
    case CONFIG_PBX_TLS_VERIFY:
    case CONFIG_PBX_EVENT_MASK:
    case CONFIG_PBX_CONNECT_SECONDS:
    case CONFIG_PBX_PING_SECONDS:
    case CONFIG_PBX_DRIFT_INTERVAL:
    case CONFIG_PBX_LIST_CHANNELS:
    case CONFIG_PBX_LIST_REGISTRATIONS:
        return true;
    default:
        return false;
    }
}

bool run_config_link_differs(const struct config_section *a, const struct config_section *b)
{
    for (enum config_key key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (is_link_key(key) && !config_same(a, b, key))
            return true;
    }
    return false;
}

static void put_name(struct buf *text, const char *section, const char *name, const char *what)
{
    buf_printf(text, "%s%s%s%s%s%s", text->n ? ", " : "", section, *name ? " " : "", name,
               *what ? ": " : "", what);
}

/* Either section, or both, may be NULL: the file had or has none. */
static void put_section(struct buf *text, const struct config_section *old,
                        const struct config_section *now, enum config_section_id id)
{
    const struct config_section *either = old ? old : now;
    if (!either)
        return;
    const char *section = config_section_row(id)->name;
    const char *name = id == CONFIG_PBX ? config_section_name(either) : "";
    if (!old || !now) {
        put_name(text, section, name, "");
        return;
    }
    for (enum config_key key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (config_key_row(key)->section == id && !is_link_key(key) && !config_same(old, now, key))
            put_name(text, section, name, config_key_row(key)->name);
    }
}

void run_config_restart_keys(const struct config *old, const struct config *now, struct buf *text)
{
    static const enum config_section_id single[] = {CONFIG_STORE, CONFIG_KAFKA, CONFIG_WEB};
    for (size_t i = 0; i < config_pbx_count(old); i++) {
        const struct config_section *pbx = config_pbx(old, i);
        put_section(text, pbx, run_config_pbx(now, config_section_name(pbx)), CONFIG_PBX);
    }
    for (size_t i = 0; i < config_pbx_count(now); i++) {
        const struct config_section *pbx = config_pbx(now, i);
        if (!run_config_pbx(old, config_section_name(pbx)))
            put_section(text, NULL, pbx, CONFIG_PBX);
    }
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
        put_section(text, config_section(old, single[i]), config_section(now, single[i]),
                    single[i]);
}
