/* SPDX-License-Identifier: MIT */
#include "collector/config/config_inner.h"
#include "collector/config/config_scan.h"
#include "collector/config/config_value.h"
#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1024 * 1024)

/* libConfuse reads every value as text, in sections as the table has them; ranges and types are
 * ours, so that each fault can be named and the next one found. */
struct grammar {
    cfg_opt_t keys[CONFIG_SECTION_COUNT][CONFIG_KEY_COUNT + 1];
    cfg_opt_t sections[CONFIG_SECTION_COUNT + 1];
};

struct loader {
    struct config *config;
    struct config_report *report;
    struct config_scan scan;
};

void config_fault(struct config_report *report, const struct config_section *s, enum config_key key,
                  const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool of_key = key < CONFIG_KEY_COUNT;
    unsigned line = of_key && s->values[key].line ? s->values[key].line : s->line;
    config_report_fault(report, line, "%s%s%s: %s%s%s", config_section_row(s->id)->name,
                        *s->name ? " " : "", s->name, of_key ? config_key_row(key)->name : "",
                        of_key ? ": " : "", text);
}

/* The whole file with a NUL behind it; NULL after adding the fault. */
static char *read_file(const char *path, size_t *ret_n, struct config_report *report)
{
    char *text = malloc(FILE_MAX_BYTES + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = -1;
    if (text && fd >= 0) {
        do {
            got = read(fd, text + n, FILE_MAX_BYTES + 1 - n);
            n += got > 0 ? (size_t)got : 0;
        } while ((got > 0 && n <= FILE_MAX_BYTES) || (got < 0 && errno == EINTR));
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0 || n > FILE_MAX_BYTES) {
        config_report_fault(report, 0, "cannot be read: %s",
                            got < 0 ? strerror(error) : "longer than 1 MiB");
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *ret_n = n;
    return text;
}

static void fill_grammar(struct grammar *g)
{
    for (unsigned id = 0; id < CONFIG_SECTION_COUNT; id++) {
        unsigned n = 0;
        for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
            const struct config_key_row *row = config_key_row(key);
            if (row->section == id) {
                cfg_opt_t text = CFG_STR(row->name, NULL, CFGF_NONE);
                cfg_opt_t list = CFG_STR_LIST(row->name, NULL, CFGF_NONE);
                g->keys[id][n++] = row->type == CONFIG_TYPE_LIST ? list : text;
            }
        }
        g->keys[id][n] = (cfg_opt_t)CFG_END();
        const struct config_section_row *row = config_section_row(id);
        int flags = row->titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;
        g->sections[id] = (cfg_opt_t)CFG_SEC(row->name, g->keys[id], flags);
    }
    g->sections[CONFIG_SECTION_COUNT] = (cfg_opt_t)CFG_END();
}

/* libConfuse has no pointer of ours to give back; the load that runs in this thread is it. */
static _Thread_local struct config_report *confuse_report;

/* The scan leaves nothing that libConfuse refuses. Should it do so, its own words must do; after a
 * fault that the scan could not blank out they would only repeat it. */
static void confuse_says(cfg_t *cfg, const char *format, va_list args)
{
    if (config_report_faults(confuse_report) == 0) {
        config_report_fault_v(confuse_report, cfg ? (unsigned)cfg->line : 0, format, args);
    }
}

/* NULL after adding the fault. */
static cfg_t *parse(struct grammar *g, const char *text, struct config_report *report)
{
    cfg_t *cfg = cfg_init(g->sections, CFGF_NONE);
    if (!cfg) {
        return NULL;
    }
    confuse_report = report;
    cfg_set_error_function(cfg, confuse_says);
    if (cfg_parse_buf(cfg, text) == CFG_SUCCESS) {
        return cfg;
    }
    if (config_report_faults(report) == 0) {
        config_report_fault(report, 0, "cannot be parsed");
    }
    cfg_free(cfg);
    return NULL;
}

static bool check_length(struct loader *l, struct config_section *s, enum config_key key,
                         const char *text)
{
    const struct config_key_row *row = config_key_row(key);
    int64_t n = (int64_t)strlen(text);
    int64_t low = row->type == CONFIG_TYPE_LIST ? 1 : row->low;
    int64_t high = row->type == CONFIG_TYPE_LIST ? 4096 : row->high;
    if (n < low) {
        config_fault(l->report, s, key, "is empty");
    } else if (n > high) {
        config_fault(l->report, s, key, "is longer than %jd bytes", (intmax_t)high);
    }
    return n >= low && n <= high;
}

static bool set_number(struct loader *l, struct config_section *s, enum config_key key,
                       const char *text)
{
    const struct config_key_row *row = config_key_row(key);
    int64_t value = 0;
    if (!config_parse_number(text, &value)) {
        config_fault(l->report, s, key, "'%.40s' is not a plain decimal number", text);
        return false;
    }
    if (value < row->low || value > row->high) {
        config_fault(l->report, s, key, "%jd is not within %jd to %jd", (intmax_t)value,
                     (intmax_t)row->low, (intmax_t)row->high);
        return false;
    }
    s->values[key].number = value;
    return true;
}

/* A fault like any other; false. */
static bool no_memory(struct loader *l, const struct config_section *s, enum config_key key)
{
    config_fault(l->report, s, key, "memory is short");
    return false;
}

static bool set_scalar(struct loader *l, struct config_section *s, enum config_key key,
                       const char *text)
{
    bool yes = false;
    switch (config_key_row(key)->type) {
    case CONFIG_TYPE_NUMBER:
        return set_number(l, s, key, text);
    case CONFIG_TYPE_YESNO:
        if (!config_parse_yesno(text, &yes)) {
            config_fault(l->report, s, key, "'%.40s' is neither yes nor no", text);
            return false;
        }
        s->values[key].number = yes;
        return true;
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_SECRET:
        if (!check_length(l, s, key, text)) {
            return false;
        }
        s->values[key].text = strdup(text);
        return s->values[key].text || no_memory(l, s, key);
    case CONFIG_TYPE_LIST:
        break;
    }
    assert(!"a list is no scalar");
    return false;
}

static bool set_list(struct loader *l, struct config_section *s, enum config_key key, cfg_t *cfg)
{
    const struct config_key_row *row = config_key_row(key);
    struct config_value *value = &s->values[key];
    unsigned n = cfg_size(cfg, row->name);
    if (n < row->low || n > row->high) {
        config_fault(l->report, s, key, "has %u values; it takes %jd to %jd", n, (intmax_t)row->low,
                     (intmax_t)row->high);
        return false;
    }
    value->list = calloc(n + 1, sizeof *value->list);
    bool ok = value->list != NULL || no_memory(l, s, key);
    for (unsigned i = 0; ok && i < n; i++) {
        const char *text = cfg_getnstr(cfg, row->name, i);
        ok = check_length(l, s, key, text) &&
             ((value->list[i] = strdup(text)) || no_memory(l, s, key));
        value->count += ok;
    }
    return ok;
}

/* A list's default is one element. */
static bool set_fallback(struct loader *l, struct config_section *s, enum config_key key)
{
    const struct config_key_row *row = config_key_row(key);
    struct config_value *value = &s->values[key];
    if (row->type != CONFIG_TYPE_LIST) {
        return set_scalar(l, s, key, row->fallback);
    }
    value->list = calloc(2, sizeof *value->list);
    value->count = value->list && (value->list[0] = strdup(row->fallback));
    return value->count == 1 || no_memory(l, s, key);
}

/* One section from libConfuse's tree, or all defaults where cfg is NULL. */
static void set_section(struct loader *l, struct config_section *s, cfg_t *cfg,
                        const struct config_scan_section *scanned)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_key_row *row = config_key_row(key);
        struct config_value *value = &s->values[key];
        if (row->section != s->id) {
            continue;
        }
        value->line = scanned ? scanned->keys[key].line : 0;
        value->faulty = scanned && scanned->keys[key].faulty;
        if (value->faulty) {
            continue;
        }
        if (value->line) {
            value->faulty = row->type == CONFIG_TYPE_LIST
                                ? !set_list(l, s, key, cfg)
                                : !set_scalar(l, s, key, cfg_getstr(cfg, row->name));
        } else if (row->fallback) {
            bool ok = set_fallback(l, s, key);
            assert(ok || row->type == CONFIG_TYPE_TEXT || row->type == CONFIG_TYPE_LIST);
            (void)ok;
        }
    }
}

