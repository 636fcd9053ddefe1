/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mount and its daemon say about themselves. Every failure fails the test.
 */
#ifndef TESTS_MOUNT_LOOK_H
#define TESTS_MOUNT_LOOK_H

#include <stdbool.h>

/* The content of a file in the mount, up to its end. Valid until the next call. */
const char *look_at(const char *name);
/* The number after `key` in info/NAME/status. */
long look_for(const char *name, const char *key);
/* Writes a line to ctl. */
void look_command(const char *line);

int look_threads(void);
/* Whether the daemon has no more threads than those it keeps for later work. For wait_until(). */
bool look_is_at_rest(void *arg);

#endif
