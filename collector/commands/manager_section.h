/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_MANAGER_SECTION_H
#define COLLECTOR_COMMANDS_MANAGER_SECTION_H

#include "collector/base/buf.h"
#include "collector/config/config.h"

/* The smallest manager.conf that gives a pbx section of the configuration what it asks for. */
struct manager_section {
    const struct config_section *pbx;
    const char *asterisk; /* AsteriskVersion, "22.10.1"; "" where it is not known */
    const char *ours;     /* the numeric address that connections come from; "" likewise */
    const char *theirs;   /* and the PBX's */
};

/* Writes the lines of [general] and of the account, each with its reason. False when they do not
 * fit into the buffer. */
bool manager_section_put(struct buf *to, const struct manager_section *section);

/* Whether that Asterisk has eventfilter's advanced form: 18.26, 20.11, 21.6, 22.1 and newer. False
 * for a version that is not understood, such as a certified one, since all have the older form. */
bool manager_section_is_advanced(const char *asterisk);

#endif