static struct config_section *add_section(struct config *c, enum config_section_id id)
{
    struct config_section *s = &c->sections[c->count++];
    s->id = id;
    return s;
}

static void set_sections(struct loader *l, cfg_t *cfg)
{
    unsigned index[CONFIG_SECTION_COUNT] = {0};
    for (size_t i = 0; i < l->scan.count; i++) {
        const struct config_scan_section *scanned = &l->scan.sections[i];
        if (!scanned->faulty) {
            struct config_section *s = add_section(l->config, scanned->id);
            s->line = scanned->line;
            memcpy(s->name, scanned->title, sizeof s->name);
            const char *name = config_section_row(s->id)->name;
            set_section(l, s, cfg_getnsec(cfg, name, index[s->id]++), scanned);
        }
    }
    for (unsigned id = 0; id < CONFIG_SECTION_COUNT; id++) {
        if (config_section_row(id)->always && !config_section(l->config, id)) {
            set_section(l, add_section(l->config, id), NULL, NULL);
        }
    }
}

static bool set_outbox_path(struct config *c)
{
    const struct config_section *store = config_section(c, CONFIG_STORE);
    const char *named = config_text(store, CONFIG_STORE_OUTBOX);
    const char *path = config_text(store, CONFIG_STORE_PATH);
    if (!named && !path) {
        return true; /* the path was faulty, and that is reported */
    }
    size_t size = strlen(named ? named : path) + sizeof "-outbox";
    c->outbox_path = malloc(size);
    if (!c->outbox_path) {
        return false;
    }
    snprintf(c->outbox_path, size, "%s%s", named ? named : path, named ? "" : "-outbox");
    return true;
}

