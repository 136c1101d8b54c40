/* SPDX-License-Identifier: MIT */
#include "tests/unit/parsers/dump.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <time.h>

/* Every recording of a real Asterisk, whole, byte by byte and cut at random, gives the same frames
 * and headers. AMITAP_CAPTURES names another folder of recordings. */

/* Byte by byte is slow; longer recordings are cut at random only. */
#define SMALL_RECORDING 150000u

static unsigned seed;

static void check_recording(const char *path)
{
    struct slice stream = read_file(path);
    ck_assert_msg(stream.p && stream.n, "%s cannot be read", path);
    struct outcome whole = dump_stream(stream, (struct cuts){0}, NULL);
    ck_assert_msg(whole.frames > 2 && whole.left == 0, "%s: %zu frames, %zu bytes left", path,
                  whole.frames, whole.left);
    ck_assert_msg(whole.framer.cut_frames + whole.framer.cut_lines == 0, "%s: cut", path);
    static const unsigned pieces[] = {50, 3000, 65536};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        unsigned most = pieces[i];
        struct outcome cut = dump_stream(stream, (struct cuts){piece_at_random, &most}, NULL);
        ck_assert_msg(cut.digest == whole.digest && cut.left == 0,
                      "%s: pieces of up to %u bytes differ, AMITAP_SEED=%u", path, most, seed);
    }
    if (stream.n <= SMALL_RECORDING) {
        struct outcome ones = dump_stream(stream, (struct cuts){piece_of_one, NULL}, NULL);
        ck_assert_msg(ones.digest == whole.digest && ones.left == 0, "%s: byte by byte", path);
    }
    free((char *)stream.p);
}

START_TEST(any_cut_gives_the_same)
{
    const char *given = getenv("AMITAP_CAPTURES");
    char pattern[512];
    snprintf(pattern, sizeof(pattern), "%s/*/*.raw", given ? given : "tests/captures");
    glob_t found;
    ck_assert_msg(glob(pattern, 0, NULL, &found) == 0, "no recordings: %s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_recording(found.gl_pathv[i]);
    printf("%zu recordings\n", found.gl_pathc);
    globfree(&found);
}
END_TEST

int main(void)
{
    const char *given = getenv("AMITAP_SEED");
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("AMITAP_SEED=%u\n", seed);
    fflush(stdout);
    srandom(seed);

    TCase *tcase = tcase_create("captures");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, any_cut_gives_the_same);
    Suite *suite = suite_create("captures");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
