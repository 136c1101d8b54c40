/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_pbx.h"
#include "tests/amisim/sim_frame.h"
#include "tests/amisim/sim_lists.h"
#include "tests/amisim/sim_recording.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define AUTH_FAILED_MS 1000u
#define LINE_MAX_BYTES 1023u /* main/manager.c reads a line into 1024 bytes */

int64_t sim_pbx_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void answer_ping(struct sim_reply *r)
{
    int64_t now = sim_pbx_now();
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "Ping", SLICE("Pong"));
    buf_printf(r->out, "Timestamp: %lld.%06lld\r\n", (long long)(now / 1000000),
               (long long)(now % 1000000));
    sim_reply_end(r);
}

static void answer_events(struct sim_reply *r)
{
    struct sim_account *account = sim_session_account(r->session);
    struct slice mask = sim_frame_get(r->lines, "EventMask");
    account->events = sim_class_mask(mask) & r->pbx->read;
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "Events", account->events ? SLICE("On") : SLICE("Off"));
    sim_reply_end(r);
}

static void answer_logoff(struct sim_reply *r)
{
    sim_reply_response(r, "Goodbye", "Thanks for all the fish.");
    sim_reply_end(r);
    sim_session_end(r->session);
}

static void answer_challenge(struct sim_reply *r)
{
    struct sim_account *account = sim_session_account(r->session);
    uint32_t random = 0;
    if (!sim_frame_same(sim_frame_get(r->lines, "AuthType"), "MD5")) {
        sim_reply_error(r, "Must specify AuthType");
        return;
    }
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = (uint32_t)sim_pbx_now();
    snprintf(account->challenge, sizeof(account->challenge), "%u",
             100000000u + random % 900000000u);
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "Challenge", slice_from(account->challenge));
    sim_reply_end(r);
}

/* The MD5 of challenge and secret in hex, as a client proves that it knows the secret. */
static bool md5_key(const char *challenge, const char *secret, char key[33])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(md, challenge, strlen(challenge)) == 1 &&
              EVP_DigestUpdate(md, secret, strlen(secret)) == 1 &&
              EVP_DigestFinal_ex(md, sum, &n) == 1 && n == 16;
    EVP_MD_CTX_free(md);
    for (size_t i = 0; ok && i < n; i++)
        snprintf(key + 2 * i, 3, "%02x", sum[i]);
    return ok;
}

static bool login_is_right(const struct sim_reply *r, const struct sim_account *account)
{
    char key[33];
    if (!slice_is(sim_frame_get(r->lines, "Username"), r->pbx->user))
        return false;
    if (!sim_frame_same(sim_frame_get(r->lines, "AuthType"), "MD5"))
        return slice_is(sim_frame_get(r->lines, "Secret"), r->pbx->secret);
    return account->challenge[0] && md5_key(account->challenge, r->pbx->secret, key) &&
           sim_frame_same(sim_frame_get(r->lines, "Key"), key);
}

static void send_fully_booted(struct sim_reply *r)
{
    int64_t up = (sim_pbx_now() - r->pbx->started_us) / 1000000;
    sim_reply_line(r, "Event", SLICE("FullyBooted"));
    sim_reply_line(r, "Privilege", SLICE("system,all"));
    sim_reply_number(r, "Uptime", up);
    sim_reply_number(r, "LastReload", up);
    sim_reply_line(r, "Status", SLICE("Fully Booted"));
    sim_reply_end(r);
}

static enum sim_verdict answer_login(struct sim_reply *r)
{
    struct sim_account *account = sim_session_account(r->session);
    if (!login_is_right(r, account)) {
        char text[256];
        struct buf last = buf_new(sizeof(text));
        struct buf *out = r->out;
        r->out = &last;
        sim_reply_error(r, "Authentication failed");
        r->out = out;
        sim_session_end_later(r->session, AUTH_FAILED_MS, buf_slice(&last));
        buf_free(&last);
        return SIM_FAILED;
    }
    struct slice mask = sim_frame_get(r->lines, "Events");
    account->logged_in = true;
    account->events = r->pbx->read & (mask.p ? sim_class_mask(mask) : SIM_CLASS_ALL);
    sim_reply_response(r, "Success", "Authentication accepted");
    sim_reply_end(r);
    if (account->events & sim_class_bits(SLICE("system")))
        send_fully_booted(r);
    return SIM_ALLOWED;
}

