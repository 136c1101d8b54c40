/* SPDX-License-Identifier: MIT */
#include "web/sessions.h"

#include <pthread.h>

#define KEY_BYTES 32

struct session {
    uint64_t serial; /* 0: free */
    uint8_t key[KEY_BYTES];
    int64_t begun, used;
    struct web_person person;
};

struct sessions {
    struct sessions_options options;
    pthread_mutex_t lock;
    uint64_t serial, pushed_out;
    struct session list[SESSIONS_MAX];
};

struct sessions *sessions_new(const struct sessions_options *options)
{
    struct sessions *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    explicit_bzero(s->list, sizeof(s->list));
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void end(struct session *session)
{
    explicit_bzero(session, sizeof(*session));
}

/* Whether it goes on; ends it when its time is over. */
static bool goes_on(const struct sessions *s, struct session *session, int64_t now)
{
    if (session->serial && (now - session->used >= s->options.idle_seconds ||
                            now - session->begun >= s->options.session_seconds))
        end(session);
    return session->serial != 0;
}

/* A free slot, made free if need be. */
static struct session *take_slot(struct sessions *s, const char *name, int64_t now)
{
    struct session *spare = NULL, *idlest = &s->list[0], *own = NULL;
    unsigned owned = 0;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &s->list[i];
        if (!goes_on(s, session, now)) {
            spare = session;
            continue;
        }
        if (session->used < idlest->used)
            idlest = session;
        if (strcmp(session->person.name, name) == 0) {
            owned++;
            own = !own || session->used < own->used ? session : own;
        }
    }
    struct session *taken = owned >= SESSIONS_PER_PERSON ? own : spare ? spare : idlest;
    s->pushed_out += taken->serial != 0;
    end(taken);
    return taken;
}

static void to_hex(const uint8_t key[KEY_BYTES], char ret_text[WEB_SECRET_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < KEY_BYTES; i++) {
        ret_text[2 * i] = digits[key[i] >> 4];
        ret_text[2 * i + 1] = digits[key[i] & 15];
    }
    ret_text[WEB_SECRET_SIZE - 1] = '\0';
}

static bool from_hex(const char *text, uint8_t ret_key[KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < KEY_BYTES; i++) {
        const char *high = text[2 * i] ? strchr(digits, text[2 * i]) : NULL;
        const char *low = high && text[2 * i + 1] ? strchr(digits, text[2 * i + 1]) : NULL;
        if (!low)
            return false;
        ret_key[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return text[WEB_SECRET_SIZE - 1] == '\0';
}

bool sessions_begin(struct sessions *s, const struct web_person *person, int64_t now,
                    char ret_cookie[WEB_SECRET_SIZE])
{
    uint8_t key[KEY_BYTES];
    if (!s->options.random(key, sizeof(key)))
        return false;
    pthread_mutex_lock(&s->lock);
    struct session *session = take_slot(s, person->name, now);
    *session =
        (struct session){.serial = ++s->serial, .begun = now, .used = now, .person = *person};
    memcpy(session->key, key, sizeof(key));
    pthread_mutex_unlock(&s->lock);
    to_hex(key, ret_cookie);
    explicit_bzero(key, sizeof(key));
    return true;
}

/* All bytes are looked at, so that the time does not tell how many are right. */
static bool same_key(const uint8_t *a, const uint8_t *b)
{
    volatile uint8_t differs = 0;
    for (size_t i = 0; i < KEY_BYTES; i++)
        differs = (uint8_t)(differs | (a[i] ^ b[i]));
    return differs == 0;
}

bool sessions_find(struct sessions *s, const char *cookie, int64_t now, struct session_ref *ret_ref,
                   struct web_person *ret_person)
{
    uint8_t key[KEY_BYTES];
    bool found = false;
    if (!from_hex(cookie, key))
        return false;
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &s->list[i];
        if (!same_key(session->key, key) || !goes_on(s, session, now))
            continue;
        session->used = now;
        *ret_ref = (struct session_ref){i, session->serial};
        *ret_person = session->person;
        found = true;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

bool sessions_still(struct sessions *s, struct session_ref ref, int64_t now)
{
    pthread_mutex_lock(&s->lock);
    struct session *session = &s->list[ref.slot];
    bool still = session->serial == ref.serial && goes_on(s, session, now);
    if (still)
        session->used = now;
    pthread_mutex_unlock(&s->lock);
    return still;
}

void sessions_end(struct sessions *s, struct session_ref ref)
{
    pthread_mutex_lock(&s->lock);
    if (s->list[ref.slot].serial == ref.serial)
        end(&s->list[ref.slot]);
    pthread_mutex_unlock(&s->lock);
}

void sessions_review(struct sessions *s, const struct web_users *users)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &s->list[i];
        if (session->serial && !users->still(users->ctx, &session->person))
            end(session);
    }
    pthread_mutex_unlock(&s->lock);
}

unsigned sessions_count(struct sessions *s, int64_t now, uint64_t *ret_pushed_out)
{
    unsigned n = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        n += goes_on(s, &s->list[i], now);
    *ret_pushed_out = s->pushed_out;
    pthread_mutex_unlock(&s->lock);
    return n;
}
