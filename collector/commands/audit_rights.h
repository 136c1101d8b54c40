/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_COMMANDS_AUDIT_RIGHTS_H
#define COLLECTOR_COMMANDS_AUDIT_RIGHTS_H

#include "parsers/ami_message.h"

/* What an account may call on its PBX, as the answer to ListCommands says: one header for each
 * action, "Hangup: Hangup channel.  (Priv: system,call,all)" (Asterisk 18 to 22). The classes are
 * those of which any is enough; "<none>" stands for an action that every account may call. */

#define AUDIT_ACTION_SIZE  64u
#define AUDIT_CLASSES_SIZE 128u

enum audit_power {
    AUDIT_READS,   /* schemas/ami_powers.def has it among those that only read */
    AUDIT_CHANGES, /* and among those that change something */
    AUDIT_UNKNOWN  /* it has not; taken for one that changes */
};

struct audit_action {
    char name[AUDIT_ACTION_SIZE];
    char classes[AUDIT_CLASSES_SIZE]; /* "system,call", without "all"; "" when it needs none */
    enum audit_power power;
    const char *sentence; /* what it does, a constant; "" for an unknown one */
};

struct audit_rights {
    unsigned count;
    struct audit_action actions[AMI_HEADERS_MAX];
    bool cut; /* there were more, or a name or its classes were too long or no words: not all is
                 judged */
};

/* Reads an accepted answer to ListCommands. */
void audit_rights_read(struct audit_rights *rights, const struct ami_message *m);

/* Through which class the account may call the action: one that it is known to have, since another
 * action that it may call needs just that one; else all that would do ("system or config"). "" for
 * an action that needs none. Into text, AUDIT_CLASSES_SIZE bytes or more. */
void audit_rights_class(const struct audit_rights *rights, const struct audit_action *action,
                        char *text, size_t size);

/* Whether the action changes something, or may. */
bool audit_action_changes(const struct audit_action *action);

/* Whether the account can change more than every account can that may log in at all: by an action
 * that needs a class, or one that could not be read. */
bool audit_rights_exceed(const struct audit_rights *rights);

#endif
