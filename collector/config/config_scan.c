/* SPDX-License-Identifier: MIT */
#include "collector/config/config_scan.h"
#include <ctype.h>
#include <stdlib.h>

/* The grammar is a part of libConfuse's:
 *   file      = { section }
 *   section   = name [ title ] "{" { key "=" value end-of-line } "}"
 *   value     = word | 'text' | "text" | "{" [ value { "," value } ] "}"
 * After a value only a comment set off by a blank, or "}", may follow on its line. */

struct scanner {
    char *text;
    size_t n;
    size_t at;
    unsigned line;
    struct config_report *report;
    struct config_scan *scan;
    struct config_scan_section *section; /* the open one, or NULL */
    enum config_key key;                 /* being read, or CONFIG_KEY_COUNT */
};

static char peek(const struct scanner *s)
{
    return s->at < s->n ? s->text[s->at] : '\0';
}

static bool at_text(const struct scanner *s, const char *text)
{
    struct slice rest = {s->text + s->at, s->n - s->at};
    return slice_starts(rest, slice_from(text));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A name's or a plain word's characters. libConfuse takes more, but not all of them mean
 * themselves; what is not here must be quoted. */
static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._:/@%[]~-", c));
}

static bool at_comment(const struct scanner *s)
{
    return peek(s) == '#' || at_text(s, "//") || at_text(s, "/*");
}

/* Reports a fault of the key, or of the section, that is being read. */
static void __attribute__((format(printf, 3, 4)))
fault(struct scanner *s, unsigned line, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct config_scan_section *section = s->section;
    const char *name = section ? config_section_row(section->id)->name : "";
    const char *title = section && *section->title ? section->title : NULL;
    const char *key = s->key < CONFIG_KEY_COUNT ? config_key_row(s->key)->name : NULL;
    config_report_fault(s->report, line, "%s%s%s%s%s%s%s", name, title ? " " : "",
                        title ? title : "", section ? ": " : "", key ? key : "", key ? ": " : "",
                        text);
}

static void blank_out(struct scanner *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (s->text[i] != '\n') {
            s->text[i] = ' ';
        }
    }
}

static void advance(struct scanner *s)
{
    s->line += s->text[s->at] == '\n';
    s->at++;
}

static void skip_comment(struct scanner *s)
{
    size_t begin = s->at;
    unsigned line = s->line;
    if (!at_text(s, "/*")) {
        while (s->at < s->n && peek(s) != '\n') {
            advance(s);
        }
    } else {
        s->at += 2;
        while (s->at < s->n && !at_text(s, "*/")) {
            advance(s);
        }
        if (s->at == s->n) {
            fault(s, line, "the comment is not closed");
        } else {
            s->at += 2;
        }
    }
    blank_out(s, begin, s->at);
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->n && (isspace((unsigned char)peek(s)) || at_comment(s))) {
        if (at_comment(s)) {
            skip_comment(s);
        } else {
            advance(s);
        }
    }
}

static void skip_blanks(struct scanner *s)
{
    while (is_blank(peek(s))) {
        s->at++;
    }
}

/* Goes on to the end of a line, or of the block that begins on it, or to the "}" that closes what
 * is around it. */
static void skip_rest(struct scanner *s)
{
    unsigned depth = 0;
    char quote = '\0';
    while (s->at < s->n) {
        char c = peek(s);
        if ((c == '\n' || c == '}') && !quote && depth == 0) {
            return;
        }
        if (quote) {
            quote = c == quote || c == '\n' ? '\0' : quote;
            if (c == '\n') {
                continue;
            }
        } else if (at_comment(s)) {
            skip_comment(s);
            continue;
        } else if (c == '\'' || c == '"') {
            quote = c;
        }
        depth += !quote && c == '{';
        depth -= !quote && c == '}';
        advance(s);
    }
}

/* Leaves a statement that was faulty somewhere: from its begin on, so that its braces and quotes
 * are seen in pairs. */
static void skip_statement(struct scanner *s, size_t begin, unsigned line)
{
    s->at = begin;
    s->line = line;
    skip_rest(s);
}

static bool scan_plain(struct scanner *s)
{
    size_t begin = s->at;
    while (s->at < s->n && !isspace((unsigned char)peek(s)) && peek(s) != '}' && peek(s) != ',') {
        if (at_comment(s)) {
            fault(s, s->line, "'%.*s' in a value begins a comment; put the value in single quotes",
                  peek(s) == '#' ? 1 : 2, s->text + s->at);
            return false;
        }
        if (!is_word(peek(s))) {
            fault(s, s->line, "a value with '%c' must be in single quotes", peek(s));
            return false;
        }
        s->at++;
    }
    if (s->at == begin) {
        fault(s, s->line, "a value is missing");
    }
    return s->at > begin;
}

