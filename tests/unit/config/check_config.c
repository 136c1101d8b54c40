/* SPDX-License-Identifier: MIT */
/* Every folder of case/ holds a configuration and what is said about it: its findings, and when it
 * is right its values. A new case is a new folder. */
#include "collector/config/config.h"
#include "collector/config/config_sample.h"
#include "collector/config/config_value.h"
#include "collector/config/credential.h"
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CASES "tests/unit/config/case"

static char *read_whole(const char *path)
{
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    static const size_t size = 1 << 16;
    char *text = calloc(1, size);
    ck_assert_uint_lt(fread(text, 1, size - 1, f), size - 1);
    fclose(f);
    return text;
}

static void print_value(FILE *to, const struct config_section *s, enum config_key key)
{
    const struct config_key_row *row = config_key_row(key);
    size_t n = 0;
    const char *const *list = NULL;
    switch (row->type) {
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_SECRET:
        if (config_text(s, key)) {
            fprintf(to, "%s=[%s]\n", row->name, config_text(s, key));
        }
        break;
    case CONFIG_TYPE_NUMBER:
        fprintf(to, "%s=%jd\n", row->name, (intmax_t)config_number(s, key));
        break;
    case CONFIG_TYPE_YESNO:
        fprintf(to, "%s=%s\n", row->name, config_yes(s, key) ? "yes" : "no");
        break;
    case CONFIG_TYPE_LIST:
        list = config_list(s, key, &n);
        for (size_t i = 0; i < n; i++) {
            fprintf(to, "%s[%zu]=[%s]\n", row->name, i, list[i]);
        }
        break;
    }
}

static void print_section(FILE *to, const struct config_section *s, enum config_section_id id)
{
    fprintf(to, "%s %s\n", config_section_row(id)->name, s ? config_section_name(s) : "-");
    for (unsigned key = 0; s && key < CONFIG_KEY_COUNT; key++) {
        if (config_key_row(key)->section == id) {
            print_value(to, s, key);
        }
    }
}

static void print_config(FILE *to, const struct config *c)
{
    for (size_t i = 0; i < config_pbx_count(c); i++) {
        print_section(to, config_pbx(c, i), CONFIG_PBX);
    }
    for (unsigned id = CONFIG_PBX + 1; id < CONFIG_SECTION_COUNT; id++) {
        print_section(to, config_section(c, id), id);
    }
    fprintf(to, "outbox %s\n", config_outbox_path(c));
}

/* All that is said about a file; the caller frees it. */
static char *load_and_print(const char *path)
{
    struct config_report *report = config_report_new();
    struct config *c = config_load(path, report);
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    config_report_print(report, "input.conf", to);
    ck_assert((c == NULL) == (config_report_faults(report) > 0));
    if (c) {
        print_config(to, c);
    }
    fclose(to);
    config_free(c);
    config_report_free(report);
    return text;
}

