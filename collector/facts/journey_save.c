/* SPDX-License-Identifier: MIT */
#include "collector/facts/journey_save.h"

#include "collector/base/memory.h"
#include "collector/facts/json_in.h"
#include "collector/facts/talk.h"
#include <stdlib.h>

/* What a record shows of a look. */
static const enum snapshot_text shown[] = {SNAPSHOT_UNIQUEID, SNAPSHOT_NAME, SNAPSHOT_CALLER_NUMBER,
                                           SNAPSHOT_CALLER_NAME};
#define SHOWN (sizeof(shown) / sizeof(shown[0]))

static void put_look(struct json_out *j, const char *key, const struct snapshot *look)
{
    if (!look)
        return;
    json_out_array(j, key);
    for (size_t i = 0; i < SHOWN; i++)
        json_out_string(j, NULL, snapshot_text(look, shown[i]));
    json_out_close(j, ']');
}

static void put_watch(struct json_out *j, const char *key, const struct stopwatch *w)
{
    if (!w->since && !w->stopped)
        return;
    json_out_array(j, key);
    json_out_int(j, NULL, w->since);
    json_out_int(j, NULL, w->stopped);
    json_out_int(j, NULL, w->total);
    json_out_close(j, ']');
}

static void put_leg(struct json_out *j, const struct leg *leg)
{
    json_out_object(j, NULL);
    json_out_known(j, "uniqueid", leg->uniqueid);
    put_look(j, "look", leg->look);
    json_out_known(j, "queue", leg->queue);
    json_out_known(j, "forwarded_to", leg->forwarded_to);
    json_out_known(j, "application", leg->application);
    json_out_int(j, "role", leg->role);
    json_out_int(j, "outcome", leg->outcome);
    json_out_int(j, "start", leg->start);
    json_out_int(j, "answer", leg->answer);
    json_out_int(j, "end", leg->end);
    json_out_int(j, "cause", leg->cause);
    json_out_bool(j, "gave_away", leg->gave_away);
    json_out_bool(j, "moved", leg->moved);
    json_out_int(j, "asked", leg->asked);
    json_out_int(j, "asked_at", leg->asked_at);
    put_watch(j, "ring", &leg->ring);
    put_watch(j, "talk", &leg->talk);
    put_watch(j, "hold", &leg->hold);
    json_out_close(j, '}');
}

static void put_talk(struct json_out *j, const struct talk *talk)
{
    json_out_object(j, NULL);
    put_look(j, "a", talk->a_look);
    put_look(j, "b", talk->b_look);
    json_out_int(j, "from", talk->from);
    json_out_int(j, "to", talk->to);
    put_watch(j, "hold", &talk->hold);
    json_out_close(j, '}');
}

static void put_move(struct json_out *j, const struct move *move)
{
    static const char *const keys[MOVE_TEXTS] = {"text0", "text1", "text2"};
    json_out_object(j, NULL);
    json_out_int(j, "kind", move->kind);
    json_out_string(j, "word", slice_from(move->word));
    put_look(j, "look", move->look);
    for (size_t i = 0; i < MOVE_TEXTS; i++)
        json_out_known(j, keys[i], move->text[i]);
    json_out_int(j, "from", move->from);
    json_out_int(j, "to", move->to);
    json_out_bool(j, "over", move->over);
    json_out_close(j, '}');
}

static void put_lists(struct json_out *j, const struct journey *journey)
{
    json_out_array(j, "legs");
    for (size_t i = 0; i < journey->leg_count; i++)
        put_leg(j, journey->legs[i]);
    json_out_close(j, ']');
    json_out_array(j, "talks");
    for (size_t i = 0; i < journey->talk_count; i++)
        put_talk(j, journey->talks[i]);
    json_out_close(j, ']');
    json_out_array(j, "moves");
    for (size_t i = 0; i < journey->move_count; i++)
        put_move(j, journey->moves[i]);
    json_out_close(j, ']');
}

void journey_json(const struct journey *journey, struct json_out *j)
{
    json_out_object(j, "journey");
    put_lists(j, journey);
    json_out_int(j, "legs_omitted", journey->legs_omitted);
    json_out_int(j, "talks_omitted", journey->talks_omitted);
    json_out_int(j, "moves_omitted", journey->moves_omitted);
    put_watch(j, "ring", &journey->ring);
    put_watch(j, "talk", &journey->talk);
    put_watch(j, "hold", &journey->hold);
    json_out_known(j, "queue", journey->queue);
    json_out_known(j, "answered_by", journey->answered_by);
    json_out_known(j, "accountcode", journey->accountcode);
    json_out_known(j, "merged_into", journey->merged_into);
    json_out_known(j, "hung_up_by", journey->hung_up_by);
    json_out_known(j, "hung_up_uniqueid", journey->hung_up_uniqueid);
    json_out_int(j, "hung_up_side", journey->hung_up_side);
    json_out_int(j, "hung_up_at", journey->hung_up_at);
    json_out_bool(j, "hung_up_doubted", journey->hung_up_doubted);
    json_out_close(j, '}');
}

static struct snapshot *read_look(const json_t *o, const char *key)
{
    const json_t *texts = json_object_get(o, key);
    struct snapshot_values v = {.priority = 0};
    for (size_t i = 0; i < SNAPSHOT_TEXTS; i++)
        v.text[i] = SLICE("");
    if (json_array_size(texts) != SHOWN)
        return NULL;
    for (size_t i = 0; i < SHOWN; i++) {
        const json_t *text = json_array_get(texts, i);
        v.text[shown[i]] = json_in_string(text);
    }
    return snapshot_new(&v);
}

