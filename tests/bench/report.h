/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table on the terminal, the same as CSV, and how far it has come.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/figures.h"
#include "tests/bench/row.h"

/* What a row came to in one placement. */
struct result {
	const struct group *group;
	const struct row *row;
	enum placement placement;
	struct figures costs[N_SIDES]; /* native: n is 0 if there is none */
};

void report_begin(const struct bench *bench);
void report_group(const struct group *group);
void report_result(const struct bench *bench, const struct result *result);
/* The row's kind is not in this mount. */
void report_absent(const struct row *row);

/* On stderr, if that is a terminal: what is being measured. NULL clears it. */
void report_progress(const struct row *row, enum placement placement, size_t done, size_t n);

/* One that is no row's. */
void report_target(const char *what, bool met);

/* Says which targets were missed. */
void report_end(void);

#endif
