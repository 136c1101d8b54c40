/* SPDX-License-Identifier: MIT */
/* The same tests for the form without SSE2. */
#define AMI_PLAIN
#include "tests/unit/parsers/check_scan.c"