/* What Asterisk 22 has an action for, and what it asks of an account: any of these classes, or
 * nothing. Those without an answer here are refused whatever the account may do; the list of
 * those that need no class is complete, of the rest it has what people use. */
struct action {
    const char *name;
    const char *classes;
    void (*answer)(struct sim_reply *r);
    const char *synopsis;
};

static void answer_commands(struct sim_reply *r);

static const struct action actions[] = {
    {"BridgeDestroy", "", NULL, "Destroy a bridge."},
    {"BridgeInfo", "", sim_list_bridge, "Get information about a bridge."},
    {"BridgeKick", "", NULL, "Kick a channel from a bridge."},
    {"BridgeList", "", sim_list_bridges, "Get a list of bridges in the system."},
    {"Challenge", "", answer_challenge, "Generate Challenge for MD5 Auth."},
    {"ConfbridgeList", "reporting", sim_list_room, "List participants in a conference."},
    {"ConfbridgeListRooms", "reporting", sim_list_rooms, "List active conferences."},
    {"CoreSettings", "system,reporting", sim_answer_settings,
     "Show PBX core settings (version etc)."},
    {"CoreShowChannels", "system,reporting", sim_list_channels, "List currently active channels."},
    {"CoreStatus", "system,reporting", sim_answer_status, "Show PBX core status variables."},
    {"DeviceStateList", "call,reporting", sim_list_devices,
     "List the current known device states."},
    {"Events", "", answer_events, "Control Event Flow."},
    {"ListCommands", "", answer_commands, "List available manager commands."},
    {"Logoff", "", answer_logoff, "Logoff Manager."},
    {"PJSIPShowRegistrationsOutbound", "system,reporting", sim_list_registrations,
     "Lists PJSIP outbound registrations."},
    {"Ping", "", answer_ping, "Keepalive command."},
    {"QueueChangePriorityCaller", "", NULL, "Change priority of a caller on queue."},
    {"QueueReload", "", NULL, "Reload a queue, queues, or any sub-section of a queue or queues."},
    {"QueueReset", "", NULL, "Reset queue statistics."},
    {"QueueRule", "", NULL, "Queue Rules."},
    {"QueueStatus", "", sim_list_queues, "Show queue status."},
    {"QueueSummary", "", sim_list_queue_summary, "Show queue summary."},
    {"QueueWithdrawCaller", "", NULL,
     "Request to withdraw a caller from the queue back to the dialplan."},
    {"Status", "system,call,reporting", sim_list_status, "List channel status."},
    {"WaitEvent", "", NULL, "Wait for an event to occur."},
    {"AbsoluteTimeout", "system,call", NULL, "Set absolute timeout."},
    {"Atxfer", "call", NULL, "Attended transfer."},
    {"BlindTransfer", "call", NULL, "Blind transfer channel(s) to the given destination"},
    {"Bridge", "call", NULL, "Bridge two channels already in the PBX."},
    {"Command", "command", NULL, "Execute Asterisk CLI Command."},
    {"ConfbridgeKick", "call", NULL, "Kick a Confbridge user."},
    {"DBDel", "system", NULL, "Delete DB entry."},
    {"DBGet", "system,reporting", NULL, "Get DB Entry."},
    {"DBPut", "system", NULL, "Put DB entry."},
    {"Filter", "system", NULL, "Dynamically add filters for the current manager session."},
    {"Getvar", "call,reporting", NULL, "Gets a channel variable or function value."},
    {"Hangup", "system,call", NULL, "Hangup channel."},
    {"MixMonitor", "system,call", NULL, "Record a call and mix the audio during the recording."},
    {"ModuleLoad", "system", NULL, "Module management."},
    {"Originate", "originate", NULL, "Originate a call."},
    {"PJSIPQualify", "system,reporting", NULL, "Qualify a chan_pjsip endpoint."},
    {"PJSIPUnregister", "system,reporting", NULL, "Unregister an outbound registration."},
    {"QueueAdd", "agent", NULL, "Add interface to queue."},
    {"QueuePause", "agent", NULL, "Makes a queue member temporarily unavailable."},
    {"QueueRemove", "agent", NULL, "Remove interface from queue."},
    {"Redirect", "call", NULL, "Redirect (transfer) a call."},
    {"Reload", "system,config", NULL, "Send a reload event."},
    {"Setvar", "call", NULL, "Sets a channel variable or function value."},
    {"UserEvent", "user", NULL, "Send an arbitrary event."},
};

