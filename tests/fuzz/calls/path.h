/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in the mount, relative to it. None leads to anything outside that the fuzzer has not made.
 */
#ifndef TESTS_FUZZ_CALLS_PATH_H
#define TESTS_FUZZ_CALLS_PATH_H

#include "tests/fuzz/calls/user.h"

/* Returns a path that may exist or not. Valid until the third later call by this thread. */
const char *path_pick(struct thread *thread);

/* Returns a plain name in that directory. It is valid until the third later call, too. */
const char *path_in(struct thread *thread, const char *directory);

/* Writes a word of KIND/NAME for ctl into `buffer`. */
void path_channel(struct thread *thread, char *buffer, size_t size);

#endif
