// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sides take turns batch by batch, so a drift of the machine hits both.
 */
#include "tests/bench/run.h"

#include <string.h>
#include <unistd.h>

#include "tests/bench/clock.h"
#include "tests/bench/ends.h"
#include "tests/bench/others.h"
#include "tests/bench/place.h"
#include "tests/bench/report.h"

#define BATCHES      25
#define BATCHES_SLOW 5 /* --quick */
#define SECONDS_HANG 120

/* How long one batch has to take at least, in seconds. */
static double batch_seconds(const struct bench *bench)
{
	return bench->is_quick ? 0.003 : 0.02;
}

static size_t count_batches(const struct bench *bench, const struct row *row)
{
	if (row->n_batches)
		return row->n_batches;
	return row->is_slow && bench->is_quick ? BATCHES_SLOW : BATCHES;
}

/* Returns the cost of one piece of work: seconds, or whatever the side counts. */
static double measure(const struct side *side, struct ends *ends, size_t n)
{
	double start, seconds;

	alarm(SECONDS_HANG);
	if (side->sample)
		return side->sample(ends);
	start = clock_now();
	side->work(ends, n);
	seconds = clock_now() - start;
	if (side->rewind)
		side->rewind(ends);
	return seconds / (double)n;
}

/* Finds how many pieces of work take long enough on the quicker side. This also warms both up. */
static size_t calibrate(const struct bench *bench, const struct row *row, struct ends ends[N_SIDES])
{
	size_t n = 1;

	for (int i = 0; i < N_SIDES; i++) {
		const struct side *side = &row->sides[i];

		if (!side->work)
			continue;
		while (measure(side, &ends[i], n) * (double)n < batch_seconds(bench)) {
			if (row->n_max && 2 * n > row->n_max)
				break;
			n *= 2;
		}
	}
	return n;
}

static void run_placement(const struct bench *bench, struct result *result,
			  struct ends ends[N_SIDES])
{
	const struct row *row = result->row;
	size_t n_batches = count_batches(bench, row);
	size_t n;

	report_progress(row, result->placement, 0, n_batches);
	place(result->placement, bench->daemon, ends);
	n = calibrate(bench, row, ends);
	for (size_t batch = 0; batch < n_batches; batch++) {
		/*
		 * The scheduler seldom moves a process that runs well. This makes it decide again
		 * for each batch.
		 */
		if (result->placement == PLACED_FREE) {
			place(PLACED_OTHER, bench->daemon, ends);
			place(PLACED_FREE, bench->daemon, ends);
		}
		/* The sides take turns at going first. */
		for (int turn = 0; turn < N_SIDES; turn++) {
			int i = (turn + (int)batch) % N_SIDES;

			if (row->sides[i].name)
				figures_add(&result->costs[i],
					    measure(&row->sides[i], &ends[i], n));
		}
		report_progress(row, result->placement, batch + 1, n_batches);
	}
	report_result(bench, result);
}

static void run_row(const struct bench *bench, const struct group *group, const struct row *row)
{
	struct ends ends[N_SIDES];

	alarm(SECONDS_HANG);
	place(PLACED_FREE, bench->daemon, NULL);
	for (int i = 0; i < N_SIDES; i++)
		ends_open(&ends[i], bench, row, i);
	for (int placement = 0; placement < N_PLACEMENTS; placement++) {
		struct result result = {.group = group, .row = row, .placement = placement};

		if (!row->placements || (row->placements & 1U << placement))
			run_placement(bench, &result, ends);
	}
	alarm(SECONDS_HANG);
	place(PLACED_FREE, bench->daemon, NULL);
	for (int i = 0; i < N_SIDES; i++)
		ends_close(&ends[i], i);
	alarm(0);
}

static bool is_wanted(const struct bench *bench, const struct group *group, const struct row *row)
{
	return !bench->filter || strstr(group->name, bench->filter) ||
	       strstr(row->work, bench->filter);
}

static void run_group(const struct bench *bench, const struct group *group, bool keeps_fifos)
{
	bool is_told = false;

	for (const struct row *row = group->rows; row->work; row++) {
		if (!is_wanted(bench, group, row))
			continue;
		if (!is_told)
			report_group(group);
		is_told = true;
		if (bench_has_kind(bench, row->kind) && (!row->is_kept || keeps_fifos) &&
		    (!row->is_followed || bench->started != bench->daemon))
			run_row(bench, group, row);
		else
			report_absent(row);
	}
}

void run_all(const struct bench *bench)
{
	bool keeps_fifos = bench_keeps_fifos(bench);

	report_begin(bench);
	for (int i = 0; groups[i]; i++)
		run_group(bench, groups[i], keeps_fifos);
	others_run(bench);
	report_end();
}