static bool scan_single_quoted(struct scanner *s)
{
    s->at++;
    while (s->at < s->n && peek(s) != '\'' && peek(s) != '\n') {
        if (at_text(s, "\\\\") || at_text(s, "\\'")) {
            fault(s, s->line, "a backslash before \\ or ' would be lost; %s",
                  s->key == CONFIG_PBX_SECRET ? "use secret_file" : "use double quotes");
            return false;
        }
        s->at++;
    }
    return true;
}

static bool scan_double_quoted(struct scanner *s)
{
    s->at++;
    while (s->at < s->n && peek(s) != '"' && peek(s) != '\n') {
        if (at_text(s, "${")) {
            fault(s, s->line, "double quotes would expand ${...}; use single quotes");
            return false;
        }
        bool escaped = at_text(s, "\\\\") || at_text(s, "\\\"");
        if (peek(s) == '\\' && !escaped) {
            fault(s, s->line, "double quotes would change the backslash; use single quotes");
            return false;
        }
        s->at += escaped ? 2 : 1;
    }
    return true;
}

/* One value that is no list. */
static bool scan_scalar(struct scanner *s)
{
    char quote = peek(s);
    if (quote != '\'' && quote != '"') {
        return scan_plain(s);
    }
    if (!(quote == '"' ? scan_double_quoted(s) : scan_single_quoted(s))) {
        return false;
    }
    if (peek(s) != quote) {
        fault(s, s->line, "the quote is not closed on its line");
        return false;
    }
    s->at++;
    return true;
}

static bool scan_list(struct scanner *s)
{
    s->at++;
    skip_space(s);
    while (peek(s) != '}') {
        if (!scan_scalar(s)) {
            return false;
        }
        skip_space(s);
        if (peek(s) == ',') {
            s->at++;
            skip_space(s);
        } else if (peek(s) != '}') {
            fault(s, s->line, "the list needs ',' or '}' after a value");
            return false;
        }
    }
    s->at++;
    return true;
}

/* What may follow a value on its line. */
static bool scan_line_end(struct scanner *s)
{
    size_t begin = s->at;
    skip_blanks(s);
    if (s->at == s->n || peek(s) == '\n' || peek(s) == '}') {
        return true;
    }
    if (at_comment(s)) {
        if (s->at > begin) {
            return true;
        }
        fault(s, s->line, "a blank must set the comment off from the value");
        return false;
    }
    fault(s, s->line, "something follows the value; begin a new line for the next key");
    return false;
}

static bool scan_value(struct scanner *s)
{
    bool list = s->key < CONFIG_KEY_COUNT && config_key_row(s->key)->type == CONFIG_TYPE_LIST;
    skip_blanks(s);
    if (s->at == s->n || peek(s) == '\n' || peek(s) == '}' || at_comment(s)) {
        fault(s, s->line,
              "a value is missing (one that begins with a comment's sign must be quoted)");
        return false;
    }
    if (peek(s) != '{') {
        return scan_scalar(s) && scan_line_end(s);
    }
    if (!list) {
        fault(s, s->line, "takes one value, not a list");
        return false;
    }
    return scan_list(s) && scan_line_end(s);
}

static struct slice scan_name(struct scanner *s)
{
    size_t begin = s->at;
    while (isalnum((unsigned char)peek(s)) || peek(s) == '_' || peek(s) == '-' || peek(s) == '.') {
        s->at++;
    }
    return (struct slice){s->text + begin, s->at - begin};
}

static void unknown(struct scanner *s, unsigned line, const char *what, struct slice name,
                    const char *nearest)
{
    int n = name.n < 60 ? (int)name.n : 60;
    fault(s, line, "unknown %s '%.*s'%s%s%s", what, n, name.p, nearest ? "; did you mean '" : "",
          nearest ? nearest : "", nearest ? "'?" : "");
}

/* key = value, inside a section, from behind the key. */
static bool scan_assignment(struct scanner *s, struct slice name)
{
    struct config_scan_section *section = s->section;
    size_t begin = s->at;
    unsigned line = s->line;
    enum config_key key = config_key_by_name(section->id, name);
    if (key == CONFIG_KEY_COUNT) {
        unknown(s, s->line, "key", name, config_nearest_key(section->id, name));
        skip_rest(s);
        return false;
    }
    s->key = key;
    struct config_scan_key *seen = &section->keys[key];
    bool ok = false;
    if (seen->line) {
        fault(s, s->line, "given twice, first in line %u", seen->line);
    } else {
        seen->line = s->line;
        skip_blanks(s);
        if (peek(s) == '=') {
            s->at++;
            ok = scan_value(s);
        } else {
            fault(s, s->line, "'=' and a value must follow");
        }
        seen->faulty = !ok;
    }
    if (!ok) {
        skip_statement(s, begin, line);
    }
    s->key = CONFIG_KEY_COUNT;
    return ok;
}

