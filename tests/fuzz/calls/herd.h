/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round: processes of users and native churn beside them, of which some are stopped or killed,
 * and begun anew.
 */
#ifndef TESTS_FUZZ_CALLS_HERD_H
#define TESTS_FUZZ_CALLS_HERD_H

#include <stdint.h>

#include "tests/fuzz/calls/place.h"

/* False, with the reason printed, if a process could not be ended or was at fault itself. */
bool herd_run(const struct place *place, uint64_t seed, double seconds);

#endif
