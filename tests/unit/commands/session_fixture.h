/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_COMMANDS_SESSION_FIXTURE_H
#define TESTS_UNIT_COMMANDS_SESSION_FIXTURE_H

#include "collector/commands/session.h"
#include "tests/unit/outbox/store_fixture.h"

#include <event2/event.h>
#include <string.h>

/* What the tests of sessions share: one PBX, configured in the test's directory. */

static struct config *config;
static struct event_base *base;
static struct resolver *resolver;
static struct ring *ring;
static struct publish *publish;
static struct session *session;

static inline void session_setup(void)
{
    store_setup();
    base = event_base_new();
    resolver = resolver_new(base);
}

static inline void session_configure(unsigned port, const char *secret)
{
    FILE *f = fopen(in_directory("conf"), "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "pbx main {\n host = 127.0.0.1\n port = %u\n user = tap\n secret = '%s'\n"
            " tap = one\n}\nstore { path = '%s' }\n",
            port, secret, in_directory("db"));
    fclose(f);
    struct config_report *report = config_report_new();
    config = config_load(in_directory("conf"), report);
    config_report_free(report);
    ck_assert_ptr_nonnull(config);
}

/* env's loop and where it publishes to are added. */
static inline void session_make(struct session_env env)
{
    ring = ring_new((size_t)1 << 20);
    publish = publish_new(ring, NULL);
    env.link.base = base;
    env.link.resolver = resolver;
    env.link.random = random_system();
    env.publish = publish;
    session = session_new(config_pbx(config, 0), &env);
    ck_assert_ptr_nonnull(session);
}

static inline void session_unmake(void)
{
    session_free(session);
    publish_free(publish);
    ring_free(ring);
}

static inline void session_teardown(void)
{
    resolver_free(resolver);
    event_base_free(base);
    config_free(config);
    store_teardown();
}

#endif
