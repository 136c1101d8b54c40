/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_AUDIT_PRINT_H
#define COLLECTOR_COMMANDS_AUDIT_PRINT_H

#include "collector/base/buf.h"
#include "collector/commands/audit_rights.h"

/* What an audit found. Texts are borrowed; "" where something is not known. */
struct audit_report {
    const char *pbx;
    const char *host;
    unsigned port;
    const char *user;
    const char *asterisk; /* AsteriskVersion */
    const char *manager;  /* the version in the banner */
    const struct audit_rights *rights;
    struct slice section; /* of manager.conf */
};

/* For people, or as one JSON object on one line. False when it does not fit into the buffer. */
bool audit_print_text(struct buf *to, const struct audit_report *report);
bool audit_print_json(struct buf *to, const struct audit_report *report);

#endif
