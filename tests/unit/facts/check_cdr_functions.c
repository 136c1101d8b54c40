/* SPDX-License-Identifier: MIT */
/* What Set, MSet, ForkCDR and ResetCDR do to the rows of one chain, and which application ExecIf,
 * Exec and TryExec run inside (cdr-rules 7.9, 7.10, 7.13; Asterisk 22). */
#include "collector/facts/cdr_functions.h"

#include "tests/unit/facts/facts_kit.h"

#define NOW 2000000

static struct channel *channel;
static struct cdr_options options;

static void setup(void)
{
    struct snapshot_values v = {
        .text = {[SNAPSHOT_UNIQUEID] = SLICE("1.1"), [SNAPSHOT_LINKEDID] = SLICE("1.1")},
        .state = 6};
    channel = channel_new(&v, 1000000);
    ck_assert_ptr_nonnull(cdr_chain_new(channel, 1000000));
}

static void teardown(void)
{
    cdr_chain_free(channel->chain);
    channel_free(channel);
}

static void run(const char *application, const char *data)
{
    struct cdr_message m = {channel, channel->now, channel->now, NOW, &options, 0};
    cdr_run_application(channel->chain, slice_from(application), slice_from(data), &m);
}

static const char *userfield(void)
{
    const char *text = channel->chain->first->userfield_a;
    return text ? text : "";
}

START_TEST(set_takes_one_assignment)
{
    run("Set", "CDR(userfield)=a,b=c");
    ck_assert_str_eq(userfield(), "a,b=c");
    run("set", "cdr(USERFIELD)=again");
    ck_assert_str_eq(userfield(), "again");
    run("Set", "CDR(userfield)=");
    ck_assert_str_eq(userfield(), "");
}
END_TEST

START_TEST(other_assignments_are_nothing)
{
    static const char *const data[] = {"",
                                       "=",
                                       "CDR(userfield)",
                                       "userfield=x",
                                       "CDR=x",
                                       "CDR(=x",
                                       "CDR)=x",
                                       "()=x",
                                       "CDR(userfield=x",
                                       "CDR(billsec)=x",
                                       "CHANNEL(userfield)=x",
                                       "CDR_PROP(disabled)=1",
                                       "X(CDR(userfield))=x"};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        run("Set", data[i]);
        run("MSet", data[i]);
    }
    run("NoOp", "CDR(userfield)=x");
    ck_assert_str_eq(userfield(), "");
    ck_assert_uint_eq(channel->chain->first->flags, 0);
}
END_TEST

START_TEST(mset_takes_several)
{
    run("MSet", "X=1,CDR(userfield)=two,Y=3");
    ck_assert_str_eq(userfield(), "two");
    run("MSet", "CDR(userfield)=\"a, b\",CDR_PROP(disable)=yes");
    ck_assert_str_eq(userfield(), "a, b");
    ck_assert_uint_eq(channel->chain->first->flags, CDR_DISABLED | CDR_DISABLED_FOR_ALL_LATER);
    run("MSet", "X=f(a,b),CDR(userfield)=behind");
    ck_assert_str_eq(userfield(), "behind");
    run("MSet", ",,CDR(userfield)=commas,,");
    ck_assert_str_eq(userfield(), "commas");
}
END_TEST

/* As Asterisk reads a boolean. */
START_TEST(disable_goes_on_and_off)
{
    static const char *const yes[] = {"yes", "True", "y", "T", "1", "ON"};
    static const char *const no[] = {"no", "0", "", "off", "2"};
    char data[32];
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        snprintf(data, sizeof(data), "CDR_PROP(disable)=%s", yes[i]);
        run("Set", data);
        ck_assert_msg(channel->chain->first->flags & CDR_DISABLED, "%s", yes[i]);
        snprintf(data, sizeof(data), "CDR_PROP(disable)=%s", no[i % 5]);
        run("Set", data);
        ck_assert_msg(!(channel->chain->first->flags & CDR_DISABLED), "%s", no[i % 5]);
    }
}
END_TEST

