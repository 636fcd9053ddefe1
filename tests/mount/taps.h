/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps of channels, and what they are expected to show. Every failure fails the test, and so does a
 * wait of more than 5 seconds.
 */
#ifndef TESTS_MOUNT_TAPS_H
#define TESTS_MOUNT_TAPS_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/mount/fixture.h"

/* One of each sort of channel that has a tap and a name of its own. */
enum { TAP_PIPE, TAP_QUEUE, TAP_SYSV, TAP_EVENT, TAP_N };
extern const char *const tap_names[TAP_N];

/* A test case on a mount whose pipes the daemon serves. Its tests may leave events/e behind. */
TCase *tap_case(Suite *suite, const char *name);

/* Opens the tap of a channel: as open(2), or to read. */
int tap_try(const char *name, int flags);
int tap_open(const char *name);

/* Reads exactly `size` bytes, a line without its newline, or the line before a record's bytes. */
void tap_take(int tap, char *buf, size_t size);
void tap_take_line(int tap, char *line, size_t size);
/* The line must tell this pid and way; the size is returned. */
size_t tap_take_header(int tap, const char *pid, char way);

/* Expects a record next, the end, or that there is nothing to read yet. */
void tap_expect_by(int tap, const char *pid, char way, const char *bytes);
void tap_expect(int tap, pid_t pid, char way, const char *bytes);
void tap_expect_end(int tap);
void tap_expect_nothing(int tap);

/* Bodies for children, which take the channel's name: write or read 3 bytes, "42\n". */
int tap_put_run(void *name);
int tap_take_run(void *name);
/* Returns why the tap can't be opened, EEXIST if it can. */
int tap_missing_run(void *name);
/* Runs a body that must succeed, and returns the pid that it had. */
pid_t tap_run(int (*body)(void *), const char *name);

#endif
