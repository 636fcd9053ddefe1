/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table on the terminal, the same as CSV, and the progress.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/figures.h"
#include "tests/bench/row.h"

/* The result of a row in one placement. */
struct result {
	const struct group *group;
	const struct row *row;
	enum placement placement;
	struct figures costs[N_SIDES]; /* costs[NATIVE].n is 0 if there is no such side */
};

void report_begin(const struct bench *bench);
void report_group(const struct group *group);
void report_result(const struct bench *bench, const struct result *result);
/* Reports that the mount lacks what the row measures. */
void report_absent(const struct row *row);

/* Shows on stderr, if that is a terminal, what is being measured. A NULL `row` clears it. */
void report_progress(const struct row *row, enum placement placement, size_t done, size_t n);

/* Counts a target that belongs to no row, and notes it if it was missed. */
void report_target(const char *what, bool met);

/* Prints how many targets were met, and which were missed. */
void report_end(void);

#endif