START_TEST(party_a_is_only_ever_set)
{
    run("Set", "CDR_PROP(party_a)=0");
    ck_assert(!(snapshot_flags(channel->now) & SNAPSHOT_PARTY_A));
    run("Set", "CDR_PROP(party_a)=1");
    ck_assert(snapshot_flags(channel->now) & SNAPSHOT_PARTY_A);
    ck_assert_ptr_eq(channel->chain->first->a, channel->now);
    run("Set", "CDR_PROP(party_a)=0");
    ck_assert(snapshot_flags(channel->now) & SNAPSHOT_PARTY_A);
}
END_TEST

START_TEST(amaflags_by_number_or_name)
{
    static const struct {
        const char *data;
        enum snapshot_ama ama;
    } sets[] = {{"CDR(amaflags)=omit", SNAPSHOT_AMA_OMIT},
                {"CHANNEL(amaflags)=2", SNAPSHOT_AMA_BILLING},
                {"CDR(amaflags)=1", SNAPSHOT_AMA_OMIT},
                {"CHANNEL(AMAFLAGS)=Billing", SNAPSHOT_AMA_BILLING},
                {"CDR(amaflags)=3", SNAPSHOT_AMA_DOCUMENTATION}};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        run("Set", sets[i].data);
        ck_assert_int_eq(snapshot_values(channel->now).ama, sets[i].ama);
    }
}
END_TEST

START_TEST(fork_copies_the_last_row)
{
    run("Set", "CDR(userfield)=kept");
    run("ForkCDR", "");
    const struct cdr_chain *chain = channel->chain;
    ck_assert_uint_eq(chain->count, 2);
    ck_assert_int_eq(chain->last->start, 1000000);
    ck_assert_int_eq(chain->last->answer, 1000000);
    ck_assert_int_eq(chain->first->state, CDR_SINGLE);
    run("ForkCDR", "a");
    ck_assert_int_eq(chain->last->start, 1000000);
    ck_assert_int_eq(chain->last->answer, NOW);
    run("ForkCDR", "r");
    ck_assert_int_eq(chain->last->start, NOW);
    run("ForkCDR", "e");
    ck_assert_uint_eq(chain->count, 5);
    for (const struct cdr_row *row = chain->first; row != chain->last; row = row->next)
        ck_assert_int_eq(row->state, CDR_FINALISED);
    ck_assert_int_eq(chain->last->state, CDR_SINGLE);
}
END_TEST

/* A ForkCDR in a loop. */
START_TEST(rows_are_bounded)
{
    for (unsigned n = 1; n < CDR_CHAIN_ROWS_MAX - 1; n++)
        run("ForkCDR", "");
    ck_assert_uint_eq(channel->chain->count, CDR_CHAIN_ROWS_MAX - 1);
    run("ForkCDR", "e");
    ck_assert_uint_eq(channel->chain->count, CDR_CHAIN_ROWS_MAX);
    run("ForkCDR", "e");
    ck_assert_uint_eq(channel->chain->count, CDR_CHAIN_ROWS_MAX);
    ck_assert_ptr_null(cdr_chain_append(channel->chain, NULL, CDR_OPENED_FORKED, NOW));
    struct cdr_row *row = cdr_row_new(channel->now, NOW);
    ck_assert(!cdr_chain_restore(channel, row));
    cdr_row_free(row);
}
END_TEST

START_TEST(finalised_last_row_is_not_forked)
{
    cdr_row_finalise(channel->chain->first, CDR_CLOSED_HUNG_UP, &options);
    run("ForkCDR", "");
    ck_assert_uint_eq(channel->chain->count, 1);
}
END_TEST

