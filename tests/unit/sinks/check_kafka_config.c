/* SPDX-License-Identifier: MIT */
#include "collector/sinks/kafka_config.h"
#include "tests/unit/sinks/kafka_kit.h"

/* The faults of a configuration with these properties, one to a line. */
static const char *faults(const char *properties)
{
    static char text[4096];
    char line[1024];
    char *print = NULL;
    size_t n = 0;
    snprintf(line, sizeof(line), "properties = { %s }", properties);
    struct config_report *report = config_report_new();
    struct config *loaded = load("127.0.0.1:1", line, report);
    ck_assert_ptr_nonnull(loaded);
    bool good = kafka_config_check(loaded, report);
    FILE *f = open_memstream(&print, &n);
    config_report_print(report, "conf", f);
    fclose(f);
    ck_assert_int_eq(good, n == 0);
    snprintf(text, sizeof(text), "%s", print);
    free(print);
    config_report_free(report);
    config_free(loaded);
    return text;
}

static void ck_fault(const char *property, const char *expect)
{
    char quoted[600];
    snprintf(quoted, sizeof(quoted), "'%s'", property);
    const char *found = faults(quoted);
    ck_assert_msg(strstr(found, expect) != NULL, "%s: %s", property, found);
    ck_assert_msg(strncmp(found, "conf:8: kafka: properties: ", 27) == 0, "%s", found);
}

START_TEST(guarantees_cannot_be_taken_away)
{
    ck_fault("enable.idempotence=false", "cannot be set to another value than true");
    ck_fault("acks=1", "cannot be set to another value than all");
    ck_fault("request.required.acks=0", "cannot be set to another value than all");
    ck_fault("message.timeout.ms=1000", "cannot be set to another value than 0");
    ck_fault("delivery.timeout.ms=1000", "cannot be set to another value than 0");
    ck_fault("partitioner=random", "cannot be set to another value than murmur2_random");
    ck_fault("enable.gapless.guarantee=false", "cannot be set to another value");
    ck_fault("queuing.strategy=lifo", "cannot be set to another value than fifo");
    ck_fault("transactional.id=x", "cannot be set: ");
    ck_fault("bootstrap.servers=x", "cannot be set: the brokers stand in brokers");
    ck_fault("max.in.flight=6", "max.in.flight");
}
END_TEST

START_TEST(what_librdkafka_refuses_is_told)
{
    ck_fault("no.such.thing=1", "No such configuration property: \"no.such.thing\"");
    ck_fault("linger.ms=soon", "Invalid value");
    ck_fault("ssl.ca.location=/nowhere','security.protocol=ssl", "ssl.ca.location failed");
    ck_fault("dr_msg_cb=1", "dr_msg_cb");
}
END_TEST

START_TEST(the_same_and_the_harmless_are_fine)
{
    ck_assert_str_eq(faults("'acks=all', 'acks=-1', 'enable.idempotence=TRUE'"), "");
    ck_assert_str_eq(faults("'compression.type=lz4', 'linger.ms=20', 'client.id=tap'"), "");
}
END_TEST

START_TEST(all_faults_are_told)
{
    const char *found = faults("'acks=1', 'nothing=1', 'linger.ms=5', 'partitioner=random'");
    unsigned lines = 0;
    for (const char *p = found; (p = strchr(p, '\n')); p++)
        lines++;
    ck_assert_uint_eq(lines, 3);
}
END_TEST

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(in_directory(name), "w");
    fputs(text, f);
    fclose(f);
}

START_TEST(values_come_from_files)
{
    char property[600];
    char value[64];
    size_t n = sizeof(value);
    put_file("secret", "it's # so\n");
    snprintf(property, sizeof(property), "properties = { 'sasl.password_file=%s' }",
             in_directory("secret"));
    configure("127.0.0.1:1", property);
    rd_kafka_conf_t *conf =
        kafka_config_new(config_section(config, CONFIG_KAFKA), error, sizeof(error));
    ck_assert_msg(conf != NULL, "%s", error);
    ck_assert_int_eq(rd_kafka_conf_get(conf, "sasl.password", value, &n), RD_KAFKA_CONF_OK);
    ck_assert_str_eq(value, "it's # so");
    rd_kafka_conf_destroy(conf);
    ck_fault("sasl.password_file=/nowhere", "/nowhere cannot be read: No such file");
    ck_fault("sasl.password_file=/", "/ cannot be read: ");
}
END_TEST

/* A password of several lines is a file that was mistaken; certificates have lines. */
START_TEST(a_value_from_a_file_is_one_line)
{
    char property[600];
    snprintf(property, sizeof(property), "sasl.password_file=%s", in_directory("secret"));
    put_file("secret", "one\ntwo\n");
    ck_fault(property, "sasl.password: its file holds more than one line");
    put_file("secret", "one\rtwo");
    ck_fault(property, "sasl.password: its file holds more than one line");
    FILE *f = fopen(in_directory("secret"), "w");
    fwrite("one\0two", 1, 7, f);
    fclose(f);
    ck_fault(property, "sasl.password: its file holds a NUL");
}
END_TEST

START_TEST(a_file_too_long_is_refused)
{
    char property[600];
    static char text[70000];
    memset(text, 'x', sizeof(text) - 1);
    put_file("secret", text);
    snprintf(property, sizeof(property), "sasl.password_file=%s", in_directory("secret"));
    ck_fault(property, "is longer than 65535 bytes");
}
END_TEST

START_TEST(secrets_are_not_told)
{
    ck_assert_ptr_nonnull(strstr(faults("'sasl.password=hunter2'"), "in sasl.password_file"));
    ck_assert_ptr_null(strstr(faults("'ssl.key.pem=hunter2'"), "hunter2"));
    ck_assert_ptr_null(strstr(faults("'ssl.keystore.password=hunter2', 'acks=1'"), "hunter2"));
}
END_TEST

START_TEST(what_is_set_without_being_asked)
{
    static const char *const expected[][2] = {
        {"enable.idempotence", "true"},       {"acks", "-1"},
        {"message.timeout.ms", "0"},          {"partitioner", "murmur2_random"},
        {"enable.gapless.guarantee", "true"}, {"allow.auto.create.topics", "false"}};
    configure("127.0.0.1:1", "");
    rd_kafka_conf_t *conf =
        kafka_config_new(config_section(config, CONFIG_KAFKA), error, sizeof(error));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        char value[64];
        size_t n = sizeof(value);
        rd_kafka_conf_get(conf, expected[i][0], value, &n);
        ck_assert_str_eq(value, expected[i][1]);
    }
    rd_kafka_conf_destroy(conf);
}
END_TEST

static void teardown(void)
{
    config_free(config);
    config = NULL;
    store_teardown();
}

int main(void)
{
    TCase *tcase = tcase_create("kafka_config");
    tcase_add_checked_fixture(tcase, store_setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, guarantees_cannot_be_taken_away);
    tcase_add_test(tcase, what_librdkafka_refuses_is_told);
    tcase_add_test(tcase, the_same_and_the_harmless_are_fine);
    tcase_add_test(tcase, all_faults_are_told);
    tcase_add_test(tcase, values_come_from_files);
    tcase_add_test(tcase, a_value_from_a_file_is_one_line);
    tcase_add_test(tcase, a_file_too_long_is_refused);
    tcase_add_test(tcase, secrets_are_not_told);
    tcase_add_test(tcase, what_is_set_without_being_asked);
    return kit_run(tcase, "kafka_config");
}
