/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Churn beside the mount: objects are made, filled, changed and removed by native calls.
 */
#ifndef TESTS_FUZZ_CALLS_NATIVE_H
#define TESTS_FUZZ_CALLS_NATIVE_H

#include <stdint.h>
#include <sys/types.h>

#include "tests/fuzz/calls/place.h"

/* Becomes that user's process that does so until it is killed. */
_Noreturn void native_run(const struct place *place, uint64_t seed, uid_t uid);

#endif
