/* SPDX-License-Identifier: MIT */
#include "parsers/ami_name.h"

#include <assert.h>
#include <strings.h>

/* 0 when n bytes are equal but for the case of ASCII letters. Asterisk spells a name as schemas/
 * does nearly always, so the plain comparison comes first. */
static int compare_ignoring_case(const char *a, const char *b, size_t n)
{
    return memcmp(a, b, n) == 0 ? 0 : strncasecmp(a, b, n);
}

/* gperf's own table and comparison are left out for the one above. */
#define GPERF_DOWNCASE    1
#define GPERF_CASE_MEMCMP 1
#define gperf_case_memcmp compare_ignoring_case

struct name_row {
    const char *name;
    unsigned short id;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "parsers/ami_event_hash.h"
#include "parsers/ami_header_hash.h"
#pragma GCC diagnostic pop

enum ami_event_id ami_event_from_name(struct slice name)
{
    const struct name_row *row = event_lookup(name.p, name.n);
    return row ? (enum ami_event_id)row->id : AMI_EVENT_UNKNOWN;
}

enum ami_header_id ami_header_from_name(struct slice name)
{
    const struct name_row *row = header_lookup(name.p, name.n);
    return row ? (enum ami_header_id)row->id : AMI_HEADER_UNKNOWN;
}

const struct slice ami_header_names[AMI_HEADER_TOTAL] = {
    {"", 0},
#define AMI_HEADER(id, name, form) {name, sizeof(name) - 1},
#include "schemas/ami_headers.def"
#undef AMI_HEADER
};

const char *ami_event_name(enum ami_event_id id)
{
    static const char *const names[AMI_EVENT_TOTAL] = {
        "",
#define AMI_EVENT(id, name, wanted) name,
#include "schemas/ami_events.def"
#undef AMI_EVENT
    };
    assert(id < AMI_EVENT_TOTAL);
    return names[id];
}

const char *ami_header_name(enum ami_header_id id)
{
    assert(id < AMI_HEADER_TOTAL);
    return ami_header_names[id].p;
}

bool ami_event_wanted(enum ami_event_id id)
{
    static const bool wanted_events[AMI_EVENT_TOTAL] = {
        false,
#define AMI_EVENT(id, name, wanted) wanted,
#include "schemas/ami_events.def"
#undef AMI_EVENT
    };
    assert(id < AMI_EVENT_TOTAL);
    return wanted_events[id];
}