static int is_case(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

START_TEST(cases_say_what_is_expected)
{
    struct dirent **names;
    int n = scandir(CASES, &names, is_case, alphasort);
    ck_assert_int_gt(n, 20);
    int wrong = 0;
    for (int i = 0; i < n; i++) {
        char path[512];
        snprintf(path, sizeof path, CASES "/%s/input.conf", names[i]->d_name);
        char *got = load_and_print(path);
        snprintf(path, sizeof path, CASES "/%s/expect", names[i]->d_name);
        char *expected = read_whole(path);
        if (strcmp(got, expected) != 0) {
            printf("case %s\n--- expected\n%s--- got\n%s", names[i]->d_name, expected, got);
            wrong++;
        }
        free(expected);
        free(got);
        free(names[i]);
    }
    free(names);
    fflush(stdout);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

static char dir[] = "/tmp/amitap-config-XXXXXX";
static char conf_path[64], secret_path[64];

static void make_dir(void)
{
    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(conf_path, sizeof conf_path, "%s/a.conf", dir);
    snprintf(secret_path, sizeof secret_path, "%s/secret", dir);
}

static void remove_dir(void)
{
    unlink(conf_path);
    unlink(secret_path);
    rmdir(dir);
}

static void write_file(const char *path, const void *bytes, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void write_secret_conf(void)
{
    char text[256];
    int n = snprintf(text, sizeof text, "pbx main {\nhost = a\nuser = tap\nsecret_file = '%s'\n}\n",
                     secret_path);
    write_file(conf_path, text, (size_t)n, 0600);
}

/* What is said about a secret file with these bytes; static. */
static const char *said_of_secret(const char *bytes, size_t n, mode_t mode)
{
    static char kept[1024];
    write_file(secret_path, bytes, n, mode);
    char *said = load_and_print(conf_path);
    char *at = strstr(said, secret_path);
    snprintf(kept, sizeof kept, "%s", at ? at + strlen(secret_path) : said);
    kept[strcspn(kept, "\n")] = '\0';
    free(said);
    return kept;
}

START_TEST(a_secret_file_is_one_line)
{
    write_secret_conf();
    ck_assert_str_eq(said_of_secret("", 0, 0600), " is empty");
    ck_assert_str_eq(said_of_secret("\n", 1, 0600), " is empty");
    ck_assert_str_eq(said_of_secret("a\nb\n", 4, 0600),
                     " holds more than one line, or a control character");
    ck_assert_str_eq(said_of_secret("a\0b", 3, 0600),
                     " holds more than one line, or a control character");
    char bytes[300];
    memset(bytes, 'x', sizeof bytes);
    ck_assert_str_eq(said_of_secret(bytes, 256, 0600), " is longer than 255 bytes");
    ck_assert_str_eq(said_of_secret(bytes, 300, 0600), " is longer than 255 bytes");
    ck_assert_str_eq(said_of_secret("a b", 3, 0644), " can be read by everybody");
}
END_TEST

START_TEST(a_secret_file_is_read)
{
    static const char *const forms[] = {"p\\w#'\"${x}", "p\\w#'\"${x}\n", "p\\w#'\"${x}\r\n"};
    write_secret_conf();
    for (int i = 0; i < 3; i++) {
        write_file(secret_path, forms[i], strlen(forms[i]), 0640);
        struct config_report *report = config_report_new();
        struct config *c = config_load(conf_path, report);
        ck_assert_ptr_nonnull(c);
        ck_assert(slice_is(config_pbx_secret(config_pbx(c, 0)), "p\\w#'\"${x}"));
        config_free(c);
        config_report_free(report);
    }
}
END_TEST

START_TEST(unreadable_files_are_named)
{
    write_secret_conf();
    char *said = load_and_print(conf_path);
    char expected[256];
    snprintf(expected, sizeof expected,
             "input.conf:4: pbx main: secret_file: %s cannot be read: No such file or directory\n",
             secret_path);
    ck_assert_str_eq(said, expected);
    free(said);
    said = load_and_print(dir);
    ck_assert_str_eq(said, "input.conf: cannot be read: Is a directory\n");
    free(said);
    write_file(conf_path, "pbx main {\n\0}\n", 14, 0600);
    said = load_and_print(conf_path);
    ck_assert_ptr_nonnull(strstr(said, "input.conf:2: a control character\n"));
    free(said);
}
END_TEST

START_TEST(the_sample_is_the_example)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    config_sample_print(to);
    fclose(to);
    char *example = read_whole("examples/amitap.conf");
    ck_assert_msg(strcmp(text, example) == 0,
                  "examples/amitap.conf is not what 'amitap check --print-sample' writes");
    free(example);
    free(text);
}
END_TEST

/* The example's only fault is that nobody wrote its secret yet. */
START_TEST(the_example_is_right)
{
    char *said = load_and_print("examples/amitap.conf");
    if (access("/etc/amitap/main.secret", R_OK) != 0) {
        ck_assert_ptr_nonnull(strstr(said, "secret_file: /etc/amitap/main.secret cannot be read"));
        ck_assert_ptr_eq(strchr(said, '\n'), strrchr(said, '\n'));
    }
    free(said);
}
END_TEST

/* A file as systemd's LoadCredential= puts it there. */
START_TEST(credentials_are_found)
{
    static const char conf[] =
        "pbx main {\nhost = a\nuser = tap\nsecret_file = credential:secret\n}\n"
        "kafka {\nbrokers = a\nprivacy = hmac\nprivacy_key_id = k2\n"
        "privacy_key_file = credential:secret\n}\n";
    struct config_report *report = config_report_new();
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    write_file(conf_path, conf, sizeof conf - 1, 0600);
    write_file(secret_path, "0123456789abcdef\n", 17, 0600);
    struct config *c = config_load(conf_path, report);
    ck_assert_ptr_nonnull(c);
    struct config_privacy kafka = config_privacy(config_section(c, CONFIG_KAFKA));
    ck_assert(slice_is(config_pbx_secret(config_pbx(c, 0)), "0123456789abcdef"));
    ck_assert(slice_is(kafka.key, "0123456789abcdef"));
    ck_assert_int_eq(kafka.mode, CONFIG_PRIVACY_HMAC);
    ck_assert_str_eq(kafka.key_id, "k2");
    config_free(c);
    write_file(secret_path, "0123456789abcde\n", 16, 0600);
    c = config_load(conf_path, report);
    ck_assert_ptr_null(c);
    char path[64];
    ck_assert_ptr_nonnull(credential_path("credential:../passwd", path, sizeof path));
    ck_assert_ptr_nonnull(credential_path("credential:", path, sizeof path));
    ck_assert_ptr_nonnull(
        credential_path("credential:0123456789012345678901234567890123456789012345", path, 32));
    ck_assert_ptr_null(credential_path("/etc/a", path, sizeof path));
    ck_assert_str_eq(path, "/etc/a");
    config_report_free(report);
    unsetenv("CREDENTIALS_DIRECTORY");
}
END_TEST

START_TEST(tables_are_kept_for_days)
{
    static const char conf[] =
        "pbx main {\nhost = a\nuser = tap\nsecret = a\n}\n"
        "store {\nretain_days = 90\nretain_days_of = { \"call_events=7\", \"cdr=0\" }\n}\n";
    struct config_report *report = config_report_new();
    write_file(conf_path, conf, sizeof conf - 1, 0600);
    struct config *c = config_load(conf_path, report);
    ck_assert_ptr_nonnull(c);
    const struct config_section *store = config_section(c, CONFIG_STORE);
    ck_assert_int_eq(config_retain_days(store, "call_events"), 7);
    ck_assert_int_eq(config_retain_days(store, "cdr"), 0);
    ck_assert_int_eq(config_retain_days(store, "calls"), 90);
    config_free(c);
    config_report_free(report);
}
END_TEST

/* The sample's comments must be right too, once the # is taken away; files that it names may not be
 * there. */
START_TEST(every_sample_line_is_right)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_key_row *row = config_key_row(key);
        bool pbx = row->section == CONFIG_PBX;
        const char *sample = row->sample + (row->sample[0] == '#' ? 2 : 0);
        char text[512];
        bool host = key != CONFIG_PBX_HOST && key != CONFIG_PBX_HOSTS;
        bool secret = key != CONFIG_PBX_SECRET;
        const char *also = key == CONFIG_WEB_TLS_CERTIFICATE ? "tls_key = a\n"
                           : key == CONFIG_WEB_TLS_KEY       ? "tls_certificate = a\n"
                           : row->section == CONFIG_KAFKA && key != CONFIG_KAFKA_BROKERS
                               ? "brokers = a\n"
                               : "";
        if (strstr(row->name, "_file")) {
            continue;
        }
        int n = snprintf(text, sizeof text, "pbx main {\n%s%s%s%s%s%s\n}\n%s {\n%s%s = %s\n}\n",
                         host ? "host = a\n" : "", key != CONFIG_PBX_USER ? "user = a\n" : "",
                         secret ? "secret = a\n" : "", pbx ? row->name : "", pbx ? " = " : "",
                         pbx ? sample : "", pbx ? "web" : config_section_row(row->section)->name,
                         also, pbx ? "listen" : row->name, pbx ? "127.0.0.1:1" : sample);
        write_file(conf_path, text, (size_t)n, 0600);
        struct config_report *report = config_report_new();
        struct config *c = config_load(conf_path, report);
        if (!c) {
            config_report_print(report, text, stdout);
        }
        ck_assert_msg(c != NULL, "%s", row->name);
        config_free(c);
        config_report_free(report);
    }
}
END_TEST

