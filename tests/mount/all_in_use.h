/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of all kinds, open and in use, for tests of a daemon that may fail them. Only making them
 * fails the test; whatever happens to their users later is no fault, as long as they do not hang.
 */
#ifndef TESTS_MOUNT_ALL_IN_USE_H
#define TESTS_MOUNT_ALL_IN_USE_H

#include <stdbool.h>

/* Makes the objects, opens them, and starts processes that use them and that wait for them. */
void all_begin(void);

/*
 * Does with the objects what can be done without waiting, in a process. Returns false if that takes
 * longer than 10 seconds.
 */
bool all_use(void);

/* Ends the processes. Returns whether all did within 10 seconds, once the mount is gone. */
bool all_end(void);

#endif
