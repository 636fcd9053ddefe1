/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attack from start to end, in its own mount, IPC and network namespaces.
 */
#ifndef TESTS_BENCH_STAGE_H
#define TESTS_BENCH_STAGE_H

#include "tests/bench/attack.h"
#include "tests/bench/bench.h"

struct outcome {
	bool has_begun; /* if not, nothing was measured */
	unsigned long n_blows;
	int hung;      /* the deed that never ended, or -1 */
	bool is_stuck; /* the daemon did not end when asked to */
};

/*
 * Runs the attack while the witness works for this many seconds. Call it in a process of its own,
 * because it ends all of that process's children.
 */
void stage_run(const struct bench *bench, const struct attack *attack, double seconds,
	       struct scene *scene, struct outcome *ret_outcome);

#endif
