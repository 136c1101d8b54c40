/* SPDX-License-Identifier: MIT */
#include "collector/commands/privacy_config.h"

#include <stdio.h>

struct mask privacy_config_mask(const struct config_section *section, struct slice secret)
{
    static const enum mask_mode modes[] = {[CONFIG_PRIVACY_CLEAR] = MASK_CLEAR,
                                           [CONFIG_PRIVACY_DIGITS] = MASK_DIGITS,
                                           [CONFIG_PRIVACY_HMAC] = MASK_HMAC,
                                           [CONFIG_PRIVACY_DROP] = MASK_DROP};
    struct config_privacy asked = config_privacy(section);
    struct slice key = slice_head(asked.key.n ? asked.key : secret, MASK_KEY_MAX);
    struct mask mask = {.mode = modes[asked.mode],
                        .digits = asked.digits,
                        .extension_digits = asked.extension_digits,
                        .key_n = key.n};
    if (key.n)
        memcpy(mask.key, key.p, key.n);
    snprintf(mask.key_id, sizeof(mask.key_id), "%s", asked.key.n ? asked.key_id : "own");
    return mask;
}

struct privacy *privacy_config(const struct config_section *section, struct slice secret)
{
    struct mask mask = privacy_config_mask(section, secret);
    struct privacy *p = privacy_new(&mask);
    explicit_bzero(&mask, sizeof(mask));
    return p;
}
