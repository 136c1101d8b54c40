/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_PRIVACY_CONFIG_H
#define COLLECTOR_COMMANDS_PRIVACY_CONFIG_H

#include "collector/config/config.h"
#include "collector/facts/privacy.h"

/* The policy of the store, kafka or web section. secret makes the hashes of ids where the section
 * names no key: whoever has it makes the same ones. NULL when memory is short. */
struct privacy *privacy_config(const struct config_section *section, struct slice secret);

/* What it is made of; holds the key. */
struct mask privacy_config_mask(const struct config_section *section, struct slice secret);

#endif
