/* SPDX-License-Identifier: MIT */
#ifndef PARSERS_AMI_VOCAB_H
#define PARSERS_AMI_VOCAB_H

#include "parsers/slice.h"
#include <stdint.h>

/* Asterisk's closed vocabularies. _from_slice takes the word as Asterisk writes it, exactly, and
 * returns the vocabulary's UNKNOWN for any other; _name gives that word, a constant, for every
 * value that a file or a newer Asterisk may bring, also one out of range ("" or "Unknown"). */

/* ChannelStateDesc; the value is the header ChannelState (enum ast_channel_state). */
#define AMI_CHANNEL_STATES(X)                                                                      \
    X(DOWN, 0, "Down")                                                                             \
    X(RESERVED, 1, "Rsrvd")                                                                        \
    X(OFFHOOK, 2, "OffHook")                                                                       \
    X(DIALING, 3, "Dialing")                                                                       \
    X(RING, 4, "Ring")                                                                             \
    X(RINGING, 5, "Ringing")                                                                       \
    X(UP, 6, "Up")                                                                                 \
    X(BUSY, 7, "Busy")                                                                             \
    X(DIALING_OFFHOOK, 8, "Dialing Offhook")                                                       \
    X(PRERING, 9, "Pre-ring")

/* DeviceStateChange's State; the value is the header Status of QueueMember and QueueMemberStatus
 * (enum ast_device_state). */
#define AMI_DEVICE_STATES(X)                                                                       \
    X(UNKNOWN, 0, "UNKNOWN")                                                                       \
    X(NOT_INUSE, 1, "NOT_INUSE")                                                                   \
    X(INUSE, 2, "INUSE")                                                                           \
    X(BUSY, 3, "BUSY")                                                                             \
    X(INVALID, 4, "INVALID")                                                                       \
    X(UNAVAILABLE, 5, "UNAVAILABLE")                                                               \
    X(RINGING, 6, "RINGING")                                                                       \
    X(RINGINUSE, 7, "RINGINUSE")                                                                   \
    X(ONHOLD, 8, "ONHOLD")

/* DialStatus of DialEnd and DialState, and the channel variable DIALSTATUS. */
#define AMI_DIAL_STATUSES(X)                                                                       \
    X(UNKNOWN, 0, "")                                                                              \
    X(ANSWER, 1, "ANSWER")                                                                         \
    X(BUSY, 2, "BUSY")                                                                             \
    X(NOANSWER, 3, "NOANSWER")                                                                     \
    X(CANCEL, 4, "CANCEL")                                                                         \
    X(CONGESTION, 5, "CONGESTION")                                                                 \
    X(CHANUNAVAIL, 6, "CHANUNAVAIL")                                                               \
    X(ABORT, 7, "ABORT")                                                                           \
    X(CONTINUE, 8, "CONTINUE")                                                                     \
    X(GOTO, 9, "GOTO")                                                                             \
    X(DONTCALL, 10, "DONTCALL")                                                                    \
    X(TORTURE, 11, "TORTURE")                                                                      \
    X(INVALIDARGS, 12, "INVALIDARGS")                                                              \
    X(RINGING, 13, "RINGING")                                                                      \
    X(PROGRESS, 14, "PROGRESS")                                                                    \
    X(PROCEEDING, 15, "PROCEEDING")

/* The channel variable QUEUESTATUS: why app_queue let a caller go on. */
#define AMI_QUEUE_STATUSES(X)                                                                      \
    X(UNKNOWN, 0, "")                                                                              \
    X(TIMEOUT, 1, "TIMEOUT")                                                                       \
    X(FULL, 2, "FULL")                                                                             \
    X(JOINEMPTY, 3, "JOINEMPTY")                                                                   \
    X(LEAVEEMPTY, 4, "LEAVEEMPTY")                                                                 \
    X(JOINUNAVAIL, 5, "JOINUNAVAIL")                                                               \
    X(LEAVEUNAVAIL, 6, "LEAVEUNAVAIL")                                                             \
    X(CONTINUE, 7, "CONTINUE")                                                                     \
    X(WITHDRAW, 8, "WITHDRAW")

