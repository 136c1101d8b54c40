/* SPDX-License-Identifier: MIT */
#include "web/attempts.h"

/* An address or a name. What is left of its attempts is worked out from the time at which all will
 * have come back. */
struct key {
    bool is_name;
    char bytes[WEB_NAME_SIZE];
};

struct place {
    bool used;
    struct key key;
    int64_t whole_at; /* when all attempts will have come back */
};

struct attempts {
    uint64_t pushed_out;
    struct place places[ATTEMPTS_MAX];
};

struct attempts *attempts_new(void)
{
    return calloc(1, sizeof(struct attempts));
}

void attempts_free(struct attempts *a)
{
    free(a);
}

static struct key address_key(const struct address *from)
{
    struct key key = {0};
    const struct address client = address_client(from);
    memcpy(key.bytes, client.bytes, sizeof(client.bytes));
    return key;
}

/* Longer names than there can be share one key: that of their beginning. */
static struct key name_key(const char *name)
{
    struct key key = {.is_name = true};
    memcpy(key.bytes, name, strnlen(name, sizeof(key.bytes) - 1));
    return key;
}

static unsigned seconds_of(const struct key *key)
{
    return key->is_name ? ATTEMPTS_NAME_SECONDS : ATTEMPTS_ADDRESS_SECONDS;
}

/* The seconds until this place is whole again; a place that is, is free. */
static int64_t debt(const struct place *place, int64_t now)
{
    return place->used && place->whole_at > now ? place->whole_at - now : 0;
}

static bool is_of(const struct place *place, const struct key *key)
{
    return place->used && place->key.is_name == key->is_name &&
           memcmp(place->key.bytes, key->bytes, sizeof(key->bytes)) == 0;
}

static struct place *find(struct attempts *a, const struct key *key)
{
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        if (is_of(&a->places[i], key))
            return &a->places[i];
    }
    return NULL;
}

/* How many attempts a place has spent, for which of them gives way. */
static int64_t spent(const struct place *place, int64_t now)
{
    return debt(place, now) * ATTEMPTS_NAME_SECONDS / seconds_of(&place->key);
}

static struct place *find_or_take(struct attempts *a, const struct key *key, int64_t now)
{
    struct place *place = find(a, key), *least = &a->places[0];
    if (place)
        return place;
    for (size_t i = 1; i < ATTEMPTS_MAX && spent(least, now) > 0; i++) {
        if (spent(&a->places[i], now) < spent(least, now))
            least = &a->places[i];
    }
    a->pushed_out += debt(least, now) > 0;
    *least = (struct place){.used = true, .key = *key, .whole_at = now};
    return least;
}

/* After how many seconds this place has an attempt left; 0: now. */
static unsigned wait_of(const struct place *place, const struct key *key, int64_t now)
{
    int64_t most = (int64_t)(ATTEMPTS_BURST - 1) * seconds_of(key);
    int64_t owed = place ? debt(place, now) : 0;
    return owed > most ? (unsigned)(owed - most) : 0;
}

static void spend(struct attempts *a, const struct key *key, int64_t now)
{
    struct place *place = find_or_take(a, key, now);
    place->whole_at = now + debt(place, now) + seconds_of(key);
}

unsigned attempts_count(struct attempts *a, const struct address *from, const char *name,
                        int64_t now)
{
    struct key keys[2];
    size_t n = 0;
    unsigned wait = 0;
    if (address_is_known(from))
        keys[n++] = address_key(from);
    if (name)
        keys[n++] = name_key(name);
    for (size_t i = 0; i < n; i++) {
        unsigned own = wait_of(find(a, &keys[i]), &keys[i], now);
        wait = own > wait ? own : wait;
    }
    for (size_t i = 0; i < n && wait == 0; i++)
        spend(a, &keys[i], now);
    return wait;
}

static void give_back(struct attempts *a, const struct key *key)
{
    struct place *place = find(a, key);
    if (place)
        place->whole_at -= seconds_of(key);
}

void attempts_forgive(struct attempts *a, const struct address *from, const char *name)
{
    const struct key address = address_key(from);
    give_back(a, &address);
    if (name) {
        const struct key key = name_key(name);
        give_back(a, &key);
    }
}

uint64_t attempts_pushed_out(const struct attempts *a)
{
    return a->pushed_out;
}