/* What would begin a header of its own towards the PBX, or cut a text short: as it is, as an
 * escape, from the environment. The length, since one holds a NUL. */
static const struct {
    const char *value;
    size_t n;
} line_ends[] = {
#define LINE_END(text)                                                                             \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    LINE_END("'a\rb'"),
    LINE_END("'a\nb'"),
    LINE_END("'a\0b'"),
    LINE_END("'a\r\nb'"),
    LINE_END("'\r\n'"),
    LINE_END("'a\r'"),
    LINE_END("\"a\rb\""),
    LINE_END("\"a\nb\""),
    LINE_END("\"a\0b\""),
    LINE_END("\"a\\rb\""),
    LINE_END("\"a\\nb\""),
    LINE_END("\"a\\r\\nb\""),
    LINE_END("\"a\\x0db\""),
    LINE_END("\"a\\x0ab\""),
    LINE_END("\"a\\015b\""),
    LINE_END("\"a\\012b\""),
    LINE_END("\"a\\0b\""),
    LINE_END("\"a\\x00b\""),
    LINE_END("\"${LINES_OF_IT}\""),
    LINE_END("a\rb"),
    LINE_END("a\0b"),
    LINE_END("\"a\\\nb\""),
    LINE_END("'a\vb'"),
    LINE_END("'a\x7f'"),
#undef LINE_END
};

