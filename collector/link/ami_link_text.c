/* SPDX-License-Identifier: MIT */
#include "collector/link/ami_link.h"
#include <stdio.h>

const char *ami_link_state_name(enum ami_link_state state)
{
    static const char *const names[] = {[AMI_LINK_STOPPED] = "stopped",
                                        [AMI_LINK_WAITING] = "waiting",
                                        [AMI_LINK_RESOLVING] = "resolving",
                                        [AMI_LINK_CONNECTING] = "connecting",
                                        [AMI_LINK_GREETING] = "greeting",
                                        [AMI_LINK_CHALLENGING] = "challenging",
                                        [AMI_LINK_LOGGING_IN] = "logging in",
                                        [AMI_LINK_BOOTING] = "booting",
                                        [AMI_LINK_SNAPSHOT] = "taking a snapshot",
                                        [AMI_LINK_LIVE] = "live",
                                        [AMI_LINK_LEAVING] = "leaving"};
    return names[state];
}

static const char *reason_text(enum ami_link_reason reason)
{
    switch (reason) {
    case AMI_LINK_NO_ADDRESS:
        return "no address found for";
    case AMI_LINK_NOT_CONNECTED:
        return "cannot connect to";
    case AMI_LINK_CONNECT_TIMEOUT:
        return "connecting took too long:";
    case AMI_LINK_NOT_TRUSTED:
        return "no trusted TLS connection to";
    case AMI_LINK_NO_AMI:
        return "no Asterisk manager interface at";
    case AMI_LINK_LOGIN_REFUSED:
        return "LOG-IN REFUSED by";
    case AMI_LINK_LOGIN_TIMEOUT:
        return "no answer to the log-in from";
    case AMI_LINK_LOST:
        return "connection lost to";
    case AMI_LINK_PBX_SHUTDOWN:
        return "Asterisk was shut down at";
    case AMI_LINK_SILENT:
        return "no answer to pings from";
    case AMI_LINK_FINE:
    case AMI_LINK_ASKED:
        break;
    }
    return "";
}

bool ami_link_change_is_fault(const struct ami_link_change *change)
{
    return change->reason != AMI_LINK_FINE && change->reason != AMI_LINK_ASKED;
}

bool ami_link_change_text(const char *name, const struct ami_link_change *change, char *text,
                          size_t size)
{
    if (ami_link_change_is_fault(change)) {
        int n = snprintf(text, size, "pbx %s: %s %s:%u%s%s", name, reason_text(change->reason),
                         change->host, change->port, *change->detail ? ": " : "", change->detail);
        if (change->to == AMI_LINK_WAITING && n >= 0 && (size_t)n < size) {
            double seconds = (double)change->delay_us / 1e6;
            snprintf(text + n, size - (size_t)n, "; next attempt in %.1f s", seconds);
        } else if (change->to == AMI_LINK_RESOLVING && n >= 0 && (size_t)n < size) {
            snprintf(text + n, size - (size_t)n, "; trying another host");
        }
        return true;
    }
    switch (change->to) {
    case AMI_LINK_BOOTING:
        snprintf(text, size, "pbx %s: logged in to %s:%u", name, change->host, change->port);
        return true;
    case AMI_LINK_LIVE:
        snprintf(text, size, "pbx %s: snapshot taken, following events", name);
        return true;
    case AMI_LINK_STOPPED:
        snprintf(text, size, "pbx %s: %s", name,
                 change->from == AMI_LINK_LEAVING ? "logged off" : "stopped");
        return true;
    default:
        return false;
    }
}
