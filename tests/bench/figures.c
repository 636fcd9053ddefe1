// SPDX-License-Identifier: GPL-2.0-or-later
/* The median sorts a copy, because the two sides are paired by the order of their batches. */
#include "tests/bench/figures.h"

#include <assert.h>
#include <stdlib.h>

void figures_add(struct figures *figures, double value)
{
	assert(figures->n < BATCHES_MAX);
	figures->values[figures->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double figures_median(const struct figures *figures)
{
	struct figures sorted = *figures;
	size_t middle = sorted.n / 2;

	assert(sorted.n > 0);
	qsort(sorted.values, sorted.n, sizeof(sorted.values[0]), compare);
	if (sorted.n % 2)
		return sorted.values[middle];
	return (sorted.values[middle - 1] + sorted.values[middle]) / 2;
}

double figures_best(const struct figures *figures)
{
	double best = figures->values[0];

	for (size_t i = 1; i < figures->n; i++)
		if (figures->values[i] < best)
			best = figures->values[i];
	return best;
}

double figures_ratio(const struct figures *figures, const struct figures *reference)
{
	struct figures ratios = {.n = 0};

	assert(figures->n == reference->n);
	for (size_t i = 0; i < figures->n; i++)
		figures_add(&ratios, figures->values[i] / reference->values[i]);
	return figures_median(&ratios);
}
