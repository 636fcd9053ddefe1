/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long other users wait while one attacks: the median and the worst time of each of the
 * witness's deeds. Each attack has its own namespaces and its own mount. A daemon that hangs is
 * reported and killed.
 */
#ifndef TESTS_BENCH_OTHERS_H
#define TESTS_BENCH_OTHERS_H

#include "tests/bench/bench.h"

/* Runs all attacks that match the filter. Writes to bench->attacks_csv, too. */
void others_run(const struct bench *bench);

#endif
