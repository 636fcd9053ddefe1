/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Churn alongside the mount: native calls make, fill, change and remove objects.
 */
#ifndef TESTS_FUZZ_CALLS_NATIVE_H
#define TESTS_FUZZ_CALLS_NATIVE_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/fuzz/calls/place.h"

/* Turns this process into a process of user `uid` that makes such calls until it is killed. */
_Noreturn void native_run(const struct place *place, uint64_t seed, uid_t uid);

#endif
