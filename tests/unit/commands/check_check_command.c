/* SPDX-License-Identifier: MIT */
#include "collector/commands/check.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[65536];

/* The exit status; what was written on that descriptor is in said afterwards. */
static int run(int fd, const char *a, const char *b)
{
    char *argv[] = {(char[]){"check"}, a ? strdup(a) : NULL, b ? strdup(b) : NULL, NULL};
    FILE *to = tmpfile();
    int kept = dup(fd);
    fflush(NULL);
    ck_assert_int_eq(dup2(fileno(to), fd), fd);
    int status = check_command(1 + (a != NULL) + (b != NULL), argv);
    fflush(NULL);
    dup2(kept, fd);
    close(kept);
    rewind(to);
    said[fread(said, 1, sizeof said - 1, to)] = '\0';
    fclose(to);
    free(argv[1]);
    free(argv[2]);
    return status;
}

START_TEST(a_right_file_is_ok)
{
    static const char path[] = "tests/unit/config/case/full/input.conf";
    ck_assert_int_eq(run(STDOUT_FILENO, "-c", path), 0);
    ck_assert_str_eq(said, "tests/unit/config/case/full/input.conf: ok\n");
}
END_TEST

START_TEST(faults_are_named)
{
    static const char path[] = "tests/unit/config/case/same-file/input.conf";
    ck_assert_int_eq(run(STDERR_FILENO, "-c", path), 1);
    ck_assert_str_eq(said, "tests/unit/config/case/same-file/input.conf:8: store: outbox: is the "
                           "same file as path\n");
    ck_assert_int_eq(run(STDERR_FILENO, "--config", "/nonexistent"), 1);
    ck_assert_str_eq(said, "/nonexistent: cannot be read: No such file or directory\n");
}
END_TEST

/* As run would refuse it. */
START_TEST(a_ca_file_without_a_certificate_is_a_fault)
{
    char conf[] = "/tmp/check-tls-XXXXXX", wanted[300];
    FILE *f = fdopen(mkstemp(conf), "w");
    fprintf(f, "pbx main {\n host = 10.0.0.1\n user = tap\n secret = 'x'\n tls = yes\n"
               " tls_ca_file = \"/etc/passwd\"\n}\n");
    fclose(f);
    ck_assert_int_eq(run(STDERR_FILENO, "-c", conf), 1);
    snprintf(wanted, sizeof wanted, "%s:6: pbx main: tls_ca_file: /etc/passwd: ", conf);
    ck_assert_msg(strncmp(said, wanted, strlen(wanted)) == 0, "%s", said);
    remove(conf);
}
END_TEST

START_TEST(wrong_usage_is_2)
{
    ck_assert_int_eq(run(STDERR_FILENO, NULL, NULL), 2);
    ck_assert_ptr_nonnull(strstr(said, "usage: amitap check -c FILE"));
    ck_assert_int_eq(run(STDERR_FILENO, "-x", NULL), 2);
    ck_assert_int_eq(run(STDERR_FILENO, "-c", NULL), 2);
    ck_assert_int_eq(run(STDERR_FILENO, "--print-sample", "more"), 2);
}
END_TEST

START_TEST(the_sample_is_printed)
{
    ck_assert_int_eq(run(STDOUT_FILENO, "--print-sample", NULL), 0);
    ck_assert_ptr_nonnull(strstr(said, "pbx main {\n"));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("check_command");
    tcase_add_test(tcase, a_right_file_is_ok);
    tcase_add_test(tcase, faults_are_named);
    tcase_add_test(tcase, a_ca_file_without_a_certificate_is_a_fault);
    tcase_add_test(tcase, wrong_usage_is_2);
    tcase_add_test(tcase, the_sample_is_printed);
    Suite *suite = suite_create("check_command");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
