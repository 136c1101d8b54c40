/* SPDX-License-Identifier: MIT */
#include "parsers/ami_vocab.h"

#include <check.h>
#include <stdlib.h>

/* Every word of a vocabulary goes there and back; words and numbers of none are UNKNOWN. */
#define CHECK_WORD(id, number, word)                                                               \
    if (word[0]) {                                                                                 \
        ck_assert_int_eq(FROM_SLICE(slice_from(word)), number);                                    \
        ck_assert_str_eq(NAME(number), word);                                                      \
    }

START_TEST(words_and_numbers)
{
#define FROM_SLICE ami_channel_state_from_slice
#define NAME       ami_channel_state_name
    AMI_CHANNEL_STATES(CHECK_WORD)
    ck_assert_int_eq(FROM_SLICE(SLICE("up")), AMI_CHANNEL_UNKNOWN);
    ck_assert_int_eq(FROM_SLICE(SLICE("")), AMI_CHANNEL_UNKNOWN);
    ck_assert_str_eq(NAME(-1), "Unknown");
#undef FROM_SLICE
#undef NAME
#define FROM_SLICE ami_device_state_from_slice
#define NAME       ami_device_state_name
    AMI_DEVICE_STATES(CHECK_WORD)
    ck_assert_int_eq(FROM_SLICE(SLICE("ASLEEP")), AMI_DEVICE_UNKNOWN);
    ck_assert_str_eq(NAME(9), "UNKNOWN");
#undef FROM_SLICE
#undef NAME
#define FROM_SLICE ami_dial_status_from_slice
#define NAME       ami_dial_status_name
    AMI_DIAL_STATUSES(CHECK_WORD)
    ck_assert_int_eq(FROM_SLICE(SLICE("ANSWERED")), AMI_DIAL_UNKNOWN);
    ck_assert_str_eq(NAME(99), "");
#undef FROM_SLICE
#undef NAME
#define FROM_SLICE ami_queue_status_from_slice
#define NAME       ami_queue_status_name
    AMI_QUEUE_STATUSES(CHECK_WORD)
    ck_assert_int_eq(FROM_SLICE((struct slice){NULL, 0}), AMI_QUEUE_UNKNOWN);
    ck_assert_str_eq(NAME(-7), "");
#undef FROM_SLICE
#undef NAME
#define FROM_SLICE ami_complete_reason_from_slice
#define NAME       ami_complete_reason_name
    AMI_COMPLETE_REASONS(CHECK_WORD)
    ck_assert_int_eq(FROM_SLICE(SLICE("Caller")), AMI_COMPLETE_UNKNOWN);
#undef FROM_SLICE
#undef NAME
}
END_TEST

START_TEST(cause_texts)
{
    ck_assert_str_eq(ami_vocab_cause_text(AMI_CAUSE_NORMAL_CLEARING), "Normal Clearing");
    ck_assert_str_eq(ami_vocab_cause_text(AMI_CAUSE_USER_BUSY), "User busy");
    ck_assert_str_eq(ami_vocab_cause_text(127), "Interworking, unspecified");
    ck_assert_str_eq(ami_vocab_cause_text(AMI_CAUSE_NONE), "Unknown");
    ck_assert_str_eq(ami_vocab_cause_text(32), "Unknown");
    ck_assert_str_eq(ami_vocab_cause_text(INT64_MAX), "Unknown");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ami_vocab");
    tcase_add_test(tcase, words_and_numbers);
    tcase_add_test(tcase, cause_texts);
    Suite *suite = suite_create("ami_vocab");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
