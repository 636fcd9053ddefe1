/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attack from its beginning to its end, in namespaces (mount, IPC, network) of its own.
 */
#ifndef TESTS_BENCH_STAGE_H
#define TESTS_BENCH_STAGE_H

#include "tests/bench/attack.h"
#include "tests/bench/bench.h"

struct outcome {
	bool has_begun; /* else nothing was measured */
	unsigned long n_blows;
	int hung;      /* the deed that had no end, or -1 */
	bool is_stuck; /* the daemon did not end by itself when it should */
};

/*
 * In a process of its own, which it ends with all that it started. `seconds` is how long the
 * witness goes on.
 */
void stage_run(const struct bench *bench, const struct attack *attack, double seconds,
	       struct scene *scene, struct outcome *ret_outcome);

#endif
