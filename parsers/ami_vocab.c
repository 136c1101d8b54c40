/* SPDX-License-Identifier: MIT */
#include "parsers/ami_vocab.h"

struct word {
    int number;
    const char *text;
};

#define WORD(id, number, text) {number, text},
static const struct word channel_states[] = {AMI_CHANNEL_STATES(WORD)};
static const struct word device_states[] = {AMI_DEVICE_STATES(WORD)};
static const struct word dial_statuses[] = {AMI_DIAL_STATUSES(WORD)};
static const struct word queue_statuses[] = {AMI_QUEUE_STATUSES(WORD)};
static const struct word complete_reasons[] = {AMI_COMPLETE_REASONS(WORD)};
#undef WORD

/* main/channel.c, causes[], of Asterisk 22. */
static const struct word causes[] = {
    {1, "Unallocated (unassigned) number"},
    {2, "No route to specified transmit network"},
    {3, "No route to destination"},
    {5, "Misdialed trunk prefix"},
    {6, "Channel unacceptable"},
    {7, "Call awarded and being delivered in an established channel"},
    {8, "Pre-empted"},
    {14, "Number ported elsewhere"},
    {16, "Normal Clearing"},
    {17, "User busy"},
    {18, "No user responding"},
    {19, "User alerting, no answer"},
    {20, "Subscriber absent"},
    {21, "Call Rejected"},
    {22, "Number changed"},
    {23, "Redirected to new destination"},
    {26, "Answered elsewhere"},
    {27, "Destination out of order"},
    {28, "Invalid number format"},
    {29, "Facility rejected"},
    {30, "Response to STATus ENQuiry"},
    {31, "Normal, unspecified"},
    {34, "Circuit/channel congestion"},
    {38, "Network out of order"},
    {41, "Temporary failure"},
    {42, "Switching equipment congestion"},
    {43, "Access information discarded"},
    {44, "Requested channel not available"},
    {50, "Facility not subscribed"},
    {52, "Outgoing call barred"},
    {54, "Incoming call barred"},
    {57, "Bearer capability not authorized"},
    {58, "Bearer capability not available"},
    {65, "Bearer capability not implemented"},
    {66, "Channel not implemented"},
    {69, "Facility not implemented"},
    {81, "Invalid call reference value"},
    {88, "Incompatible destination"},
    {95, "Invalid message unspecified"},
    {96, "Mandatory information element is missing"},
    {97, "Message type nonexist."},
    {98, "Wrong message"},
    {99, "Info. element nonexist or not implemented"},
    {100, "Invalid information element contents"},
    {101, "Message not compatible with call state"},
    {102, "Recover on timer expiry"},
    {103, "Mandatory IE length error"},
    {111, "Protocol error, unspecified"},
    {127, "Interworking, unspecified"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int number_of(const struct word *words, size_t count, struct slice text, int otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (text.n && slice_is(text, words[i].text))
            return words[i].number;
    }
    return otherwise;
}

static const char *text_of(const struct word *words, size_t count, int64_t number,
                           const char *otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i].number == number)
            return words[i].text;
    }
    return otherwise;
}

enum ami_channel_state ami_channel_state_from_slice(struct slice word)
{
    return (enum ami_channel_state)number_of(channel_states, COUNT(channel_states), word,
                                             AMI_CHANNEL_UNKNOWN);
}

const char *ami_channel_state_name(int number)
{
    return text_of(channel_states, COUNT(channel_states), number, "Unknown");
}

enum ami_device_state ami_device_state_from_slice(struct slice word)
{
    return (enum ami_device_state)number_of(device_states, COUNT(device_states), word,
                                            AMI_DEVICE_UNKNOWN);
}

const char *ami_device_state_name(int number)
{
    return text_of(device_states, COUNT(device_states), number, "UNKNOWN");
}

enum ami_dial_status ami_dial_status_from_slice(struct slice word)
{
    return (enum ami_dial_status)number_of(dial_statuses, COUNT(dial_statuses), word,
                                           AMI_DIAL_UNKNOWN);
}

const char *ami_dial_status_name(int number)
{
    return text_of(dial_statuses, COUNT(dial_statuses), number, "");
}

enum ami_queue_status ami_queue_status_from_slice(struct slice word)
{
    return (enum ami_queue_status)number_of(queue_statuses, COUNT(queue_statuses), word,
                                            AMI_QUEUE_UNKNOWN);
}

const char *ami_queue_status_name(int number)
{
    return text_of(queue_statuses, COUNT(queue_statuses), number, "");
}

enum ami_complete_reason ami_complete_reason_from_slice(struct slice word)
{
    return (enum ami_complete_reason)number_of(complete_reasons, COUNT(complete_reasons), word,
                                               AMI_COMPLETE_UNKNOWN);
}

const char *ami_complete_reason_name(int number)
{
    return text_of(complete_reasons, COUNT(complete_reasons), number, "");
}

const char *ami_vocab_cause_text(int64_t cause)
{
    return text_of(causes, COUNT(causes), cause, "Unknown");
}
