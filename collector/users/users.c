/* SPDX-License-Identifier: MIT */
#include "collector/users/users.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A screen that came in: the cookie's hash, for as long as its line has this mark. */
struct kiosk {
    char name[USERS_NAME_SIZE];
    uint64_t mark;
    uint8_t cookie[USERS_HASH];
};

struct users {
    char *path, *kiosks_path;
    struct clock clock;
    pthread_mutex_t lock;
    struct users_file file;
    struct timespec changed;
    ino_t inode;
    off_t size;
    struct users_entry nobody; /* worked on in place of a name that is not there */
    struct kiosk *kiosks;      /* at most one for each line */
    size_t kiosks_n;
};

static uint64_t mark_of(const struct users_entry *e)
{
    uint64_t mark;
    memcpy(&mark, e->hash, sizeof(mark));
    return mark + e->display;
}

static struct users_person person_of(const struct users_entry *e)
{
    struct users_person person = {.display = e->display, .mark = mark_of(e)};
    memcpy(person.name, e->name, sizeof(person.name));
    return person;
}

/* The costliest hash of the file, so that a name that is not there takes no less. */
static struct users_cost highest_cost(const struct users_file *file)
{
    struct users_cost highest = {0};
    for (size_t i = 0; i < file->n; i++) {
        const struct users_cost *c = &file->entries[i].cost;
        if (((uint64_t)c->r * c->p) << c->ln > ((uint64_t)highest.r * highest.p) << highest.ln)
            highest = *c;
    }
    return highest.r ? highest : USERS_COST_NEW;
}

static struct users_entry *kiosk_line(struct users *u, const char *name, uint64_t mark)
{
    struct users_entry *e = users_file_find(&u->file, name);
    return e && e->kind == USERS_KIOSK && mark_of(e) == mark ? e : NULL;
}

/* Forgets screens whose line is gone or new. */
static void drop_kiosks(struct users *u)
{
    size_t kept = 0;
    for (size_t i = 0; i < u->kiosks_n; i++) {
        if (kiosk_line(u, u->kiosks[i].name, u->kiosks[i].mark))
            u->kiosks[kept++] = u->kiosks[i];
    }
    u->kiosks_n = kept;
}

/* Room for one screen for each line that there can be. */
static bool make_room(struct users *u)
{
    if (!u->kiosks)
        u->kiosks = calloc(USERS_MAX, sizeof(*u->kiosks));
    return u->kiosks && u->kiosks_n < USERS_MAX;
}

/* "NAME:MARK:HASH" */
static bool take_kiosk(struct users *u, char *line)
{
    struct kiosk kiosk = {0};
    uint8_t mark[sizeof(kiosk.mark)];
    char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (!second || !make_room(u))
        return false;
    *first = *second = '\0';
    if (!users_name_is_good(line) || !users_from_hex(first + 1, mark, sizeof(mark)) ||
        !users_from_hex(second + 1, kiosk.cookie, USERS_HASH))
        return false;
    memcpy(kiosk.name, line, strlen(line) + 1);
    memcpy(&kiosk.mark, mark, sizeof(mark));
    u->kiosks[u->kiosks_n++] = kiosk;
    return true;
}

/* What cannot be read are screens that must be let in anew, no reason to stop. */
static void read_kiosks(struct users *u)
{
    char line[512];
    FILE *f = fopen(u->kiosks_path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        take_kiosk(u, line);
    }
    if (f)
        fclose(f);
    drop_kiosks(u);
}

static void print_kiosk(FILE *to, const struct kiosk *k)
{
    char mark[2 * sizeof(k->mark) + 1], hash[USERS_HEX];
    uint8_t bytes[sizeof(k->mark)];
    memcpy(bytes, &k->mark, sizeof(bytes));
    users_to_hex(bytes, sizeof(bytes), mark);
    users_to_hex(k->cookie, USERS_HASH, hash);
    fprintf(to, "%s:%s:%s\n", k->name, mark, hash);
}

/* Without the lock, since nobody but the caller's thread changes the list, and the disk may be
 * slow. */
static bool write_kiosks(const struct users *u, const struct kiosk *added)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return false;
    for (size_t i = 0; i < u->kiosks_n; i++)
        print_kiosk(to, &u->kiosks[i]);
    print_kiosk(to, added);
    bool good = fclose(to) == 0 && users_replace(u->kiosks_path, text);
    free(text);
    return good;
}

static bool seen_before(const struct users *u, const struct stat *st)
{
    return st->st_mtim.tv_sec == u->changed.tv_sec && st->st_mtim.tv_nsec == u->changed.tv_nsec &&
           st->st_ino == u->inode && st->st_size == u->size;
}

enum users_news users_refresh(struct users *u, char *error, size_t error_size)
{
    struct stat st = {0};
    struct users_file file;
    if (stat(u->path, &st) == 0 && seen_before(u, &st))
        return USERS_SAME;
    if (st.st_ino == 0 && u->inode == 0)
        return USERS_SAME; /* still not there */
    u->changed = st.st_mtim;
    u->inode = st.st_ino;
    u->size = st.st_size;
    if (!users_file_read(u->path, &file, error, error_size))
        return USERS_BROKEN;
    pthread_mutex_lock(&u->lock);
    users_file_free(&u->file);
    u->file = file;
    u->nobody.cost = highest_cost(&file);
    drop_kiosks(u);
    pthread_mutex_unlock(&u->lock);
    return USERS_CHANGED;
}