/* Fills l->config from text, which the scan may change. */
static void load(struct loader *l, char *text, size_t n)
{
    struct grammar *grammar = calloc(1, sizeof *grammar);
    struct config *c = l->config;
    c->sections = calloc(CONFIG_SECTIONS_MAX + CONFIG_SECTION_COUNT, sizeof *c->sections);
    if (!grammar || !c->sections || !config_scan(text, n, l->report, &l->scan)) {
        config_report_fault(l->report, 0, "memory is short");
        free(grammar);
        return;
    }
    fill_grammar(grammar);
    cfg_t *cfg = parse(grammar, text, l->report);
    if (cfg) {
        set_sections(l, cfg);
        if (!set_outbox_path(c)) {
            config_report_fault(l->report, 0, "memory is short");
        }
        config_check_rules(c, l->report);
        cfg_free(cfg);
    }
    config_scan_free(&l->scan);
    free(grammar);
}

struct config *config_load(const char *path, struct config_report *report)
{
    size_t n = 0;
    char *text = read_file(path, &n, report);
    struct loader l = {.config = calloc(1, sizeof *l.config), .report = report};
    if (text && l.config) {
        load(&l, text, n);
    } else if (text) {
        config_report_fault(report, 0, "memory is short");
    }
    if (text) {
        explicit_bzero(text, n); /* it may hold secrets */
    }
    free(text);
    if (config_report_faults(report) > 0) {
        config_free(l.config);
        return NULL;
    }
    return l.config;
}

/* Any text may be a secret: a property of Kafka's, say. */
static void free_text(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

static void free_value(struct config_value *value)
{
    free_text(value->text);
    for (size_t i = 0; i < value->count; i++) {
        free_text(value->list[i]);
    }
    free(value->list);
}

void config_free(struct config *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->count; i++) {
        for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
            free_value(&c->sections[i].values[key]);
        }
        free_text(c->sections[i].privacy_key);
    }
    free(c->sections);
    free(c->outbox_path);
    free(c);
}

size_t config_pbx_count(const struct config *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        n += c->sections[i].id == CONFIG_PBX;
    }
    return n;
}

const struct config_section *config_pbx(const struct config *c, size_t i)
{
    for (size_t k = 0; k < c->count; k++) {
        if (c->sections[k].id == CONFIG_PBX && i-- == 0) {
            return &c->sections[k];
        }
    }
    return NULL;
}

const struct config_section *config_section(const struct config *c, enum config_section_id id)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->sections[i].id == id) {
            return &c->sections[i];
        }
    }
    return NULL;
}

const char *config_section_name(const struct config_section *s)
{
    return s->name;
}

const char *config_text(const struct config_section *s, enum config_key key)
{
    assert(config_key_row(key)->section == s->id);
    return s->values[key].text;
}

int64_t config_number(const struct config_section *s, enum config_key key)
{
    assert(config_key_row(key)->section == s->id);
    return s->values[key].number;
}

unsigned config_line(const struct config_section *s, enum config_key key)
{
    assert(config_key_row(key)->section == s->id);
    return s->values[key].line ? s->values[key].line : s->line;
}

bool config_yes(const struct config_section *s, enum config_key key)
{
    return config_number(s, key) != 0;
}

const char *const *config_list(const struct config_section *s, enum config_key key,
                               size_t *ret_count)
{
    assert(config_key_row(key)->section == s->id);
    *ret_count = s->values[key].count;
    return (const char *const *)s->values[key].list;
}

const char *const *config_pbx_hosts(const struct config_section *pbx, size_t *ret_count)
{
    if (!pbx->values[CONFIG_PBX_HOST].text) {
        return config_list(pbx, CONFIG_PBX_HOSTS, ret_count);
    }
    *ret_count = 1;
    return (const char *const *)&pbx->values[CONFIG_PBX_HOST].text;
}

struct slice config_pbx_secret(const struct config_section *pbx)
{
    return slice_from(config_text(pbx, CONFIG_PBX_SECRET));
}

const char *config_outbox_path(const struct config *c)
{
    return c->outbox_path;
}

void config_warn_if_open(const struct config *c, const char *path, struct config_report *report)
{
    struct stat st;
    bool open = stat(path, &st) == 0 && (st.st_mode & S_IROTH);
    for (size_t i = 0; open && i < config_pbx_count(c); i++) {
        const struct config_section *s = config_pbx(c, i);
        if (config_text(s, CONFIG_PBX_SECRET) && !config_text(s, CONFIG_PBX_SECRET_FILE)) {
            config_report_warning(report, s->values[CONFIG_PBX_SECRET].line,
                                  "pbx %s: secret: it stands in a file that everybody can read",
                                  s->name);
        }
    }
}
