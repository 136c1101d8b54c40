/* SPDX-License-Identifier: MIT */
#include "collector/view/entities.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entity {
    UT_hash_handle hh;
    struct entity *next_changed;
    bool changed;
    bool gone; /* only until its change has been seen */
    struct entity_name name;
    char *json;
    size_t json_n, json_size;
    char key[]; /* pbx, NUL, subject */
};

struct entities {
    struct entity *tables[ENTITY_KIND_COUNT];
    size_t counts[ENTITY_KIND_COUNT];
    struct entity *first_changed, **last_changed;
    size_t n, max;
    size_t bytes, max_bytes;
    uint64_t dropped;
};

const char *entity_kind_name(enum entity_kind kind)
{
    static const char *const names[ENTITY_KIND_COUNT] = {
        "pbx", "call", "queue", "agent", "endpoint", "trunk", "registration", "load", "counts"};
    return names[kind];
}

struct entities *entities_new(size_t max, size_t max_bytes)
{
    struct entities *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->last_changed = &e->first_changed;
    e->max = max;
    e->max_bytes = max_bytes;
    return e;
}

static void entity_free(struct entities *e, struct entity *entity)
{
    HASH_DEL(e->tables[entity->name.kind], entity);
    e->bytes -= entity->json_size;
    e->n--;
    free(entity->json);
    free(entity);
}

void entities_free(struct entities *e)
{
    if (!e)
        return;
    for (unsigned kind = 0; kind < ENTITY_KIND_COUNT; kind++) {
        struct entity *entity = NULL, *next = NULL;
        HASH_ITER(hh, e->tables[kind], entity, next)
        {
            entity_free(e, entity);
        }
    }
    free(e);
}

#define KEY_MAX 1024

/* The key in text, or 0 when it would be longer than any real one. */
static size_t write_key(const struct entity_name *name, char text[KEY_MAX])
{
    size_t n = name->pbx.n + 1 + name->subject.n;
    if (n > KEY_MAX)
        return 0;
    if (name->pbx.n)
        memcpy(text, name->pbx.p, name->pbx.n);
    text[name->pbx.n] = '\0';
    if (name->subject.n)
        memcpy(text + name->pbx.n + 1, name->subject.p, name->subject.n);
    return n;
}

static struct entity *find(struct entities *e, const struct entity_name *name)
{
    char key[KEY_MAX];
    size_t n = write_key(name, key);
    struct entity *entity = NULL;
    if (n)
        HASH_FIND(hh, e->tables[name->kind], key, n, entity);
    return entity;
}

static struct entity *add(struct entities *e, const struct entity_name *name)
{
    char key[KEY_MAX];
    size_t n = write_key(name, key);
    if (n == 0 || e->n >= e->max)
        return NULL;
    struct entity *entity = calloc(1, sizeof(*entity) + n);
    if (!entity)
        return NULL;
    memcpy(entity->key, key, n);
    entity->name.kind = name->kind;
    entity->name.pbx = (struct slice){entity->key, name->pbx.n};
    entity->name.subject = (struct slice){entity->key + name->pbx.n + 1, name->subject.n};
    HASH_ADD_KEYPTR(hh, e->tables[name->kind], entity->key, n, entity);
    if (!entity->hh.tbl) { /* memory was short */
        free(entity);
        return NULL;
    }
    entity->gone = true;
    e->n++;
    return entity;
}

static void mark_changed(struct entities *e, struct entity *entity)
{
    if (entity->changed)
        return;
    entity->changed = true;
    entity->next_changed = NULL;
    *e->last_changed = entity;
    e->last_changed = &entity->next_changed;
}

static void set_gone(struct entities *e, struct entity *entity)
{
    if (entity->gone)
        return;
    entity->gone = true;
    entity->json_n = 0;
    e->counts[entity->name.kind]--;
    mark_changed(e, entity);
}

static bool set_json(struct entities *e, struct entity *entity, struct slice json)
{
    if (json.n > entity->json_size) {
        size_t size = json.n + json.n / 4;
        if (size - entity->json_size > e->max_bytes - e->bytes)
            return false;
        char *p = realloc(entity->json, size);
        if (!p)
            return false;
        e->bytes += size - entity->json_size;
        entity->json = p;
        entity->json_size = size;
    }
    memcpy(entity->json, json.p, json.n);
    entity->json_n = json.n;
    return true;
}

bool entities_put(struct entities *e, const struct entity_name *name, struct slice json)
{
    struct entity *entity = find(e, name);
    if (!entity)
        entity = add(e, name);
    if (!entity) {
        e->dropped++;
        return false;
    }
    if (!set_json(e, entity, json)) {
        e->dropped++;
        bool known = entity->changed || !entity->gone;
        set_gone(e, entity);
        if (!known)
            entity_free(e, entity);
        return false;
    }
    if (entity->gone) {
        entity->gone = false;
        e->counts[name->kind]++;
    }
    mark_changed(e, entity);
    return true;
}

void entities_remove(struct entities *e, const struct entity_name *name)
{
    struct entity *entity = find(e, name);
    if (entity)
        set_gone(e, entity);
}

void entities_each(struct entities *e, enum entity_kind kind, entity_seen seen, void *ctx)
{
    for (struct entity *entity = e->tables[kind]; entity; entity = entity->hh.next) {
        if (!entity->gone)
            seen(ctx, &entity->name, (struct slice){entity->json, entity->json_n});
    }
}

void entities_changed(struct entities *e, entity_seen seen, void *ctx)
{
    struct entity *entity = e->first_changed;
    e->first_changed = NULL;
    e->last_changed = &e->first_changed;
    while (entity) {
        struct entity *next = entity->next_changed;
        entity->changed = false;
        seen(ctx, &entity->name,
             entity->gone ? (struct slice){NULL, 0} : (struct slice){entity->json, entity->json_n});
        if (entity->gone)
            entity_free(e, entity);
        entity = next;
    }
}

size_t entities_count(const struct entities *e, enum entity_kind kind)
{
    return e->counts[kind];
}

uint64_t entities_dropped(const struct entities *e)
{
    return e->dropped;
}
