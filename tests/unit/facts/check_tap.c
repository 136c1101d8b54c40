/* SPDX-License-Identifier: MIT */
/* Every folder of case/ shows one rule: an AMI stream (input), the facts it gives (expect), and,
 * where it needs them, options (facts_kit.h). A new case is a new folder. A file "wrong" in it says
 * what is known to be wrong with the tap: the case must fail then. AMITAP_CASE names a case to be
 * run alone. */
#include "tests/unit/facts/facts_kit.h"

#include "collector/facts/agent.h"

#include <dirent.h>
#include <stdlib.h>

#define CASES "tests/unit/facts/case"

struct printer {
    FILE *to;
    const struct kit_options *options;
};

static void print(void *ctx, struct slice fact)
{
    const struct printer *p = ctx;
    kit_print(p->to, fact, p->options);
}

static struct slice read_of(const char *name, const char *file)
{
    char path[512];
    snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
    return kit_read(path);
}

/* The lines of all facts that the input gives; to be freed. */
static struct slice replay(struct slice input, const struct kit_options *options)
{
    char *text = NULL;
    size_t n = 0;
    struct printer p = {open_memstream(&text, &n), options};
    struct tap *tap = tap_new(&options->tap, print, &p);
    struct kit_stream stream = kit_stream(input);
    while (kit_step(&stream, tap))
        continue;
    ck_assert_msg(stream.rest.n == 0, "the last block lacks its blank line");
    tap_free(tap);
    fclose(p.to);
    return (struct slice){text, n};
}

/* Whether the case is as it should be; says what is not. */
static bool judge(const char *name, struct slice got, struct slice expected)
{
    struct slice wrong = read_of(name, "wrong");
    bool equal = slice_equal(got, expected), known = wrong.n > 0;
    if (equal && known)
        printf("case %s is right now: delete its file \"wrong\"\n", name);
    else if (known && !getenv("AMITAP_CASE"))
        printf("case %s: %.*s", name, (int)wrong.n, wrong.p);
    else if (!equal)
        printf("case %s\n--- expected\n%.*s--- got\n%.*s", name, (int)expected.n, expected.p,
               (int)got.n, got.p);
    free((char *)wrong.p);
    return equal != known;
}

static bool run_case(const char *name)
{
    struct slice input = read_of(name, "input"), expected = read_of(name, "expect");
    struct slice words = read_of(name, "options");
    ck_assert_msg(input.n && expected.p, "%s: no input or no expect", name);
    struct kit_options options = kit_options(words);
    struct slice got = replay(input, &options);
    bool right = judge(name, got, expected);
    free((char *)input.p);
    free((char *)expected.p);
    free((char *)words.p);
    free((char *)got.p);
    return right;
}

static int is_case(const struct dirent *d)
{
    const char *only = getenv("AMITAP_CASE");
    return d->d_name[0] != '.' && (!only || strcmp(only, d->d_name) == 0);
}

START_TEST(cases_give_what_is_expected)
{
    struct dirent **names;
    int n = scandir(CASES, &names, is_case, alphasort);
    int wrong = 0;
    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        wrong += !run_case(names[i]->d_name);
        free(names[i]);
    }
    free(names);
    printf("%d cases\n", n);
    fflush(stdout);
    ck_assert_msg(wrong == 0, "%d of %d cases are wrong", wrong, n);
}
END_TEST

static void feed(struct tap *tap, const char *text)
{
    struct kit_stream stream = kit_stream(slice_from(text));
    while (kit_step(&stream, tap))
        continue;
}

/* Memberships past what an agent has room for count with what tables have none for. */
START_TEST(memberships_left_out_are_counted)
{
    struct tap_options options = tap_options_default(SLICE("main"));
    struct kit_options kit = {.tap = options};
    struct printer p = {stdout, &kit};
    struct tap *tap = tap_new(&options, print, &p);
    char text[128];
    for (unsigned i = 0; i < AGENT_MEMBERSHIPS_MAX + 3; i++) {
        snprintf(text, sizeof(text),
                 "Event: QueueMemberAdded\nTimestamp: 1\nQueue: q%u\nMemberName: Ann\n"
                 "Interface: PJSIP/2\n\n",
                 i);
        feed(tap, text);
    }
    ck_assert_uint_eq(tap_counters(tap).refused, 3);
    tap_free(tap);
}
END_TEST

#define BRIDGES 150000

/* The time limit is what one pass over them for each would exceed. */
START_TEST(bridges_are_forgotten_in_one_pass)
{
    struct tap_options options = tap_options_default(SLICE("main"));
    struct kit_options kit = {.tap = options};
    struct printer p = {stdout, &kit};
    struct tap *tap = tap_new(&options, print, &p);
    char text[128];
    for (int i = 0; i < BRIDGES; i++) {
        int n =
            snprintf(text, sizeof(text),
                     "Event: BridgeInfoComplete\nBridgeUniqueid: b%d\nBridgeType: basic\n\n", i);
        struct kit_stream stream = kit_stream((struct slice){text, (size_t)n});
        ck_assert(kit_step(&stream, tap));
    }
    ck_assert_uint_eq(tap_counters(tap).bridges, BRIDGES);
    tap_snapshot_end(tap, 1);
    ck_assert_uint_eq(tap_counters(tap).bridges, 0);
    tap_free(tap);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("tap");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, cases_give_what_is_expected);
    tcase_add_test(tcase, memberships_left_out_are_counted);
    tcase_add_test(tcase, bridges_are_forgotten_in_one_pass);
    return kit_run("tap", tcase);
}
