/* SPDX-License-Identifier: MIT */
/* The users file, and who gets in by it. */
#include "collector/users/users.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define A32 "00112233445566778899aabbccddeeff"
#define H64 A32 A32

static char dir[] = "/tmp/amitap-users-XXXXXX";
static char path[64], kiosks[64];
static int64_t now_us;

static int64_t test_now(void *ctx)
{
    (void)ctx;
    return now_us;
}

static void make_dir(void)
{
    memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/users", dir);
    snprintf(kiosks, sizeof(kiosks), "%s/kiosks", dir);
    now_us = INT64_C(1700000000) * 1000000;
}

static void remove_dir(void)
{
    unlink(path);
    unlink(kiosks);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing half written is left */
}

static struct users *open_users(void)
{
    char error[256];
    const struct users_options options = {path, kiosks, {test_now, test_now, NULL}};
    struct users *u = users_open(&options, error, sizeof(error));
    ck_assert_msg(u != NULL, "%s", error);
    return u;
}

/* Writes a file with a person, a token, a display token and a screen, whose secrets are given back.
 */
static void write_users(const char *password, char token[USERS_HEX], char display[USERS_HEX],
                        char code[USERS_HEX])
{
    char error[256];
    struct users_file file = {0};
    struct users_entry anna = {.name = "anna"}, all = {.kind = USERS_TOKEN, .name = "grafana"};
    struct users_entry tv = {.kind = USERS_TOKEN, .name = "tv", .display = true};
    struct users_entry lobby = {.kind = USERS_KIOSK, .name = "lobby", .display = true};
    lobby.made = now_us / 1000000;
    ck_assert(users_set_password(&anna, password));
    ck_assert(users_new_secret(token, all.hash) && users_new_secret(display, tv.hash) &&
              users_new_secret(code, lobby.hash));
    ck_assert(users_file_put(&file, &anna) && users_file_put(&file, &all) &&
              users_file_put(&file, &tv) && users_file_put(&file, &lobby));
    ck_assert_msg(users_file_write(path, &file, error, sizeof(error)), "%s", error);
    users_file_free(&file);
}

START_TEST(who_has_the_secret_gets_in)
{
    char token[USERS_HEX], display[USERS_HEX], code[USERS_HEX], cookie[USERS_HEX];
    struct users_person p = {0};
    write_users("correct horse", token, display, code);
    struct users *u = open_users();
    ck_assert_uint_eq(users_count(u), 4);
    ck_assert(users_password(u, "anna", "correct horse", &p));
    ck_assert_str_eq(p.name, "anna");
    ck_assert(!p.display && users_still(u, &p));
    ck_assert(!users_password(u, "anna", "correct hors", &p));
    ck_assert(!users_password(u, "anna", "", &p));
    ck_assert(!users_password(u, "bob", "correct horse", &p));
    ck_assert(!users_password(u, "grafana", token, &p)); /* a token is no password */
    ck_assert(users_token(u, token, &p) && !p.display);
    ck_assert_str_eq(p.name, "grafana");
    ck_assert(users_token(u, display, &p) && p.display);
    ck_assert(!users_token(u, code, &p));
    ck_assert(!users_token(u, "", &p));
    ck_assert_int_eq(users_enter(u, token, cookie, &p), USERS_NO_CODE); /* a token is no code */
    ck_assert(!users_kiosk(u, code, &p));
    users_free(u);
}
END_TEST

START_TEST(a_screens_code_is_used_once)
{
    char token[USERS_HEX], display[USERS_HEX], code[USERS_HEX], cookie[USERS_HEX], more[USERS_HEX];
    struct users_person p = {0};
    write_users("correct horse", token, display, code);
    struct users *u = open_users();
    ck_assert_int_eq(users_enter(u, code, cookie, &p), USERS_LET_IN);
    ck_assert(p.display);
    ck_assert_str_eq(p.name, "lobby");
    ck_assert_int_eq(users_enter(u, code, more, &p), USERS_NO_CODE);
    ck_assert(users_kiosk(u, cookie, &p));
    users_free(u);
    struct stat st;
    ck_assert(stat(kiosks, &st) == 0 && (st.st_mode & 0777) == 0600);
    u = open_users(); /* a restart */
    ck_assert(users_kiosk(u, cookie, &p) && users_still(u, &p));
    ck_assert_int_eq(users_enter(u, code, more, &p), USERS_NO_CODE);
    char error[256];
    write_users("correct horse", token, display, code); /* another code ends the screen's time */
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_CHANGED);
    ck_assert(!users_kiosk(u, cookie, &p) && !users_still(u, &p));
    ck_assert_int_eq(users_enter(u, code, more, &p), USERS_LET_IN);
    ck_assert(users_kiosk(u, more, &p));
    users_free(u);
}
END_TEST

START_TEST(a_screens_code_is_used_in_time)
{
    char token[USERS_HEX], display[USERS_HEX], code[USERS_HEX], cookie[USERS_HEX];
    struct users_person p;
    write_users("correct horse", token, display, code);
    struct users *u = open_users();
    now_us += (int64_t)(USERS_CODE_SECONDS + 1) * 1000000;
    ck_assert_int_eq(users_enter(u, code, cookie, &p), USERS_NO_CODE);
    now_us -= (int64_t)1000000;
    ck_assert_int_eq(users_enter(u, code, cookie, &p), USERS_LET_IN);
    users_free(u);
}
END_TEST

