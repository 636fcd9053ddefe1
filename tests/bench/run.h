/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures rows: both sides in turn, batch by batch, in every placement.
 */
#ifndef TESTS_BENCH_RUN_H
#define TESTS_BENCH_RUN_H

#include "tests/bench/row.h"

/* Runs all groups. */
void run_all(const struct bench *bench);

#endif
