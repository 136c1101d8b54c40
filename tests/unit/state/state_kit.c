/* SPDX-License-Identifier: MIT */
#include "tests/unit/state/state_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

unsigned kit_seed(void)
{
    const char *given = getenv("AMITAP_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("AMITAP_SEED=%u\n", seed);
    fflush(stdout);
    srandom(seed);
    return seed;
}

const struct ami_message *kit_message(const char *text)
{
    static struct ami_message message;
    struct ami_framer framer = {.banner_seen = true};
    struct ami_frame frame;
    size_t consumed;
    ck_assert_int_eq(ami_frame_next(&framer, slice_from(text), &frame, &consumed), AMI_FRAME_OK);
    ami_message_parse(&frame, &message);
    return &message;
}

struct snapshot_values kit_values(const char *uniqueid)
{
    return (struct snapshot_values){.text = {[SNAPSHOT_UNIQUEID] = slice_from(uniqueid),
                                             [SNAPSHOT_NAME] = slice_from(uniqueid),
                                             [SNAPSHOT_LINKEDID] = slice_from(uniqueid),
                                             [SNAPSHOT_CONTEXT] = SLICE("from-inside"),
                                             [SNAPSHOT_EXTEN] = SLICE("200")},
                                    .priority = 1,
                                    .state = 4};
}

struct channel *kit_channel(const char *uniqueid)
{
    struct snapshot_values values = kit_values(uniqueid);
    struct channel *c = channel_new(&values, 1000000);
    ck_assert_ptr_nonnull(c);
    return c;
}

int kit_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
