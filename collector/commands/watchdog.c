/* SPDX-License-Identifier: MIT */
#include "collector/commands/watchdog.h"

#include "collector/base/notify.h"
#include "parsers/ami_text.h"
#include <stdlib.h>
#include <unistd.h>

#define EVERY_MAX_US INT64_C(86400000000) /* a day */

static bool number_of(const char *name, int64_t *ret_value)
{
    const char *text = getenv(name);
    return text && ami_text_int_within(slice_from(text), 1, EVERY_MAX_US, ret_value);
}

struct watchdog watchdog_from_environment(void)
{
    int64_t us = 0, pid = 0;
    bool ours = !number_of("WATCHDOG_PID", &pid) || pid == getpid();
    return (struct watchdog){.every_us = ours && number_of("WATCHDOG_USEC", &us) ? us / 4 : 0};
}

bool watchdog_feed(struct watchdog *w, int64_t now_us, uint64_t turns)
{
    if (!w->every_us || now_us - w->fed_at < w->every_us || turns == w->turns)
        return false;
    w->fed_at = now_us;
    w->turns = turns;
    notify_watchdog();
    return true;
}