#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))

static bool may(const struct sim_pbx *pbx, const struct action *a)
{
    return !*a->classes || (sim_class_bits(slice_from(a->classes)) & pbx->write);
}

static void answer_commands(struct sim_reply *r)
{
    sim_reply_response(r, "Success", NULL);
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (may(r->pbx, &actions[i]))
            buf_printf(r->out, "%s: %s  (Priv: %s%s)\r\n", actions[i].name, actions[i].synopsis,
                       *actions[i].classes ? actions[i].classes : "<none>",
                       *actions[i].classes ? ",all" : "");
    sim_reply_end(r);
}

static const struct action *action_find(struct slice name)
{
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (sim_frame_same(name, actions[i].name))
            return &actions[i];
    return NULL;
}

static bool has_long_line(struct slice lines)
{
    struct slice line;
    while (sim_frame_line(&lines, &line))
        if (line.n > LINE_MAX_BYTES)
            return true;
    return false;
}

static enum sim_verdict reply_unknown(struct sim_reply *r, struct slice name)
{
    char text[192];
    snprintf(text, sizeof(text),
             "Invalid/unknown command: %.*s. Use Action: ListCommands to show available commands.",
             (int)name.n, name.p);
    sim_reply_error(r, text);
    return SIM_UNKNOWN;
}

static enum sim_verdict dispatch(struct sim_reply *r, struct slice name)
{
    bool logged_in = sim_session_account(r->session)->logged_in;
    const struct action *a = action_find(name);
    bool open = sim_frame_same(name, "Logoff") || sim_frame_same(name, "Challenge");
    if (has_long_line(r->lines)) {
        sim_reply_error(r, "Failed to parse message: line too long");
        return SIM_REFUSED;
    }
    if (!name.n) {
        sim_reply_error(r, "Missing action in request");
        return SIM_UNKNOWN;
    }
    if (sim_frame_same(name, "Login"))
        return answer_login(r);
    if (logged_in && !a)
        return reply_unknown(r, name);
    if (!a || (!logged_in && !open) || !a->answer || !may(r->pbx, a)) {
        sim_reply_error(r, "Permission denied");
        return SIM_REFUSED;
    }
    a->answer(r);
    return SIM_ALLOWED;
}

void sim_pbx_greet(const struct sim_pbx *pbx, struct sim_session *s)
{
    buf_printf(sim_session_out(s), "Asterisk Call Manager/%s\r\n", pbx->version);
}

void sim_pbx_action(struct sim_pbx *pbx, struct sim_session *s, struct slice lines)
{
    struct sim_reply r = {.pbx = pbx,
                          .session = s,
                          .out = sim_session_out(s),
                          .lines = lines,
                          .id = sim_frame_get(lines, "ActionID")};
    struct slice name = slice_head(sim_frame_get(lines, "Action"), 64);
    enum sim_verdict verdict = dispatch(&r, name);
    pbx->recorded(pbx->ctx, sim_session_account(s), name, verdict);
}
