/* SPDX-License-Identifier: MIT */
/* Each allocation of a log-in and its lists fails once: what was missed is asked for again, and a
 * gap goes up to there. */
#include "collector/base/memory.h"
#include "tests/unit/commands/session_fixture.h"
#include "tests/unit/link/fake_pbx.h"

#define SECOND ((int64_t)1000000)

static struct fake_pbx pbx;
static int64_t mono;
static long allocations;   /* since they are counted */
static long fails_at = -1; /* that one of them; negative: none */
static long fails_then;    /* fails_at once lists are asked for */
static uint64_t failures;
static char heard[2048];

/* The linker lets our rooms, and not libcheck, which the fake PBX calls, come here (rules.mk). */
void *__real_memory_bytes(size_t n);
void *__real_memory_zeroed(size_t n, size_t size);
void *__real_memory_resized(void *p, size_t n);
void *__wrap_memory_bytes(size_t n);
void *__wrap_memory_zeroed(size_t n, size_t size);
void *__wrap_memory_resized(void *p, size_t n);
uint64_t __wrap_memory_failures(void);

static bool refuses(void)
{
    bool refused = allocations++ == fails_at;
    failures += refused;
    return refused;
}

void *__wrap_memory_bytes(size_t n)
{
    return refuses() ? NULL : __real_memory_bytes(n);
}

void *__wrap_memory_zeroed(size_t n, size_t size)
{
    return refuses() ? NULL : __real_memory_zeroed(n, size);
}

void *__wrap_memory_resized(void *p, size_t n)
{
    return refuses() ? NULL : __real_memory_resized(p, n);
}

uint64_t __wrap_memory_failures(void)
{
    return failures;
}

static void let_fail(long n)
{
    fails_at = n;
    allocations = 0;
}

static int64_t test_mono(void *ctx)
{
    (void)ctx;
    return mono;
}

static void turn_begin(void *ctx)
{
    (void)ctx;
    if (fails_then >= 0 && strstr(pbx.actions, "CoreShowChannels ")) {
        let_fail(fails_then);
        fails_then = -1;
    }
}

static void stopped(void *ctx, bool refused)
{
    (void)ctx;
    (void)refused;
}

static void setup(void)
{
    session_setup();
    fake_pbx_open(&pbx, base);
    /* So that what fails is amitap's own. */
    buf_reserve(&pbx.in, 1 << 15);
    buf_reserve(&pbx.out, 1 << 15);
    buf_reserve(&pbx.all, 1 << 15);
    session_configure(pbx.port, FAKE_SECRET);
}

static void teardown(void)
{
    fake_pbx_close(&pbx);
    session_teardown();
}

static void begin(long n)
{
    struct session_env env = {
        .link.clock = clock_system(), .turn_begin = turn_begin, .stopped = stopped};
    fails_then = n;
    mono = 1000 * SECOND;
    pbx.actions[0] = heard[0] = '\0';
    env.link.clock.mono = test_mono;
    session_make(env);
    session_start(session);
}

static void end(void)
{
    session_unmake();
    fake_pbx_hang_up(&pbx);
}

/* How often the last list was asked for. */
static int rounds(void)
{
    int n = 0;
    for (const char *at = pbx.actions; (at = strstr(at, "DeviceStateList ")); at++)
        n++;
    return n;
}

/* Lets the loop run until the last list was asked for that often and there is nothing to do. */
static void follow(int wanted)
{
    for (int idle = 0, turn = 0; idle < 3; turn++) {
        ck_assert_msg(turn < 100, "asked: %s", pbx.actions);
        struct timeval pause = {0, rounds() < wanted ? 20000 : 1000};
        event_base_loopexit(base, &pause);
        size_t before = strlen(pbx.actions);
        event_base_loop(base, 0);
        idle = rounds() >= wanted && strlen(pbx.actions) == before ? idle + 1 : 0;
    }
}

/* All since begin: of each gap its reason, of each queue's state its name. */
static const char *told(void)
{
    struct slice record;
    struct batch_item item;
    struct fact_head head;
    while (ring_peek(ring, 0, &record)) {
        size_t offset = 0;
        while (batch_next(record, &offset, &item)) {
            struct slice word = {NULL, 0};
            if (item.kind != BATCH_FACT || !fact_read_head(item.body, &head))
                continue;
            if (head.kind == FACT_GAP)
                fact_find(item.body, FIELD_REASON, &word, NULL);
            if (head.kind == FACT_QUEUE_STATE)
                fact_find(item.body, FIELD_QUEUE, &word, NULL);
            size_t n = strlen(heard);
            if (word.n)
                snprintf(heard + n, sizeof(heard) - n, "%.*s ", (int)word.n, word.p);
        }
        ring_pop(ring);
    }
    return heard;
}

START_TEST(a_log_in_asks_once)
{
    begin(-1);
    follow(1);
    session_tick(session);
    ck_assert_str_eq(told(), "sales ");
    ck_assert_int_eq(rounds(), 1);
    end();
}
END_TEST

/* What fails while lists are read is read again, with one gap that ends behind it. False when there
 * are not so many allocations. */
static bool fails_once(long n)
{
    uint64_t before = failures;
    begin(n);
    follow(1);
    let_fail(-1);
    bool failed = failures != before;
    if (failed) {
        ck_assert_msg(!strstr(told(), "memory"), "%ld: %s", n, heard);
        /* The first may be what finds that there is enough again. */
        session_tick(session);
        session_tick(session);
        follow(2);
        session_tick(session);
        ck_assert_msg(strstr(told(), "sales "), "%ld: %s", n, heard);
        ck_assert_msg(strstr(heard, "memory "), "%ld: %s", n, heard);
    }
    end();
    return failed;
}

START_TEST(what_failed_while_lists_were_read_is_read_again)
{
    long n = 0;
    while (fails_once(n))
        ck_assert_int_lt(++n, 1000);
    ck_assert_int_gt(n, 10);
}
END_TEST

static void call_without_memory(void)
{
    uint64_t before = failures;
    let_fail(0);
    fake_pbx_send(&pbx, "Event: Newchannel\r\nUniqueid: 1.2\r\nLinkedid: 1.2\r\n"
                        "Channel: PJSIP/101-1\r\n\r\n"
                        "Event: Hangup\r\nUniqueid: 1.2\r\nLinkedid: 1.2\r\n\r\n");
    follow(rounds());
    let_fail(-1);
    ck_assert_uint_eq(failures, before + 1);
}

START_TEST(while_memory_is_short_lists_are_asked_for_each_ten_seconds)
{
    begin(-1);
    follow(1);
    for (int second = 0; second < 30; second++) {
        call_without_memory();
        session_tick(session);
        follow(rounds());
        mono += SECOND;
    }
    ck_assert_int_eq(rounds(), 4);
    end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("session memory");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_log_in_asks_once);
    tcase_add_test(tcase, what_failed_while_lists_were_read_is_read_again);
    tcase_add_test(tcase, while_memory_is_short_lists_are_asked_for_each_ten_seconds);
    tcase_set_timeout(tcase, 30);
    return run_suite(tcase, "session memory");
}
