/* SPDX-License-Identifier: MIT */
#include "parsers/scan.h"

#include "tests/unit/parsers/dump.h"
#include <check.h>
#include <stdlib.h>

static uint64_t by_hand(struct slice s, size_t offset, char c)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < SCAN_BLOCK && offset + i < s.n; i++)
        bits |= (uint64_t)(s.p[offset + i] == c) << i;
    return bits;
}

/* Every byte value at every place, beside every value that is one bit away from it. */
START_TEST(every_byte_at_every_place)
{
    for (unsigned c = 1; c < 256; c++) {
        char block[SCAN_BLOCK];
        for (size_t i = 0; i < SCAN_BLOCK; i++)
            block[i] = (char)(c ^ (1u << (i % 8)));
        ck_assert_uint_eq(scan_block(block, (char)c), 0);
        for (size_t i = 0; i < SCAN_BLOCK; i++) {
            char was = block[i];
            block[i] = (char)c;
            if (scan_block(block, (char)c) != (uint64_t)1 << i)
                ck_abort_msg("byte %u at %zu", c, i);
            block[i] = was;
        }
    }
}
END_TEST

START_TEST(random_blocks)
{
    srandom(1);
    for (int round = 0; round < 300; round++) {
        char bytes[3 * SCAN_BLOCK];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = "\n\r:a"[random() % 4];
        struct slice s = guarded((struct slice){bytes, 1 + (size_t)random() % sizeof(bytes)});
        for (size_t offset = 0; offset < s.n; offset++)
            ck_assert_uint_eq(scan_slice(s, offset, '\n'), by_hand(s, offset, '\n'));
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("scan");
    tcase_add_test(tcase, every_byte_at_every_place);
    tcase_add_test(tcase, random_blocks);
    Suite *suite = suite_create("scan");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
