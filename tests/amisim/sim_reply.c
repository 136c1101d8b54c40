/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_reply.h"

#include <stdio.h>

void sim_reply_line(struct sim_reply *r, const char *name, struct slice value)
{
    buf_put_slice(r->out, slice_from(name));
    buf_put_slice(r->out, SLICE(": "));
    buf_put_slice(r->out, value);
    buf_put_slice(r->out, SLICE("\r\n"));
}

void sim_reply_number(struct sim_reply *r, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    sim_reply_line(r, name, slice_from(text));
}

void sim_reply_end(struct sim_reply *r)
{
    buf_put_slice(r->out, SLICE("\r\n"));
}

void sim_reply_response(struct sim_reply *r, const char *response, const char *message)
{
    sim_reply_line(r, "Response", slice_from(response));
    sim_reply_id(r);
    if (message)
        sim_reply_line(r, "Message", slice_from(message));
}

void sim_reply_error(struct sim_reply *r, const char *message)
{
    sim_reply_response(r, "Error", message);
    sim_reply_end(r);
}

void sim_reply_id(struct sim_reply *r)
{
    if (r->id.n)
        sim_reply_line(r, "ActionID", r->id);
}

void sim_reply_list(struct sim_reply *r, const char *message)
{
    sim_reply_response(r, "Success", NULL);
    sim_reply_line(r, "EventList", SLICE("start"));
    sim_reply_line(r, "Message", slice_from(message));
    sim_reply_end(r);
}

void sim_reply_item(struct sim_reply *r, const char *event)
{
    r->items++;
    sim_reply_line(r, "Event", slice_from(event));
}

void sim_reply_complete(struct sim_reply *r, const char *event)
{
    sim_reply_line(r, "Event", slice_from(event));
    sim_reply_id(r);
    sim_reply_line(r, "EventList", SLICE("Complete"));
    sim_reply_number(r, "ListItems", (int64_t)r->items);
}