/* Finalised rows that have a successor keep their userfield. */
START_TEST(earlier_finalised_rows_are_not_written)
{
    run("Set", "CDR(userfield)=first");
    run("ForkCDR", "e");
    run("Set", "CDR(userfield)=second");
    ck_assert_str_eq(channel->chain->first->userfield_a, "first");
    ck_assert_str_eq(channel->chain->last->userfield_a, "second");
    cdr_row_finalise(channel->chain->last, CDR_CLOSED_HUNG_UP, &options);
    run("Set", "CDR(userfield)=third");
    ck_assert_str_eq(channel->chain->last->userfield_a, "third");
}
END_TEST

START_TEST(reset_starts_all_rows_anew)
{
    run("ForkCDR", "e");
    run("ResetCDR", "");
    for (const struct cdr_row *row = channel->chain->first; row; row = row->next) {
        ck_assert_int_eq(row->start, NOW);
        ck_assert_int_eq(row->answer, NOW);
        ck_assert_int_eq(row->end, 0);
    }
}
END_TEST

/* "application(data)", or "none". */
static const char *inner(const char *application, const char *data)
{
    static char text[128];
    struct slice a, d;
    if (!cdr_inner_application(slice_from(application), slice_from(data), &a, &d))
        return "none";
    snprintf(text, sizeof(text), "%.*s(%.*s)", (int)a.n, a.p, (int)d.n, d.n ? d.p : "");
    return text;
}

START_TEST(exec_runs_what_it_is_given)
{
    ck_assert_str_eq(inner("Exec", "Playback(hello)"), "Playback(hello)");
    ck_assert_str_eq(inner("tryexec", "Hangup()"), "Hangup()");
    ck_assert_str_eq(inner("Exec", "Set(X=f(1))"), "Set(X=f(1))");
    ck_assert_str_eq(inner("Exec", "Playback"), "none");
    ck_assert_str_eq(inner("Exec", "(hello)"), "none");
    ck_assert_str_eq(inner("Exec", ""), "none");
    ck_assert_str_eq(inner("Playback", "Exec(hello)"), "none");
}
END_TEST

START_TEST(execif_runs_one_branch)
{
    ck_assert_str_eq(inner("ExecIf", "1?Playback(yes):Playback(no)"), "Playback(yes)");
    ck_assert_str_eq(inner("ExecIf", "0?Playback(yes):Playback(no)"), "Playback(no)");
    ck_assert_str_eq(inner("ExecIf", "?Playback(yes):Playback(no)"), "Playback(no)");
    ck_assert_str_eq(inner("execif", "word?Playback(yes)"), "Playback(yes)");
    ck_assert_str_eq(inner("ExecIf", "1?Set(X=a:b):Playback(no)"), "Set(X=a:b)");
    ck_assert_str_eq(inner("ExecIf", "0?Set(X=a:b):Set(Y=(c))"), "Set(Y=(c))");
    ck_assert_str_eq(inner("ExecIf", "0?Playback(yes)"), "none");
    ck_assert_str_eq(inner("ExecIf", "1?"), "none");
    ck_assert_str_eq(inner("ExecIf", "1"), "none");
    ck_assert_str_eq(inner("ExecIf", ""), "none");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("cdr_functions");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, set_takes_one_assignment);
    tcase_add_test(tcase, other_assignments_are_nothing);
    tcase_add_test(tcase, mset_takes_several);
    tcase_add_test(tcase, disable_goes_on_and_off);
    tcase_add_test(tcase, party_a_is_only_ever_set);
    tcase_add_test(tcase, amaflags_by_number_or_name);
    tcase_add_test(tcase, fork_copies_the_last_row);
    tcase_add_test(tcase, rows_are_bounded);
    tcase_add_test(tcase, finalised_last_row_is_not_forked);
    tcase_add_test(tcase, earlier_finalised_rows_are_not_written);
    tcase_add_test(tcase, reset_starts_all_rows_anew);
    tcase_add_test(tcase, exec_runs_what_it_is_given);
    tcase_add_test(tcase, execif_runs_one_branch);
    return kit_run("cdr_functions", tcase);
}