/* A file whose pbx section is right, with this value for this key; into text, its length. */
static size_t put_value(char text[1024], const struct config_key_row *row, const char *value,
                        size_t n)
{
    bool pbx = row->section == CONFIG_PBX, list = row->type == CONFIG_TYPE_LIST;
    size_t at = (size_t)snprintf(text, 512, "pbx main {\n");
    static const char *const needed[] = {"host", "user", "secret"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!pbx || strcmp(needed[i], row->name) != 0) {
            at += (size_t)snprintf(text + at, 64, "%s = a\n", needed[i]);
        }
    }
    at += (size_t)snprintf(text + at, 256, "%s%s%s%s = %s", pbx ? "" : "}\n",
                           pbx ? "" : config_section_row(row->section)->name, pbx ? "" : " {\n",
                           row->name, list ? "{ " : "");
    memcpy(text + at, value, n);
    at += n;
    return at + (size_t)snprintf(text + at, 64, "%s\n}\n", list ? " }" : "");
}

/* Whether one of the faults is that the value holds what it may not, and not another one. */
static bool is_about_the_value(struct config_report *report)
{
    static const char *const words[] = {
        "a carriage return;", "a control character", "the quote is not closed on its line",
        "double quotes would change the backslash", "double quotes would expand ${"};
    char *text = NULL;
    size_t n = 0;
    bool found = false;
    FILE *to = open_memstream(&text, &n);
    config_report_print(report, "a.conf", to);
    fclose(to);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        found |= strstr(text, words[i]) != NULL;
    }
    free(text);
    return found;
}

/* Every key that takes text, whatever it is for: a new one is tried too. */
START_TEST(no_value_holds_a_line_end)
{
    unsigned tried = 0;
    setenv("LINES_OF_IT", "a\r\nAction: Hangup", 1);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_key_row *row = config_key_row(key);
        bool text_key = row->type != CONFIG_TYPE_NUMBER && row->type != CONFIG_TYPE_YESNO;
        for (size_t i = 0; text_key && i < sizeof line_ends / sizeof *line_ends; i++) {
            char text[1024];
            size_t n = put_value(text, row, line_ends[i].value, line_ends[i].n);
            write_file(conf_path, text, n, 0600);
            struct config_report *report = config_report_new();
            struct config *c = config_load(conf_path, report);
            ck_assert_msg(c == NULL && is_about_the_value(report), "%s takes value %zu", row->name,
                          i);
            config_report_free(report);
            tried++;
        }
    }
    unsetenv("LINES_OF_IT");
    ck_assert_uint_gt(tried, 500);
}
END_TEST

