/* SPDX-License-Identifier: MIT */
#include "tests/unit/link/fake_pbx.h"
#include "collector/link/ami_key.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHALLENGE "840415273"

void fake_pbx_hang_up(struct fake_pbx *pbx)
{
    if (pbx->fd >= 0) {
        event_free(pbx->readable);
        event_free(pbx->sending);
        close(pbx->fd);
        pbx->fd = -1;
        buf_clear(&pbx->in);
        buf_clear(&pbx->out);
    }
}

static void on_sending(evutil_socket_t fd, short what, void *arg)
{
    struct fake_pbx *pbx = arg;
    (void)what;
    ssize_t n = send(fd, pbx->out.p, pbx->trickle ? 1 : pbx->out.n, MSG_NOSIGNAL);
    if (n > 0) {
        buf_drop(&pbx->out, (size_t)n);
    }
    if (pbx->out.n > 0) {
        event_add(pbx->sending, NULL);
    }
}

void fake_pbx_send(struct fake_pbx *pbx, const char *text)
{
    ck_assert(buf_put(&pbx->out, text, strlen(text)));
    event_add(pbx->sending, NULL);
}

static bool named(const char *names, const char *name)
{
    return names && strcmp(names, name) == 0;
}

/* The value of a header of an action, copied into value. */
static void header(struct slice lines, const char *name, char value[128])
{
    char start[64];
    int n = snprintf(start, sizeof start, "%s: ", name);
    const char *at = memmem(lines.p, lines.n, start, (size_t)n);
    value[0] = '\0';
    if (at) {
        struct slice rest = slice_from_offset(lines, (size_t)(at - lines.p) + (size_t)n);
        const char *end = memchr(rest.p, '\r', rest.n);
        ck_assert_ptr_nonnull(end);
        snprintf(value, 128, "%.*s", (int)(end - rest.p), rest.p);
    }
}

static void respond(struct fake_pbx *pbx, const char *id, const char *response, const char *more)
{
    char text[512];
    snprintf(text, sizeof text, "Response: %s\r\nActionID: %s\r\n%s\r\n", response, id, more);
    fake_pbx_send(pbx, text);
}

static void respond_login(struct fake_pbx *pbx, const char *id, struct slice lines)
{
    char key[128], expected[AMI_KEY_SIZE];
    header(lines, "Key", key);
    ck_assert(ami_key_md5(SLICE(CHALLENGE), SLICE(FAKE_SECRET), expected));
    if (pbx->refuses == FAKE_LOGIN || strcmp(key, expected) != 0) {
        respond(pbx, id, "Error", "Message: Authentication failed\r\n");
        return;
    }
    respond(pbx, id, "Success", "Message: Authentication accepted\r\n");
    if (!pbx->no_fully_booted) {
        fake_pbx_send(pbx, "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n");
    }
}

static const struct {
    const char *action;
    const char *items; /* with %s where the ActionID goes */
    const char *complete;
} lists[] = {
    {"CoreShowChannels", "Event: CoreShowChannel\r\nActionID: %s\r\nUniqueid: 1.1\r\n\r\n",
     "CoreShowChannelsComplete"},
    {"Status", "Event: Status\r\nActionID: %s\r\nUniqueid: 1.1\r\n\r\n", "StatusComplete"},
    {"BridgeList",
     "Event: BridgeListItem\r\nActionID: %s\r\nBridgeUniqueid: b-1\r\nBridgeNumChannels: 2\r\n\r\n"
     "Event: BridgeListItem\r\nBridgeUniqueid: b-2\r\nBridgeNumChannels: 0\r\n\r\n",
     "BridgeListComplete"},
    {"BridgeInfo", "Event: BridgeInfoChannel\r\nActionID: %s\r\nUniqueid: 1.1\r\n\r\n",
     "BridgeInfoComplete"},
    {"QueueStatus", "Event: QueueParams\r\nActionID: %s\r\nQueue: sales\r\n\r\n",
     "QueueStatusComplete"},
    {"DeviceStateList",
     "Event: DeviceStateChange\r\nActionID: %s\r\nDevice: PJSIP/101\r\nState: INUSE\r\n\r\n",
     "DeviceStateListComplete"},
    {"PJSIPShowRegistrationsOutbound",
     "Event: OutboundRegistrationDetail\r\nActionID: %s\r\nStatus: Registered\r\n\r\n"
     "Event: AuthDetail\r\nPassword: " FAKE_TRUNK_SECRET "\r\n\r\n",
     "OutboundRegistrationDetailComplete"},
};

