/* SPDX-License-Identifier: MIT */
#include "tests/amisim/sim_people.h"

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static const uint16_t areas[] = {201, 202, 206, 212, 213, 215, 216, 305, 310, 312, 313, 314,
                                 317, 402, 404, 410, 412, 414, 415, 503, 504, 505, 512, 515,
                                 602, 603, 612, 615, 617, 619, 701, 702, 704, 713, 716, 801,
                                 804, 808, 814, 816, 901, 907, 913, 916, 918, 919, 971, 972};

static const char *const names[] = {
    "Ada",   "Amir", "Beth",  "Carlos", "Chloe", "Dana",   "Elif",  "Erik",  "Fatou", "Grace",
    "Hana",  "Ivan", "Jonas", "Kavya",  "Lena",  "Marco",  "Mina",  "Nadia", "Omar",  "Petra",
    "Quinn", "Rosa", "Samir", "Tara",   "Uma",   "Viktor", "Wanda", "Yusuf", "Zoe"};

static const char *const surnames[] = {"Abbott", "Bauer",  "Castro", "Diallo", "Ekman", "Fischer",
                                       "Garcia", "Haddad", "Ito",    "Jensen", "Kowal", "Lopez",
                                       "Meyer",  "Novak",  "Okafor", "Patel",  "Rossi", "Silva",
                                       "Tanaka", "Varga",  "Walsh",  "Young",  "Zhang"};

/* One round of a 32-bit mixer: neighbours in, strangers out. */
static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t x = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;
    x ^= x >> 15;
    x *= 0xc2b2ae35u;
    return x ^ x >> 13;
}

uint32_t sim_people_area(uint32_t recorded, uint32_t key)
{
    return areas[mix(recorded, key) % COUNT(areas)];
}

struct slice sim_people_name(uint32_t recorded, uint32_t key)
{
    return slice_from(names[mix(recorded, key) % COUNT(names)]);
}

struct slice sim_people_surname(uint32_t recorded, uint32_t key)
{
    return slice_from(surnames[mix(recorded + 7919, key) % COUNT(surnames)]);
}