static struct config_scan_section *find_same(const struct scanner *s,
                                             const struct config_scan_section *section)
{
    for (size_t i = 0; i < s->scan->count; i++) {
        struct config_scan_section *other = &s->scan->sections[i];
        if (other != section && other->id == section->id &&
            strcmp(other->title, section->title) == 0) {
            return other;
        }
    }
    return NULL;
}

/* The title of a section becomes part of ids, keys and paths, so only plain names may be one. */
static bool scan_title(struct scanner *s, struct config_scan_section *section)
{
    const struct config_section_row *row = config_section_row(section->id);
    char quote = peek(s) == '\'' || peek(s) == '"' ? peek(s) : '\0';
    s->at += quote != '\0';
    struct slice title = scan_name(s);
    if (quote && peek(s) == quote) {
        s->at++;
    } else if (quote) {
        title.n = 0;
    }
    bool fits = title.n > 0 && title.n < CONFIG_TITLE_SIZE;
    skip_space(s);
    if (peek(s) != '{' || (row->titled && !fits) || (!row->titled && title.n > 0)) {
        config_report_fault(s->report, section->line, "%s: %s", row->name,
                            row->titled ? "a name (letters, digits, . _ -) and '{' must follow"
                                        : "'{' must follow");
        return false;
    }
    memcpy(section->title, title.p, title.n);
    const struct config_scan_section *same = find_same(s, section);
    if (same) {
        config_report_fault(s->report, section->line, "%s%s%s: given twice, first in line %u",
                            row->name, *section->title ? " " : "", section->title, same->line);
    }
    return !same;
}

/* From behind a section's name to behind its "{". A section that cannot be kept is read for its
 * faults all the same. */
static void scan_section_head(struct scanner *s, struct slice name, size_t begin)
{
    struct config_scan *scan = s->scan;
    enum config_section_id id = config_section_by_name(name);
    unsigned line = s->line;
    if (id == CONFIG_SECTION_COUNT || scan->count == CONFIG_SECTIONS_MAX) {
        if (id == CONFIG_SECTION_COUNT) {
            unknown(s, line, "section", name, config_nearest_section(name));
        } else {
            fault(s, line, "there are more than %d sections", CONFIG_SECTIONS_MAX);
        }
        skip_rest(s);
        blank_out(s, begin, s->at);
        return;
    }
    struct config_scan_section *section = &scan->sections[scan->count++];
    section->id = id;
    section->line = line;
    skip_blanks(s);
    section->faulty = !scan_title(s, section);
    while (s->at < s->n && peek(s) != '{' && peek(s) != '\n') {
        s->at++;
    }
    bool open = peek(s) == '{';
    s->at += open;
    if (section->faulty) {
        blank_out(s, begin, s->at);
    }
    s->section = open ? section : NULL;
}

static void scan_statement(struct scanner *s)
{
    size_t begin = s->at;
    if (s->section && peek(s) == '}') {
        s->at++;
        if (s->section->faulty) {
            blank_out(s, begin, s->at);
        }
        s->section = NULL;
        return;
    }
    struct slice name = scan_name(s);
    if (name.n == 0) {
        fault(s, s->line, "'%c' is not expected here", peek(s));
        s->at++;
        skip_rest(s);
        blank_out(s, begin, s->at);
    } else if (!s->section) {
        scan_section_head(s, name, begin);
    } else if (!scan_assignment(s, name) || s->section->faulty) {
        blank_out(s, begin, s->at);
    }
}

/* Bytes that no value may hold, since they would end a line towards the PBX or cut a text short. */
static void refuse_controls(struct scanner *s)
{
    unsigned line = 1, told = 0;
    bool told_return = false;
    for (size_t i = 0; i < s->n; i++) {
        unsigned char c = (unsigned char)s->text[i];
        line += c == '\n';
        if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t') {
            continue;
        }
        if (c == '\r' && !told_return) {
            config_report_fault(s->report, line,
                                "a carriage return; save the file with Unix line ends");
            told_return = true;
        } else if (c != '\r' && line != told) {
            config_report_fault(s->report, line, "a control character");
            told = line;
        }
        s->text[i] = ' ';
    }
}

bool config_scan(char *text, size_t n, struct config_report *report, struct config_scan *ret_scan)
{
    struct config_scan scan = {calloc(CONFIG_SECTIONS_MAX, sizeof(struct config_scan_section)), 0};
    if (!scan.sections) {
        return false;
    }
    struct scanner s = {text, n, 0, 1, report, &scan, NULL, CONFIG_KEY_COUNT};
    refuse_controls(&s);
    for (skip_space(&s); s.at < s.n; skip_space(&s)) {
        scan_statement(&s);
    }
    if (s.section) {
        fault(&s, s.section->line, "the section is not closed with '}'");
    }
    *ret_scan = scan;
    return true;
}

void config_scan_free(struct config_scan *scan)
{
    free(scan->sections);
    scan->sections = NULL;
    scan->count = 0;
}
