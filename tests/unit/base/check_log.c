/* SPDX-License-Identifier: MIT */
#include "collector/base/log.h"
#include "parsers/slice.h"
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int read_end;
static int real_stderr;

/* stderr becomes a pipe for the test, so that what is logged can be read. */
static void catch_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    real_stderr = dup(STDERR_FILENO);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    read_end = ends[0];
}

static void release_stderr(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(read_end);
}

/* All that was written, up to now. */
static struct slice caught(void)
{
    static char text[1 << 20];
    size_t n = 0;
    fcntl(read_end, F_SETFL, O_NONBLOCK);
    for (ssize_t got = 1; got > 0; n += got > 0 ? (size_t)got : 0) {
        got = read(read_end, text + n, sizeof text - n);
    }
    return (struct slice){text, n};
}

START_TEST(writes_a_plain_line)
{
    log_line(LOG_LEVEL_INFO, "pbx %s: logged in", "main");
    ck_assert(slice_is(caught(), "pbx main: logged in\n"));
}
END_TEST

START_TEST(control_characters_become_question_marks)
{
    log_line(LOG_LEVEL_INFO, "a\nb\033[1mc\x7f|\xc3\xa9|\xff|\xc2\x9b|");
    struct slice got = caught();
    ck_assert(slice_is(got, "a?b?[1mc?|\xc3\xa9|?|??|\n"));
}
END_TEST

START_TEST(a_long_line_is_cut)
{
    char text[6000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    log_line(LOG_LEVEL_INFO, "%s", text);
    struct slice got = caught();
    ck_assert_uint_eq(got.n, 4096);
    ck_assert(slice_ends(got, SLICE("xxx...\n")));
}
END_TEST

START_TEST(journald_gets_the_priority)
{
    struct stat st;
    char stream[64];
    ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_line(LOG_LEVEL_WARNING, "hello");
    ck_assert(slice_is(caught(), "<4>hello\n"));
}
END_TEST

START_TEST(the_thread_writes_all_before_it_stops)
{
    ck_assert_int_eq(log_start(), 0);
    ck_assert_int_eq(log_start(), -1);
    for (int i = 0; i < 100; i++) {
        log_line(LOG_LEVEL_ERROR, "line %d", i);
    }
    log_stop();
    log_stop();
    log_line(LOG_LEVEL_ERROR, "after");
    struct slice got = caught();
    ck_assert(slice_starts(got, SLICE("line 0\nline 1\n")));
    ck_assert(slice_ends(got, SLICE("line 99\nafter\n")));
    ck_assert_uint_eq(log_lost(), 0);
}
END_TEST

/* Adds up what the log says it lost, in as many lines as it took. */
static uint64_t losses_said(struct slice text)
{
    static const char before[] = "\nlog: ";
    uint64_t sum = 0;
    const char *at = memmem(text.p, text.n, before, sizeof before - 1);
    while (at) {
        text = slice_from_offset(text, (size_t)(at - text.p) + sizeof before - 1);
        sum += strtoull(text.p, NULL, 10);
        at = memmem(text.p, text.n, before, sizeof before - 1);
    }
    return sum;
}

/* Nobody reads stderr: the caller goes on, the loss is counted, and said once there is a reader. */
START_TEST(a_full_ring_loses_and_says_so)
{
    ck_assert_int_eq(log_start(), 0);
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        log_line(LOG_LEVEL_INFO, "%s", text);
    }
    uint64_t lost = log_lost();
    ck_assert_uint_gt(lost, 0);
    static char drained[4 << 20];
    size_t n = 0;
    while (n == 0 || drained[n - 1] != '\n' || losses_said((struct slice){drained, n}) < lost) {
        ssize_t got = read(read_end, drained + n, sizeof drained - n);
        ck_assert_int_gt(got, 0);
        n += (size_t)got;
    }
    ck_assert_uint_eq(losses_said((struct slice){drained, n}), lost);
    signal(SIGPIPE, SIG_IGN);
    close(read_end); /* a reader that is gone does not hold up the stop */
    read_end = -1;
    log_stop();
    ck_assert_uint_eq(log_lost(), lost);
}
END_TEST

START_TEST(a_stderr_that_nobody_reads_does_not_keep_it)
{
    signal(SIGPIPE, SIG_IGN); /* for the fixture closes it at the end */
    fcntl(read_end, F_SETPIPE_SZ, 4096);
    ck_assert_int_eq(log_start(), 0);
    for (int i = 0; i < 100; i++)
        log_line(LOG_LEVEL_INFO, "line %d ........................................", i);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    log_stop();
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_ge(end.tv_sec - begin.tv_sec, 1);
    ck_assert_int_le(end.tv_sec - begin.tv_sec, 3);
    log_line(LOG_LEVEL_INFO, "one more");
}
END_TEST

int main(void)
{
    unsetenv("JOURNAL_STREAM");
    TCase *tcase = tcase_create("log");
    tcase_add_checked_fixture(tcase, catch_stderr, release_stderr);
    tcase_add_test(tcase, writes_a_plain_line);
    tcase_add_test(tcase, control_characters_become_question_marks);
    tcase_add_test(tcase, a_long_line_is_cut);
    tcase_add_test(tcase, journald_gets_the_priority);
    tcase_add_test(tcase, the_thread_writes_all_before_it_stops);
    tcase_add_test(tcase, a_full_ring_loses_and_says_so);
    tcase_add_test(tcase, a_stderr_that_nobody_reads_does_not_keep_it);
    Suite *suite = suite_create("log");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
