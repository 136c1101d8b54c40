/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AMISIM_SIM_PEOPLE_H
#define TESTS_AMISIM_SIM_PEOPLE_H

#include "parsers/slice.h"
#include <stdint.h>

/* Invented callers: the same for the same recorded value and key. Slices are static. */

/* A three-digit North American area code in place of the recorded one. */
uint32_t sim_people_area(uint32_t recorded, uint32_t key);
struct slice sim_people_name(uint32_t recorded, uint32_t key);
struct slice sim_people_surname(uint32_t recorded, uint32_t key);

#endif
