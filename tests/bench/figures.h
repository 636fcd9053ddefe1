/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics over many batches.
 *
 * Figures are costs: seconds, or anything of which less is better. The ratio of two sides is the
 * median of the ratios of neighbouring batches: machines drift, but hardly between two neighbours.
 */
#ifndef TESTS_BENCH_FIGURES_H
#define TESTS_BENCH_FIGURES_H

#include <stddef.h>

#define BATCHES_MAX 101

struct figures {
	double values[BATCHES_MAX];
	size_t n;
};

void figures_add(struct figures *figures, double value);
double figures_median(const struct figures *figures);
double figures_best(const struct figures *figures);

/* Returns the ratio of the figures to those of `reference`. Both have the same number of values. */
double figures_ratio(const struct figures *figures, const struct figures *reference);

#endif