static void respond_list(struct fake_pbx *pbx, const char *action, const char *id)
{
    bool reporting = named(action, "CoreShowChannels") || named(action, "Status") ||
                     named(action, "DeviceStateList") || named(action, "CoreStatus");
    if (pbx->refuses == FAKE_REPORTING && reporting) {
        respond(pbx, id, "Error", "Message: Permission denied\r\n");
        return;
    }
    if (named(action, "CoreStatus")) {
        respond(pbx, id, "Success", "CoreStartupDate: 2026-11-27\r\nCoreStartupTime: 09:10:11\r\n");
        return;
    }
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (named(action, lists[i].action)) {
            char text[512], complete[256];
            const char *at = strstr(lists[i].items, "%s");
            respond(pbx, id, "Success", "EventList: start\r\n");
            snprintf(text, sizeof text, "%.*s%s%s", (int)(at - lists[i].items), lists[i].items, id,
                     at + 2);
            fake_pbx_send(pbx, text);
            snprintf(complete, sizeof complete,
                     "Event: %s\r\nActionID: %s\r\nEventList: Complete\r\n\r\n", lists[i].complete,
                     id);
            fake_pbx_send(pbx, complete);
            return;
        }
    }
    ck_abort_msg("unexpected action %s", action);
}

static void on_action(struct fake_pbx *pbx, struct slice lines)
{
    char action[128], id[128];
    header(lines, "Action", action);
    header(lines, "ActionID", id);
    size_t n = strlen(pbx->actions);
    snprintf(pbx->actions + n, sizeof pbx->actions - n, "%s ", action);
    if (named(pbx->close_at, action)) {
        fake_pbx_hang_up(pbx);
    } else if (named(pbx->deaf_to, action)) {
        return;
    } else if (named(action, "Challenge") && pbx->refuses == FAKE_CHALLENGE) {
        respond(pbx, id, "Error", "Message: Must specify AuthType\r\n");
    } else if (named(action, "Challenge")) {
        respond(pbx, id, "Success", "Challenge: " CHALLENGE "\r\n");
    } else if (named(action, "Login")) {
        respond_login(pbx, id, lines);
    } else if (named(action, "Ping")) {
        respond(pbx, id, "Success", "Ping: Pong\r\n");
    } else if (named(action, "Logoff")) {
        respond(pbx, id, "Goodbye", "Message: Thanks for all the fish.\r\n");
        pbx->trickle = false;
        on_sending(pbx->fd, 0, pbx);
        fake_pbx_hang_up(pbx);
    } else {
        respond_list(pbx, action, id);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct fake_pbx *pbx = arg;
    (void)what;
    char *to = buf_reserve(&pbx->in, 4096);
    ck_assert_ptr_nonnull(to);
    ssize_t n = recv(fd, to, 4096, 0);
    if (n <= 0) {
        fake_pbx_hang_up(pbx);
        return;
    }
    buf_put(&pbx->all, to, (size_t)n);
    pbx->in.n += (size_t)n;
    while (pbx->fd >= 0) {
        const char *end = memmem(pbx->in.p, pbx->in.n, "\r\n\r\n", 4);
        if (!end) {
            return;
        }
        char lines[4096];
        size_t length = (size_t)(end - pbx->in.p) + 2;
        ck_assert_uint_lt(length, sizeof lines);
        memcpy(lines, pbx->in.p, length);
        buf_drop(&pbx->in, length + 2);
        on_action(pbx, (struct slice){lines, length});
    }
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct fake_pbx *pbx = arg;
    int yes = 1;
    (void)what;
    fake_pbx_hang_up(pbx);
    pbx->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(pbx->fd, 0);
    setsockopt(pbx->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pbx->accepted++;
    pbx->readable = event_new(pbx->base, pbx->fd, EV_READ | EV_PERSIST, on_readable, pbx);
    pbx->sending = event_new(pbx->base, pbx->fd, EV_WRITE, on_sending, pbx);
    event_add(pbx->readable, NULL);
    if (named(pbx->close_at, "accept")) {
        fake_pbx_hang_up(pbx);
    } else if (!named(pbx->deaf_to, "accept")) {
        fake_pbx_send(pbx, pbx->banner);
    }
}

void fake_pbx_open_at(struct fake_pbx *pbx, struct event_base *base, const char *host,
                      uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    ck_assert_int_eq(inet_pton(AF_INET, host, &address.sin_addr), 1);
    memset(pbx, 0, sizeof *pbx);
    pbx->base = base;
    pbx->fd = -1;
    pbx->banner = "Asterisk Call Manager/11.0.0\r\n";
    pbx->in = buf_new(1 << 16);
    pbx->out = buf_new(64 << 20);
    pbx->all = buf_new(1 << 20);
    pbx->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(pbx->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(pbx->listener, 8), 0);
    ck_assert_int_eq(getsockname(pbx->listener, (struct sockaddr *)&address, &size), 0);
    pbx->port = ntohs(address.sin_port);
    pbx->listening = event_new(base, pbx->listener, EV_READ | EV_PERSIST, on_accept, pbx);
    event_add(pbx->listening, NULL);
}

void fake_pbx_open(struct fake_pbx *pbx, struct event_base *base)
{
    fake_pbx_open_at(pbx, base, "127.0.0.1", 0);
}

void fake_pbx_close(struct fake_pbx *pbx)
{
    fake_pbx_hang_up(pbx);
    event_free(pbx->listening);
    close(pbx->listener);
    buf_free(&pbx->in);
    buf_free(&pbx->out);
    buf_free(&pbx->all);
}
