/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round: processes of users, alongside native churn. Some are stopped, or killed and started
 * again.
 */
#ifndef TESTS_FUZZ_CALLS_HERD_H
#define TESTS_FUZZ_CALLS_HERD_H

#include <stdint.h>

#include "tests/fuzz/calls/place.h"

/*
 * Runs a round. Returns false, with the reason printed, if a process could not be ended, or ended
 * by a fault of its own.
 */
bool herd_run(const struct place *place, uint64_t seed, double seconds);

#endif