static void read_watch(const json_t *o, const char *key, struct stopwatch *w)
{
    const json_t *array = json_object_get(o, key);
    w->since = json_integer_value(json_array_get(array, 0));
    w->stopped = json_integer_value(json_array_get(array, 1));
    w->total = json_integer_value(json_array_get(array, 2));
}

static void read_leg(struct call *call, const json_t *o)
{
    struct journey *j = &call->journey;
    struct leg *leg = NULL;
    if (journey_room(&j->legs, j->leg_count, &j->leg_size, JOURNEY_MAX))
        leg = memory_zeroed(1, sizeof(*leg));
    if (leg)
        json_in_take_text(o, "uniqueid", &leg->uniqueid);
    if (!leg || !leg->uniqueid) {
        free(leg);
        j->legs_omitted++;
        return;
    }
    leg->call = call;
    leg->look = read_look(o, "look");
    json_in_take_text(o, "queue", &leg->queue);
    json_in_take_text(o, "forwarded_to", &leg->forwarded_to);
    json_in_take_text(o, "application", &leg->application);
    leg->role = (enum leg_role)json_in_choice(o, "role", LEG_ORIGINATED);
    leg->outcome = (enum leg_outcome)json_in_choice(o, "outcome", LEG_ANSWERED_ELSEWHERE);
    leg->start = json_in_int(o, "start");
    leg->answer = json_in_int(o, "answer");
    leg->end = json_in_int(o, "end");
    leg->cause = (int)json_in_int(o, "cause");
    leg->gave_away = json_in_bool(o, "gave_away");
    leg->moved = json_in_bool(o, "moved");
    leg->asked = (enum hangup_side)json_in_choice(o, "asked", SIDE_MANAGER);
    leg->asked_at = json_in_int(o, "asked_at");
    read_watch(o, "ring", &leg->ring);
    read_watch(o, "talk", &leg->talk);
    read_watch(o, "hold", &leg->hold);
    j->legs[j->leg_count++] = leg;
}

static void read_talk(struct journey *j, const json_t *o)
{
    struct talk *talk = NULL;
    if (journey_room(&j->talks, j->talk_count, &j->talk_size, JOURNEY_MAX))
        talk = memory_zeroed(1, sizeof(*talk));
    if (!talk) {
        j->talks_omitted++;
        return;
    }
    talk->a_look = read_look(o, "a");
    talk->b_look = read_look(o, "b");
    talk->from = json_in_int(o, "from");
    talk->to = json_in_int(o, "to");
    read_watch(o, "hold", &talk->hold);
    if (talk->a_look && talk->b_look) {
        j->talks[j->talk_count++] = talk;
        return;
    }
    talk_free(talk);
    j->talks_omitted++;
}

static void read_move(struct journey *j, const json_t *o)
{
    static const char *const keys[MOVE_TEXTS] = {"text0", "text1", "text2"};
    enum move_kind kind = (enum move_kind)json_in_choice(o, "kind", MOVE_KINDS - 1);
    struct snapshot *look = read_look(o, "look");
    struct move *move = NULL;
    if ((look || kind == MOVE_ALIAS) &&
        journey_room(&j->moves, j->move_count, &j->move_size, JOURNEY_MAX * MOVE_KINDS))
        move = memory_zeroed(1, sizeof(*move));
    if (!move) {
        snapshot_unref(look);
        j->moves_omitted++;
        return;
    }
    struct slice word = json_in_text(o, "word");
    if (word.n && word.n < sizeof(move->word))
        memcpy(move->word, word.p, word.n);
    move->kind = kind;
    move->look = look;
    for (size_t i = 0; i < MOVE_TEXTS; i++)
        json_in_take_text(o, keys[i], &move->text[i]);
    move->from = json_in_int(o, "from");
    move->to = json_in_int(o, "to");
    move->over = move->to || json_in_bool(o, "over");
    j->moves[j->move_count++] = move;
    j->kept[kind]++;
}

void journey_restore(struct call *call, const json_t *o)
{
    struct journey *j = &call->journey;
    o = json_object_get(o, "journey");
    j->legs_omitted = (unsigned)json_in_int(o, "legs_omitted");
    j->talks_omitted = (unsigned)json_in_int(o, "talks_omitted");
    j->moves_omitted = (unsigned)json_in_int(o, "moves_omitted");
    for (size_t i = 0; i < json_array_size(json_object_get(o, "legs")); i++)
        read_leg(call, json_array_get(json_object_get(o, "legs"), i));
    for (size_t i = 0; i < json_array_size(json_object_get(o, "talks")); i++)
        read_talk(j, json_array_get(json_object_get(o, "talks"), i));
    for (size_t i = 0; i < json_array_size(json_object_get(o, "moves")); i++)
        read_move(j, json_array_get(json_object_get(o, "moves"), i));
    read_watch(o, "ring", &j->ring);
    read_watch(o, "talk", &j->talk);
    read_watch(o, "hold", &j->hold);
    json_in_take_text(o, "queue", &j->queue);
    json_in_take_text(o, "answered_by", &j->answered_by);
    json_in_take_text(o, "accountcode", &j->accountcode);
    json_in_take_text(o, "merged_into", &j->merged_into);
    json_in_take_text(o, "hung_up_by", &j->hung_up_by);
    json_in_take_text(o, "hung_up_uniqueid", &j->hung_up_uniqueid);
    j->hung_up_side = (enum hangup_side)json_in_choice(o, "hung_up_side", SIDE_MANAGER);
    j->hung_up_at = json_in_int(o, "hung_up_at");
    j->hung_up_doubted = json_in_bool(o, "hung_up_doubted");
}
