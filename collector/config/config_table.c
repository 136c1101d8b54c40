/* SPDX-License-Identifier: MIT */
#include "collector/config/config_table.h"
#include <assert.h>

static const struct config_section_row sections[] = {
#define CONFIG_SECTION(id, name, titled, always, sentence) {name, titled, always, sentence},
#define CONFIG_KEY(section, id, name, type, fallback, low, high, sample, sentence)
#include "schemas/config.def"
#undef CONFIG_SECTION
#undef CONFIG_KEY
};

static const struct config_key_row keys[] = {
#define CONFIG_SECTION(id, name, titled, always, sentence)
#define CONFIG_KEY(section, id, name, type, fallback, low, high, sample, sentence)                 \
    {CONFIG_##section, name, CONFIG_TYPE_##type, fallback, low, high, sample, sentence},
#include "schemas/config.def"
#undef CONFIG_SECTION
#undef CONFIG_KEY
};

const struct config_section_row *config_section_row(enum config_section_id id)
{
    assert(id < CONFIG_SECTION_COUNT);
    return &sections[id];
}

const struct config_key_row *config_key_row(enum config_key key)
{
    assert(key < CONFIG_KEY_COUNT);
    return &keys[key];
}

enum config_section_id config_section_by_name(struct slice name)
{
    unsigned id = 0;
    while (id < CONFIG_SECTION_COUNT && !slice_is(name, sections[id].name)) {
        id++;
    }
    return id;
}

enum config_key config_key_by_name(enum config_section_id section, struct slice name)
{
    unsigned key = 0;
    while (key < CONFIG_KEY_COUNT &&
           (keys[key].section != section || !slice_is(name, keys[key].name))) {
        key++;
    }
    return key;
}

#define NAME_MAX_BYTES 32

/* Levenshtein's distance: how many letters must be put in, taken out or changed. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[NAME_MAX_BYTES + 1];
    if (a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t changed = diagonal + (a.p[i - 1] != b.p[j - 1]);
            size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[b.n];
}

/* Keeps the nearer of two names; a third of the letters may be wrong. */
static void keep_nearest(struct slice name, const char *candidate, size_t *best,
                         const char **nearest)
{
    size_t d = distance(name, slice_from(candidate));
    if (d < *best && d <= 1 + name.n / 3) {
        *best = d;
        *nearest = candidate;
    }
}

const char *config_nearest_section(struct slice name)
{
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (unsigned id = 0; id < CONFIG_SECTION_COUNT; id++) {
        keep_nearest(name, sections[id].name, &best, &nearest);
    }
    return nearest;
}

const char *config_nearest_key(enum config_section_id section, struct slice name)
{
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (keys[key].section == section) {
            keep_nearest(name, keys[key].name, &best, &nearest);
        }
    }
    return nearest;
}