/* Every key that names a file with a secret in it. */
START_TEST(no_secret_file_holds_a_line_end)
{
    static const char *const keys[] = {"pbx main {\nhost = a\nuser = a\nsecret_file = ",
                                       "pbx main {\nhost = a\nuser = a\nsecret = a\n}\n"
                                       "store {\nprivacy = hmac\nprivacy_key_file = ",
                                       "pbx main {\nhost = a\nuser = a\nsecret = a\n}\n"
                                       "web {\nprivacy = hmac\nprivacy_key_file = ",
                                       "pbx main {\nhost = a\nuser = a\nsecret = a\n}\nkafka {\n"
                                       "brokers = a\nprivacy = hmac\nprivacy_key_file = "};
    static const char middles[] = {'\r', '\n', '\0', '\t', 0x7f, 0x1b};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        char text[512];
        int n = snprintf(text, sizeof text, "%s'%s'\n}\n", keys[k], secret_path);
        write_file(conf_path, text, (size_t)n, 0600);
        for (size_t i = 0; i < sizeof middles; i++) {
            char bytes[] = "0123456789abcdef?ghij";
            bytes[16] = middles[i];
            ck_assert_str_eq(said_of_secret(bytes, sizeof bytes - 1, 0600),
                             " holds more than one line, or a control character");
        }
        ck_assert_str_eq(said_of_secret("0123456789abcdef\r\r\n", 19, 0600),
                         " holds more than one line, or a control character");
        ck_assert_str_eq(said_of_secret("0123456789abcdef\n\n", 18, 0600),
                         " holds more than one line, or a control character");
    }
}
END_TEST

START_TEST(numbers_are_plain)
{
    static const char *const wrong[] = {"",    "-",  "010",  "00",  "-0",  "+1",
                                        " 1",  "1 ", "0x10", "1e3", "1.0", "1234567890123456789",
                                        "-01", "--1"};
    int64_t value = 77;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!config_parse_number(wrong[i], &value), "%s", wrong[i]);
    }
    ck_assert_int_eq(value, 77);
    ck_assert(config_parse_number("0", &value) && value == 0);
    ck_assert(config_parse_number("-5", &value) && value == -5);
    ck_assert(config_parse_number("999999999999999999", &value) && value == 999999999999999999);
}
END_TEST

START_TEST(listen_addresses_have_a_port)
{
    static const char *const right[] = {"127.0.0.1:8088", "localhost:0", "[::1]:65535",
                                        "0.0.0.0:80"};
    static const char *const wrong[] = {
        "8088",           ":8088",       "127.0.0.1:",     "127.0.0.1:65536",
        "127.0.0.1:08",   "::1:80",      "[]:1",           "[::1:80",
        "[::g]:80",       "[::1%lo]:80", "http://[::1]:8", "",
        "127.1:80",       "127.0:80",    "*:80",           "a:80",
        "[127.0.0.1]:80", "::1]:80",     "127.0.0.1x:80"};
    for (unsigned i = 0; i < sizeof right / sizeof right[0]; i++) {
        ck_assert_msg(config_is_listen_address(right[i]), "%s", right[i]);
    }
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!config_is_listen_address(wrong[i]), "%s", wrong[i]);
    }
}
END_TEST

int main(void)
{
    setenv("HOME", "/expanded", 1);
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, make_dir, remove_dir);
    tcase_add_test(tcase, cases_say_what_is_expected);
    tcase_add_test(tcase, a_secret_file_is_one_line);
    tcase_add_test(tcase, a_secret_file_is_read);
    tcase_add_test(tcase, unreadable_files_are_named);
    tcase_add_test(tcase, the_sample_is_the_example);
    tcase_add_test(tcase, the_example_is_right);
    tcase_add_test(tcase, every_sample_line_is_right);
    tcase_add_test(tcase, no_value_holds_a_line_end);
    tcase_add_test(tcase, no_secret_file_holds_a_line_end);
    tcase_add_test(tcase, credentials_are_found);
    tcase_add_test(tcase, tables_are_kept_for_days);
    tcase_add_test(tcase, numbers_are_plain);
    tcase_add_test(tcase, listen_addresses_have_a_port);
    Suite *suite = suite_create("config");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
