/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_LINK_FAKE_NAMES_H
#define TESTS_UNIT_LINK_FAKE_NAMES_H

/* What the test programs of this room get from getaddrinfo(): "two.test" has the addresses
 * 127.0.0.1 and 127.0.0.2, in this order; "slow.test" has 127.0.0.1, once it is let go; others are
 * as they are. */

/* One look-up of "slow.test" ends. */
void fake_names_let_go(void);

#endif
