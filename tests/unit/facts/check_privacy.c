/* SPDX-License-Identifier: MIT */
/* What stands for numbers and names under each policy, and that nothing else of a fact changes. */
#include "collector/facts/privacy.h"
#include <check.h>
#include <stdlib.h>

#define NUMBER   "+4930901820"
#define NAME     "Erika Mustermann"
#define UNIQUEID "pbxA-1795219341.87"
#define TIME_US  INT64_C(1795219345926000)
/* HMAC-SHA-256 with the key "key" over "4930901820", by openssl. */
#define HASH "p1:82cdefc41a1e084dcacb47ca4b16b755"

static struct buf text;

static struct mask mask_of(enum mask_mode mode)
{
    return (struct mask){
        .mode = mode, .digits = 3, .extension_digits = 4, .key = "key", .key_n = 3, .key_id = "p1"};
}

typedef bool masking(const struct mask *m, struct slice value, struct buf *to);

static const char *masked(masking *how, enum mask_mode mode, const char *value)
{
    struct mask m = mask_of(mode);
    buf_clear(&text);
    if (!how(&m, slice_from(value), &text))
        return "(null)";
    buf_put_char(&text, '\0');
    return text.p;
}

static bool clid(const struct mask *m, struct slice value, struct buf *to)
{
    mask_clid(m, value, to);
    return true;
}

static bool device(const struct mask *m, struct slice value, struct buf *to)
{
    mask_in_place(m, value, (struct mask_place){.epoch = TIME_US / 1000000}, to);
    return true;
}

static bool id(const struct mask *m, struct slice value, struct buf *to)
{
    mask_in_place(m, value, (struct mask_place){.epoch = TIME_US / 1000000, .is_id = true}, to);
    return true;
}

