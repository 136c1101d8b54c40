/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_ACTION_H
#define PARSERS_AMI_ACTION_H

#include "parsers/slice.h"
#include <stdint.h>

/* The only writer of bytes that go to a PBX. Actions are a closed enum; no function takes an
 * action's or a header's name as text, and no value may hold a control character, so that none can
 * begin a header or an action of its own. No account of Asterisk's is read-only by itself. */

enum ami_action {
    AMI_ACTION_NONE,
#define AMI_ACTION(id, name) AMI_ACTION_##id,
#include "schemas/ami_actions.def"
#undef AMI_ACTION
    AMI_ACTION_TOTAL
};

/* Asterisk reads lines of up to this many bytes, CR LF included, and cuts what is longer. */
#define AMI_ACTION_LINE_MAX 1024u

/* One action as bytes, ready to be sent. */
struct ami_action_text {
    size_t n; /* 0 when it was refused */
    char bytes[5 * AMI_ACTION_LINE_MAX];
};

/* Who logs in. events is the event mask: "on", "off" or names of classes ("call,agent"). */
struct ami_login {
    struct slice user;
    struct slice events;
};

/* Each writes one action with that ActionID, which the response and list items carry back. False,
 * and an empty text, when a value is empty, holds a control character, is not of its form or makes
 * a line too long: nothing may be sent then. */

/* An action without arguments: all but Login, Events, BridgeInfo and ConfbridgeList, which are
 * refused. Challenge asks for MD5. */
bool ami_action_plain(enum ami_action action, uint32_t action_id, struct ami_action_text *ret_text);

/* Login by a challenge. key_hex: MD5 of the challenge and the secret, 32 lower-case hex digits. */
bool ami_action_login_md5(const struct ami_login *login, struct slice key_hex, uint32_t action_id,
                          struct ami_action_text *ret_text);

/* Login by the secret itself: for links that are encrypted, or where MD5 is not to be had. */
bool ami_action_login_secret(const struct ami_login *login, struct slice secret, uint32_t action_id,
                             struct ami_action_text *ret_text);

/* Which classes of events this session gets from now on; the mask as in ami_login. */
bool ami_action_events(struct slice events, uint32_t action_id, struct ami_action_text *ret_text);

/* Who is in one bridge, by its unique id. */
bool ami_action_bridge_info(struct slice bridge, uint32_t action_id,
                            struct ami_action_text *ret_text);

/* Who is in one conference, by its name. */
bool ami_action_confbridge_list(struct slice conference, uint32_t action_id,
                                struct ami_action_text *ret_text);

/* The action of that name, in any case; AMI_ACTION_NONE for every one that is not allowed. */
enum ami_action ami_action_from_name(struct slice name);

/* Its name as Asterisk spells it, a constant; "" for AMI_ACTION_NONE. */
const char *ami_action_name(enum ami_action action);

#endif
