/* SPDX-License-Identifier: MIT */
/* What is watched of members is bounded: who is gone is forgotten at the next reading, and a
 * reading that had no room takes nobody out of a queue. */
#include "collector/facts/queue_drift.h"

#include "parsers/ami_message.h"
#include "tests/unit/facts/facts_kit.h"

#define ROOM 4

static struct emitter *emit;
static struct queues queues;
static struct visits visits;
static struct agents agents;
static struct drift drift;
static struct queue_drift watched;

static void ignore(void *ctx, struct slice fact)
{
    (void)ctx;
    (void)fact;
}

static void setup(void)
{
    emit = emitter_new(SLICE("main"), SLICE("tap-1"), ignore, NULL);
    queues = queues_new(emit, 10);
    visits = visits_new(&queues, emit, 10);
    agents = agents_new(emit, 100);
    drift = drift_new(emit, false);
    watched = queue_drift_new(emit);
    watched.queues = &queues;
    watched.visits = &visits;
    watched.agents = &agents;
    watched.drift = &drift;
    watched.members.max = ROOM;
    queue_drift_connected(&watched);
}

static void teardown(void)
{
    queue_drift_free(&watched);
    drift_free(&drift);
    agents_free(&agents);
    visits_free(&visits);
    queues_free(&queues);
    emitter_free(emit);
}

/* Event NAME about the member PJSIP/NUMBER of the queue sales; an item names it in another header.
 */
static void feed(const char *name, const char *header, int number)
{
    static struct ami_message m;
    struct ami_framer framer = {0};
    struct ami_frame frame;
    size_t consumed;
    char text[200];
    int n = snprintf(text, sizeof(text), "Event: %s\r\nQueue: sales\r\n%s: PJSIP/%d\r\n\r\n", name,
                     header, number);
    ck_assert_int_eq(ami_frame_next(&framer, (struct slice){text, (size_t)n}, &frame, &consumed),
                     AMI_FRAME_OK);
    ami_message_parse(&frame, &m);
    emit->event++;
    if (strcmp(header, "Interface") != 0) {
        queue_drift_item(&watched, &m);
        return;
    }
    queue_drift_event(&watched, &m);
    if (m.event == AMI_EVENT_QUEUEMEMBERADDED)
        agents_member(&agents, &m);
    else
        agents_member_removed(&agents, &m);
}

static void add(int number)
{
    feed("QueueMemberAdded", "Interface", number);
}

static void take_out(int number)
{
    feed("QueueMemberRemoved", "Interface", number);
}

static bool is_member(int number)
{
    char text[20];
    snprintf(text, sizeof(text), "PJSIP/%d", number);
    return agents_membership(&agents, slice_from(text), SLICE("sales"));
}

/* A reading that has the members of these numbers, from one to below another. */
static void read_queues(int from, int to)
{
    emit->now += 60000000;
    queue_drift_begin(&watched, true);
    for (int number = from; number < to; number++)
        feed("QueueMember", "Location", number);
    queue_drift_end(&watched, true, emit->now);
    if (queue_drift_expire(&watched, emit->now + QUEUE_DRIFT_SETTLE_US))
        queue_drift_lose_members(&watched);
}

START_TEST(who_is_gone_is_forgotten)
{
    for (int number = 100; number < 100 + 5 * ROOM; number++) {
        add(number);
        take_out(number);
        read_queues(0, 0);
        ck_assert_uint_eq(watched.members.count, 0);
    }
    ck_assert_uint_eq(watched.members.refused, 0);
}
END_TEST

START_TEST(who_is_there_is_not)
{
    add(100);
    read_queues(100, 102);
    read_queues(100, 102);
    ck_assert_uint_eq(watched.members.count, 2);
}
END_TEST

START_TEST(reading_without_room_takes_nobody_out)
{
    for (int number = 100; number < 100 + ROOM + 2; number++)
        add(number);
    read_queues(100, 100 + ROOM + 2);
    read_queues(100, 100 + ROOM + 1);
    ck_assert(is_member(100 + ROOM + 1));
}
END_TEST

START_TEST(one_with_room_again_does)
{
    for (int number = 100; number < 100 + ROOM + 2; number++)
        add(number);
    for (int number = 100; number < 100 + ROOM; number++)
        take_out(number);
    read_queues(100 + ROOM, 100 + ROOM + 2);
    read_queues(100 + ROOM, 100 + ROOM + 1);
    ck_assert(is_member(100 + ROOM));
    ck_assert(!is_member(100 + ROOM + 1));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("queue_drift");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, who_is_gone_is_forgotten);
    tcase_add_test(tcase, who_is_there_is_not);
    tcase_add_test(tcase, reading_without_room_takes_nobody_out);
    tcase_add_test(tcase, one_with_room_again_does);
    return kit_run("queue_drift", tcase);
}