START_TEST(what_changes_is_taken_up)
{
    char token[USERS_HEX], display[USERS_HEX], code[USERS_HEX], error[256];
    struct users_person anna, p;
    write_users("correct horse", token, display, code);
    struct users *u = open_users();
    ck_assert(users_password(u, "anna", "correct horse", &anna));
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_SAME);
    FILE *f = fopen(path, "w");
    fputs("anna:nonsense\n", f);
    fclose(f);
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_BROKEN);
    ck_assert_ptr_nonnull(strstr(error, "line 1 is neither"));
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_SAME); /* said once */
    ck_assert(users_still(u, &anna) && users_token(u, token, &p));
    write_users("battery staple", token, display, code);
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_CHANGED);
    ck_assert(!users_still(u, &anna)); /* another password is another person */
    unlink(path);
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_BROKEN);
    ck_assert_int_eq(users_refresh(u, error, sizeof(error)), USERS_SAME);
    users_free(u);
}
END_TEST

static const struct {
    const char *text, *error;
} texts[] = {
    {"", NULL},
    {"# a comment\n\nanna:scrypt:15:8:3:" A32 ":" H64 "\n", NULL},
    {"anna:scrypt:15:8:3:" A32 ":" H64, NULL}, /* no newline at the end */
    {"tv:token:display:" H64 "\nx:token:all:" H64 "\nlobby:kiosk:1700000000:" H64 "\n", NULL},
    {"anna:scrypt:15:8:3:" A32 ":" H64 "\nanna:token:all:" H64 "\n",
     "line 2 has a name that stands above already"},
    {"anna:scrypt:13:8:3:" A32 ":" H64, "line 1 has a cost beyond 14 to 18, 1 to 8 and 1 to 16"},
    {"anna:scrypt:30:8:3:" A32 ":" H64, "line 1 has a cost"},
    {"anna:scrypt:15:8:0:" A32 ":" H64, "line 1 has a cost"},
    {"anna:scrypt:15:8:3:" A32 ":" A32, "line 1 is not NAME:scrypt"},
    {"anna:scrypt:15:8:3:" A32 ":" H64 ":x", "line 1 has too many fields"},
    {"anna:scrypt", "line 1 is not NAME:scrypt"},
    {"anna:token", "line 1 is not NAME:token"},
    {"anna:token:" H64, "line 1 is not NAME:token"},
    {"anna:token:some:" H64, "line 1 is not NAME:token"},
    {"anna:token:all:" A32 "00112233445566778899AABBCCDDEEFF", "line 1 is not NAME:token"},
    {"lobby:kiosk:-1:" H64, "line 1 is not NAME:kiosk"},
    {"lobby:kiosk:17000000001111:" H64, "line 1 is not NAME:kiosk"},
    {"anna", "line 1 is neither"},
    {"anna:md5:x", "line 1 is neither"},
    {"an na:token:all:" H64, "line 1 begins with no name"},
    {":token:all:" H64, "line 1 begins with no name"},
    {H64 "x:token:all:" H64, "line 1 begins with no name"},
};

START_TEST(texts_of_the_file)
{
    struct users_file file;
    char error[256] = "";
    bool good = users_file_parse(texts[_i].text, strlen(texts[_i].text), &file, error, 256);
    ck_assert_msg(good == !texts[_i].error, "%s: %s", texts[_i].text, error);
    if (texts[_i].error)
        ck_assert_msg(strncmp(error, texts[_i].error, strlen(texts[_i].error)) == 0, "%s", error);
    users_file_free(&file);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
    struct users_file file;
    char error[256];
    ck_assert(!users_file_parse("#\0\n", 3, &file, error, sizeof(error)));
    ck_assert_ptr_nonnull(strstr(error, "NUL"));
}
END_TEST

START_TEST(a_file_is_bounded)
{
    struct users_file file = {0};
    struct users_entry e = {.kind = USERS_TOKEN};
    for (unsigned i = 0; i < USERS_MAX; i++) {
        snprintf(e.name, sizeof(e.name), "t%u", i);
        ck_assert(users_file_put(&file, &e));
    }
    ck_assert(users_file_put(&file, &e)); /* the same name takes its own place */
    memcpy(e.name, "more", 5);
    ck_assert(!users_file_put(&file, &e));
    ck_assert(users_file_remove(&file, "t500") && !users_file_remove(&file, "t500"));
    ck_assert(users_file_put(&file, &e));
    ck_assert_uint_eq(file.n, USERS_MAX);
    users_file_free(&file);
}
END_TEST

START_TEST(a_file_is_written_whole_and_for_its_owner)
{
    char token[USERS_HEX], display[USERS_HEX], code[USERS_HEX], error[256];
    struct users_file file;
    struct stat st;
    write_users("correct horse", token, display, code);
    ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    ck_assert(users_file_read(path, &file, error, sizeof(error)));
    ck_assert_uint_eq(file.n, 4);
    char text[4096] = "";
    FILE *f = fopen(path, "r");
    ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 100);
    fclose(f);
    ck_assert_ptr_null(strstr(text, token));
    ck_assert_ptr_null(strstr(text, code));
    ck_assert_ptr_null(strstr(text, "correct"));
    ck_assert(!users_file_write("/nowhere/at/all", &file, error, sizeof(error)));
    ck_assert_ptr_nonnull(strstr(error, "No such file"));
    users_file_free(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("users");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_dir, remove_dir);
    tcase_add_test(tcase, who_has_the_secret_gets_in);
    tcase_add_test(tcase, a_screens_code_is_used_once);
    tcase_add_test(tcase, a_screens_code_is_used_in_time);
    tcase_add_test(tcase, what_changes_is_taken_up);
    tcase_add_loop_test(tcase, texts_of_the_file, 0, (int)(sizeof(texts) / sizeof(texts[0])));
    tcase_add_test(tcase, a_nul_byte_is_refused);
    tcase_add_test(tcase, a_file_is_bounded);
    tcase_add_test(tcase, a_file_is_written_whole_and_for_its_owner);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
