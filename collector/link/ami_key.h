/* SPDX-License-Identifier: MIT */
#ifndef COLLECTOR_LINK_AMI_KEY_H
#define COLLECTOR_LINK_AMI_KEY_H

#include "parsers/slice.h"

#define AMI_KEY_SIZE 33

/* The key that answers a challenge: MD5 of challenge and secret as 32 hex digits and a NUL, as
 * main/manager.c computes it. False when OpenSSL has no MD5 (FIPS mode). */
bool ami_key_md5(struct slice challenge, struct slice secret, char ret_key[AMI_KEY_SIZE]);

#endif
