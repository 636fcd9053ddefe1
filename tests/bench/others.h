/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long another user waits while one attacks: the worst and the median of each of the witness's
 * deeds, for each attack, in namespaces and on a mount of its own. A daemon that hangs is said to,
 * and killed.
 */
#ifndef TESTS_BENCH_OTHERS_H
#define TESTS_BENCH_OTHERS_H

#include "tests/bench/bench.h"

/* All attacks that the filter lets through; also into bench->attacks_csv. */
void others_run(const struct bench *bench);

#endif
