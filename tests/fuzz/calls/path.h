/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in the mount, relative to it. None of them leads to anything outside that the fuzzer has
 * not made.
 */
#ifndef TESTS_FUZZ_CALLS_PATH_H
#define TESTS_FUZZ_CALLS_PATH_H

#include "tests/fuzz/calls/user.h"

/* One that may exist or not; good until three later calls by this thread. */
const char *path_pick(struct thread *thread);

/* A plain name in that directory; good until three later calls, too. */
const char *path_in(struct thread *thread, const char *directory);

/* A word of KIND/NAME for ctl, into `buffer`. */
void path_channel(struct thread *thread, char *buffer, size_t size);

#endif