/* AgentComplete's Reason: who ended the talk. */
#define AMI_COMPLETE_REASONS(X)                                                                    \
    X(UNKNOWN, 0, "")                                                                              \
    X(CALLER, 1, "caller")                                                                         \
    X(AGENT, 2, "agent")                                                                           \
    X(TRANSFER, 3, "transfer")

#define AMI_CHANNEL_MEMBER(id, number, word)  AMI_CHANNEL_##id = (number),
#define AMI_DEVICE_MEMBER(id, number, word)   AMI_DEVICE_##id = (number),
#define AMI_DIAL_MEMBER(id, number, word)     AMI_DIAL_##id = (number),
#define AMI_QUEUE_MEMBER(id, number, word)    AMI_QUEUE_##id = (number),
#define AMI_COMPLETE_MEMBER(id, number, word) AMI_COMPLETE_##id = (number),

enum ami_channel_state { AMI_CHANNEL_STATES(AMI_CHANNEL_MEMBER) AMI_CHANNEL_UNKNOWN = -1 };
enum ami_device_state { AMI_DEVICE_STATES(AMI_DEVICE_MEMBER) };
enum ami_dial_status { AMI_DIAL_STATUSES(AMI_DIAL_MEMBER) };
enum ami_queue_status { AMI_QUEUE_STATUSES(AMI_QUEUE_MEMBER) };
enum ami_complete_reason { AMI_COMPLETE_REASONS(AMI_COMPLETE_MEMBER) };

#undef AMI_CHANNEL_MEMBER
#undef AMI_DEVICE_MEMBER
#undef AMI_DIAL_MEMBER
#undef AMI_QUEUE_MEMBER
#undef AMI_COMPLETE_MEMBER

/* Between word and number: ChannelState's number and ChannelStateDesc's word (Asterisk 22). An
 * unknown word is the enum's last value, an unknown number has the name "". */
enum ami_channel_state ami_channel_state_from_slice(struct slice word);
const char *ami_channel_state_name(int number);

/* Between word and number: a device's state, QueueMember's Status and DeviceStateChange's State
 * (Asterisk 22). An unknown word is the enum's last value, an unknown number has the name "". */
enum ami_device_state ami_device_state_from_slice(struct slice word);
const char *ami_device_state_name(int number);

/* Between word and number: DialStatus of DialEnd and DialState (Asterisk 22). An unknown word is
 * the enum's last value, an unknown number has the name "". */
enum ami_dial_status ami_dial_status_from_slice(struct slice word);
const char *ami_dial_status_name(int number);

/* Between word and number: the channel variable QUEUESTATUS (Asterisk 22). An unknown word is
 * the enum's last value, an unknown number has the name "". */
enum ami_queue_status ami_queue_status_from_slice(struct slice word);
const char *ami_queue_status_name(int number);

/* Between word and number: Reason of AgentComplete (Asterisk 22). An unknown word is
 * the enum's last value, an unknown number has the name "". */
enum ami_complete_reason ami_complete_reason_from_slice(struct slice word);
const char *ami_complete_reason_name(int number);

/* The hang-up causes that rules look at (Q.850; header Cause). */
#define AMI_CAUSE_NONE               0
#define AMI_CAUSE_NORMAL_CLEARING    16
#define AMI_CAUSE_USER_BUSY          17
#define AMI_CAUSE_NO_ANSWER          19
#define AMI_CAUSE_CALL_REJECTED      21
#define AMI_CAUSE_ANSWERED_ELSEWHERE 26
#define AMI_CAUSE_CONGESTION         34

/* What Asterisk's Cause-txt says for a Cause, a constant; "Unknown" for a number without text. */
const char *ami_vocab_cause_text(int64_t cause);

#endif