struct users *users_open(const struct users_options *options, char *error, size_t error_size)
{
    char reason[256] = "memory is short";
    char secret[USERS_HEX];
    struct users *u = calloc(1, sizeof(*u));
    if (u) {
        pthread_mutex_init(&u->lock, NULL);
        u->clock = options->clock;
        u->path = strdup(options->path);
        u->kiosks_path = strdup(options->kiosks);
        u->inode = 1; /* a file that is not there is a change, too */
    }
    if (!u || !u->path || !u->kiosks_path || !users_new_secret(secret, u->nobody.hash) ||
        users_refresh(u, reason, sizeof(reason)) != USERS_CHANGED) {
        snprintf(error, error_size, "%s %s", options->path, reason);
        users_free(u);
        return NULL;
    }
    read_kiosks(u);
    return u;
}

void users_free(struct users *u)
{
    if (!u)
        return;
    pthread_mutex_destroy(&u->lock);
    users_file_free(&u->file);
    free(u->kiosks);
    free(u->path);
    free(u->kiosks_path);
    free(u);
}

size_t users_count(struct users *u)
{
    pthread_mutex_lock(&u->lock);
    size_t n = u->file.n;
    pthread_mutex_unlock(&u->lock);
    return n;
}

bool users_password(struct users *u, const char *name, const char *password,
                    struct users_person *ret_person)
{
    pthread_mutex_lock(&u->lock);
    const struct users_entry *found = users_file_find(&u->file, name);
    bool known = found && found->kind == USERS_PERSON;
    struct users_entry entry = known ? *found : u->nobody;
    pthread_mutex_unlock(&u->lock);
    bool fits = users_password_fits(&entry, password);
    if (fits && known)
        *ret_person = person_of(&entry);
    return fits && known;
}

/* The line whose hash this is, if it is of this kind. Every line is compared, so that the time does
 * not tell which. */
static const struct users_entry *by_hash(const struct users *u, enum users_kind kind,
                                         const uint8_t hash[USERS_HASH])
{
    const struct users_entry *found = NULL;
    for (size_t i = 0; i < u->file.n; i++) {
        const struct users_entry *e = &u->file.entries[i];
        if (users_same_hash(e->hash, hash) && e->kind == kind)
            found = e;
    }
    return found;
}

bool users_token(struct users *u, const char *token, struct users_person *ret_person)
{
    uint8_t hash[USERS_HASH];
    if (!users_sha256(token, hash))
        return false;
    pthread_mutex_lock(&u->lock);
    const struct users_entry *found = by_hash(u, USERS_TOKEN, hash);
    if (found)
        *ret_person = person_of(found);
    pthread_mutex_unlock(&u->lock);
    return found != NULL;
}

bool users_kiosk(struct users *u, const char *cookie, struct users_person *ret_person)
{
    uint8_t hash[USERS_HASH];
    const struct users_entry *found = NULL;
    if (!users_sha256(cookie, hash))
        return false;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < u->kiosks_n; i++) {
        if (users_same_hash(u->kiosks[i].cookie, hash))
            found = kiosk_line(u, u->kiosks[i].name, u->kiosks[i].mark);
    }
    if (found)
        *ret_person = person_of(found);
    pthread_mutex_unlock(&u->lock);
    return found != NULL;
}

/* The line that a code opens: in time, and not used before. */
static const struct users_entry *by_code(const struct users *u, const uint8_t hash[USERS_HASH])
{
    const struct users_entry *e = by_hash(u, USERS_KIOSK, hash);
    int64_t age = e ? clock_now(&u->clock) / 1000000 - e->made : 0;
    if (!e || age < -60 || age > USERS_CODE_SECONDS)
        return NULL;
    for (size_t i = 0; i < u->kiosks_n; i++) {
        if (strcmp(u->kiosks[i].name, e->name) == 0 && u->kiosks[i].mark == mark_of(e))
            return NULL;
    }
    return e;
}

enum users_admission users_enter(struct users *u, const char *code, char ret_cookie[USERS_HEX],
                                 struct users_person *ret_person)
{
    struct kiosk kiosk = {0};
    uint8_t hash[USERS_HASH];
    if (!users_sha256(code, hash))
        return USERS_NO_CODE;
    pthread_mutex_lock(&u->lock);
    const struct users_entry *e = by_code(u, hash);
    if (e) {
        *ret_person = person_of(e);
        memcpy(kiosk.name, e->name, sizeof(kiosk.name));
        kiosk.mark = mark_of(e);
    }
    pthread_mutex_unlock(&u->lock);
    if (!e)
        return USERS_NO_CODE;
    if (!make_room(u) || !users_new_secret(ret_cookie, kiosk.cookie) || !write_kiosks(u, &kiosk))
        return USERS_NOT_KEPT;
    pthread_mutex_lock(&u->lock);
    u->kiosks[u->kiosks_n++] = kiosk;
    pthread_mutex_unlock(&u->lock);
    return USERS_LET_IN;
}

bool users_has(struct users *u, const char *name)
{
    pthread_mutex_lock(&u->lock);
    bool has = users_file_find(&u->file, name) != NULL;
    pthread_mutex_unlock(&u->lock);
    return has;
}

bool users_still(struct users *u, const struct users_person *person)
{
    pthread_mutex_lock(&u->lock);
    const struct users_entry *e = users_file_find(&u->file, person->name);
    bool still = e && mark_of(e) == person->mark;
    pthread_mutex_unlock(&u->lock);
    return still;
}
