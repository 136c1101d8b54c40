/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_CONFIG_CONFIG_TABLE_H
#define COLLECTOR_CONFIG_CONFIG_TABLE_H

#include "parsers/slice.h"
#include <stdint.h>

/* schemas/config.def as numbers and rows. */

enum config_section_id {
#define CONFIG_SECTION(id, name, titled, always, sentence) CONFIG_##id,
#define CONFIG_KEY(section, id, name, type, fallback, low, high, sample, sentence)
#include "schemas/config.def"
#undef CONFIG_SECTION
#undef CONFIG_KEY
    CONFIG_SECTION_COUNT
};

enum config_key {
#define CONFIG_SECTION(id, name, titled, always, sentence)
#define CONFIG_KEY(section, id, name, type, fallback, low, high, sample, sentence)                 \
    CONFIG_##section##_##id,
#include "schemas/config.def"
#undef CONFIG_SECTION
#undef CONFIG_KEY
    CONFIG_KEY_COUNT
};

enum config_type {
    CONFIG_TYPE_TEXT,
    CONFIG_TYPE_SECRET,
    CONFIG_TYPE_NUMBER,
    CONFIG_TYPE_YESNO,
    CONFIG_TYPE_LIST
};

struct config_section_row {
    const char *name;
    bool titled, always;
    const char *sentence;
};

struct config_key_row {
    enum config_section_id section;
    const char *name;
    enum config_type type;
    const char *fallback; /* NULL: none */
    int64_t low, high;
    const char *sample;
    const char *sentence;
};

/* The row of a section or key; a constant. id must be below its COUNT. */
const struct config_section_row *config_section_row(enum config_section_id id);
const struct config_key_row *config_key_row(enum config_key key);

/* By name, exactly as spelt; CONFIG_SECTION_COUNT or CONFIG_KEY_COUNT when there is none. */
enum config_section_id config_section_by_name(struct slice name);
enum config_key config_key_by_name(enum config_section_id section, struct slice name);

/* The section or key whose name is spelt most like this one, when it is near enough to be meant;
 * else NULL. */
const char *config_nearest_section(struct slice name);
const char *config_nearest_key(enum config_section_id section, struct slice name);

#endif