START_TEST(last_digits)
{
    static const struct {
        masking *how;
        const char *value, *masked;
    } cases[] = {
        {mask_number, NUMBER, "*****820"},
        {mask_number, "004930901820", "*****820"},
        {mask_number, "(030) 90 18-20", "*****820"},
        {mask_number, "*21*4930901820#", "*****820"},
        {mask_number, "12345", "*****45"},
        {mask_number, "1234", "1234"},
        {mask_number, "*97", "*97"},
        {mask_number, "s", "s"},
        {mask_number, "", ""},
        {mask_number, "anonymous", "anonymous"},
        {mask_number, "erika.mustermann", "(null)"},
        {mask_text, NAME, "(null)"},
        {mask_text, NUMBER, "*****820"},
        {mask_text, "1234", "(null)"}, /* perhaps a PIN */
        {mask_text, "PJSIP/" NUMBER "@carrier,30", "(null)"},
        {mask_text, "", ""},
        {clid, "\"" NAME "\" <" NUMBER ">", "\"\" <*****820>"},
        {clid, "\"\" <101>", "\"\" <101>"},
        {clid, NUMBER, "*****820"},
        {clid, "<" NUMBER ">", "\"\" <*****820>"},
        {clid, "", ""},
        {device, "PJSIP/carrier-0000002a", "PJSIP/carrier-0000002a"},
        {device, "PJSIP/" NUMBER "-0000002a", "PJSIP/*****820-0000002a"},
        {device, "Local/004930901820@agents-00000007;1", "Local/*****820@agents-00000007;1"},
        {device, "from-did-4930901820x", "from-did-*****820x"},
        {device, "sip:101@198.51.100.17:5060", "sip:101@198.51.100.17:5060"},
        {device, "call 030 901 8200 now", "call *****200 now"},
        {device, UNIQUEID, UNIQUEID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(masked(cases[i].how, MASK_DIGITS, cases[i].value), cases[i].masked);
}
END_TEST

START_TEST(dropped)
{
    ck_assert_str_eq(masked(mask_number, MASK_DROP, NUMBER), "(null)");
    ck_assert_str_eq(masked(mask_number, MASK_DROP, "101"), "101");
    ck_assert_str_eq(masked(mask_text, MASK_DROP, NAME), "(null)");
    ck_assert_str_eq(masked(clid, MASK_DROP, "\"" NAME "\" <" NUMBER ">"), "\"\" <>");
    ck_assert_str_eq(masked(device, MASK_DROP, "PJSIP/" NUMBER "-0000002a"),
                     "PJSIP/*****-0000002a");
}
END_TEST

START_TEST(hashed_alike_in_every_field)
{
    ck_assert_str_eq(masked(mask_number, MASK_HMAC, "4930901820"), HASH);
    ck_assert_str_eq(masked(mask_number, MASK_HMAC, NUMBER), HASH);
    ck_assert_str_eq(masked(mask_number, MASK_HMAC, "00 49 (30) 901820"), HASH);
    ck_assert_str_eq(masked(mask_text, MASK_HMAC, NUMBER), HASH);
    ck_assert_str_eq(masked(device, MASK_HMAC, "PJSIP/" NUMBER "-0000002a"),
                     "PJSIP/" HASH "-0000002a");
    ck_assert_str_eq(masked(clid, MASK_HMAC, "\"\" <" NUMBER ">"), "\"\" <" HASH ">");
    ck_assert_str_ne(masked(mask_text, MASK_HMAC, NAME), NAME);
    ck_assert_uint_eq(strlen(masked(mask_text, MASK_HMAC, NAME)), strlen(HASH));
}
END_TEST

/* Last digits are not unique, and ids must stay so. */
START_TEST(ids_stay_apart)
{
    static const enum mask_mode modes[] = {MASK_DIGITS, MASK_HMAC, MASK_DROP};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(masked(id, modes[i], "Local/" NUMBER "@agents"), "Local/" HASH "@agents");
        ck_assert_str_eq(masked(id, modes[i], "call:" UNIQUEID ":1795219345926000:0@tap"),
                         "call:" UNIQUEID ":1795219345926000:0@tap");
        ck_assert_str_eq(masked(id, modes[i], UNIQUEID "/sales/2026-11-21T00:02:25.907123Z"),
                         UNIQUEID "/sales/2026-11-21T00:02:25.907123Z");
        ck_assert_str_eq(masked(id, modes[i], "4930901820"), HASH);
    }
}
END_TEST

START_TEST(clear_is_as_it_was)
{
    ck_assert_str_eq(masked(mask_number, MASK_CLEAR, NUMBER), NUMBER);
    ck_assert_str_eq(masked(mask_text, MASK_CLEAR, NAME), NAME);
    ck_assert_str_eq(masked(device, MASK_CLEAR, "PJSIP/" NUMBER), "PJSIP/" NUMBER);
}
END_TEST

/* A fact with the number in every string that it has. */
static struct slice full_fact(struct fact_builder *b)
{
    struct fact_head head = {.kind = FACT_CALL,
                             .time = TIME_US,
                             .pbx = SLICE("main"),
                             .subject = SLICE("Local/" NUMBER "@x"),
                             .key = SLICE(NUMBER),
                             .id = SLICE("call:" NUMBER ":1795219345926000:0")};
    fact_begin(b, &head);
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        fact_put_string(b, (enum fact_field)field, SLICE("x" NUMBER " " NAME));
    fact_open_array(b, FIELD_LEGS);
    fact_open_object(b, FIELD_LEGS);
    fact_put_string(b, FIELD_NUMBER, SLICE(NUMBER));
    fact_put_time(b, FIELD_START, TIME_US);
    fact_close(b);
    fact_close(b);
    fact_open_array(b, FIELD_ARGS);
    fact_put_string(b, FIELD_NAME, SLICE(NUMBER));
    fact_close(b);
    fact_open_object(b, FIELD_VARIABLES);
    fact_put_named(b, SLICE("SESSION"), SLICE(NAME));
    fact_close(b);
    return fact_finish(b);
}

static const char *rendered(enum mask_mode mode, struct slice fact)
{
    struct mask m = mask_of(mode);
    struct privacy *p = privacy_new(&m);
    struct json_out json = json_out_to(&text);
    buf_clear(&text);
    fact_json(privacy_mask(p, fact), &json);
    buf_put_char(&text, '\0');
    privacy_free(p);
    return text.p;
}

/* Which fields may show what they hold is an allow-list: a new one is asked for here. */
START_TEST(only_harmless_fields_show_anything)
{
    static const char *const harmless[] = {
#define PRIVACY_HARMLESS(name) name,
#define PRIVACY_DEVICE(name)
#define PRIVACY_ID(name)
#define PRIVACY_NUMBER(name)
#define PRIVACY_TEXT(name)
#define PRIVACY_CLID(name)
#define PRIVACY_ARGS(name)
#define FACT_FIELD(field, name, privacy) PRIVACY_##privacy(name)
#include "schemas/fact_fields.def"
#undef FACT_FIELD
    };
    struct fact_builder b = fact_builder_new();
    struct slice fact = full_fact(&b);
    size_t shown = 0;
    const char *json = rendered(MASK_DROP, fact);
    for (const char *at = json; (at = strstr(at, NUMBER)); at++)
        shown++;
    ck_assert_uint_eq(shown, sizeof(harmless) / sizeof(harmless[0]));
    ck_assert_ptr_nonnull(strstr(json, "\"start\":\"2026-11-21"));
    ck_assert_ptr_nonnull(strstr(json, "\"args\":[\"\"]"));
    ck_assert_ptr_nonnull(strstr(json, "\"variables\":{\"SESSION\":\"\"}"));
    fact_builder_free(&b);
}
END_TEST

START_TEST(clear_is_not_copied)
{
    struct mask m = mask_of(MASK_CLEAR);
    struct privacy *p = privacy_new(&m);
    struct fact_builder b = fact_builder_new();
    struct slice fact = full_fact(&b);
    ck_assert_ptr_eq(privacy_mask(p, fact).p, fact.p);
    ck_assert_ptr_eq(privacy_mask(NULL, fact).p, fact.p);
    ck_assert_str_eq(privacy_name(p), "clear");
    fact_builder_free(&b);
    privacy_free(p);
}
END_TEST

START_TEST(names_tell_policies_and_keys_apart)
{
    struct mask m = mask_of(MASK_HMAC);
    struct privacy *p = privacy_new(&m);
    m.key[0] = 'K';
    struct privacy *other_key = privacy_new(&m);
    m.mode = MASK_DIGITS;
    struct privacy *digits = privacy_new(&m);
    ck_assert_uint_eq(strlen(privacy_name(p)), strlen("hmac:4:p1:12345678"));
    ck_assert(strncmp(privacy_name(p), "hmac:4:p1:", 10) == 0);
    ck_assert(strncmp(privacy_name(digits), "digits:3:4:p1:", 14) == 0);
    ck_assert_str_ne(privacy_name(p), privacy_name(other_key));
    privacy_free(p);
    privacy_free(other_key);
    privacy_free(digits);
}
END_TEST

/* Seconds and unique ids in queue_log are no numbers of anybody; an ENTERQUEUE has the caller's. */
START_TEST(arguments_by_event)
{
    static const char *const events[] = {"RINGNOANSWER", "ENTERQUEUE"};
    static const char *const args[] = {"\"args\":[\"15000\",\"" NUMBER "\"]",
                                       "\"args\":[\"*****00\",\"*****820\"]"};
    for (size_t i = 0; i < 2; i++) {
        struct fact_builder b = fact_builder_new();
        struct fact_head head = {.kind = FACT_QUEUE_LOG,
                                 .time = TIME_US,
                                 .pbx = SLICE("main"),
                                 .subject = SLICE(UNIQUEID),
                                 .key = SLICE("740521"),
                                 .id = SLICE("queue_log:" UNIQUEID)};
        fact_begin(&b, &head);
        fact_put_string(&b, FIELD_EVENT, slice_from(events[i]));
        fact_open_array(&b, FIELD_ARGS);
        fact_put_string(&b, FIELD_ARGS, SLICE("15000"));
        fact_put_string(&b, FIELD_ARGS, SLICE(NUMBER));
        fact_close(&b);
        ck_assert_ptr_nonnull(strstr(rendered(MASK_DIGITS, fact_finish(&b)), args[i]));
        fact_builder_free(&b);
    }
}
END_TEST

static void setup(void)
{
    text = buf_new((size_t)1 << 20);
}

static void teardown(void)
{
    buf_free(&text);
}

int main(void)
{
    Suite *suite = suite_create("privacy");
    TCase *tcase = tcase_create("privacy");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, last_digits);
    tcase_add_test(tcase, dropped);
    tcase_add_test(tcase, hashed_alike_in_every_field);
    tcase_add_test(tcase, ids_stay_apart);
    tcase_add_test(tcase, clear_is_as_it_was);
    tcase_add_test(tcase, only_harmless_fields_show_anything);
    tcase_add_test(tcase, clear_is_not_copied);
    tcase_add_test(tcase, names_tell_policies_and_keys_apart);
    tcase_add_test(tcase, arguments_by_event);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
