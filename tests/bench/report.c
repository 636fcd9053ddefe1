// SPDX-License-Identifier: GPL-2.0-or-later
/* Costs are converted to units of the output here, and nowhere else. */
#include "tests/bench/report.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/bench/place.h"

#define MISSED_MAX 128

static unsigned n_targets, n_missed, n_absent;
static char missed[MISSED_MAX][128];

/* Returns a cost in the row's unit. Rates are inverses of a cost. */
static double to_unit(const struct row *row, double cost)
{
	switch (row->unit) {
	case UNIT_RATE:
		return (double)row->size / cost / 1e6;
	case UNIT_DELIVERIES:
		return (double)row->n_readers / cost / 1e3;
	case UNIT_MICROSECONDS:
		return cost * 1e6;
	case UNIT_MILLISECONDS:
		return cost * 1e3;
	default:
		return cost;
	}
}

static const char *unit_name(enum unit unit)
{
	static const char *const names[] = {
		[UNIT_RATE] = "MB/s",       [UNIT_DELIVERIES] = "k/s", [UNIT_MICROSECONDS] = "us",
		[UNIT_MILLISECONDS] = "ms", [UNIT_KIB] = "KiB",        [UNIT_COUNT] = "",
	};

	return names[unit];
}

/*
 * Returns the bound for the result's placement; BOUND_NONE if the row is only shown in that
 * placement.
 */
static enum bound find_bound(const struct result *result)
{
	const struct row *row = result->row;
	bool is_ratio = row->bound == BOUND_SPEED || row->bound == BOUND_TIME;
	bool is_shown = is_ratio && row->targets[result->placement] == 0;

	return is_shown ? BOUND_NONE : row->bound;
}

/*
 * Returns the number to compare with the target: the ratio, or the figure itself if there is no
 * ratio.
 */
static double find_score(const struct result *result)
{
	const struct figures *native = &result->costs[NATIVE], *ipcfs = &result->costs[IPCFS];

	switch (result->row->bound) {
	case BOUND_TIME:
		return figures_ratio(ipcfs, native);
	case BOUND_MOST:
	case BOUND_BELOW:
		return to_unit(result->row, figures_median(ipcfs));
	default:
		return figures_ratio(native, ipcfs);
	}
}

static const char *bound_sign(enum bound bound)
{
	static const char *const signs[] = {
		[BOUND_NONE] = "",   [BOUND_SPEED] = ">=", [BOUND_TIME] = "<=",
		[BOUND_MOST] = "<=", [BOUND_BELOW] = "<",
	};

	return signs[bound];
}

static bool is_met(enum bound bound, double score, double target)
{
	switch (bound) {
	case BOUND_SPEED:
		return score >= target;
	case BOUND_TIME:
	case BOUND_MOST:
		return score <= target;
	case BOUND_BELOW:
		return score < target;
	default:
		return true;
	}
}

/* Formats to three significant digits. */
static const char *format(char *buffer, size_t size, double value)
{
	int digits = value >= 100 || value == (double)(long)value ? 0 : value >= 10 ? 1 : 2;

	snprintf(buffer, size, "%.*f", digits, value);
	return buffer;
}

static void print_side(const struct row *row, const struct figures *costs)
{
	char median[32], best[32], text[80];

	if (costs->n == 0)
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), "%s (%s) %s",
			 format(median, sizeof(median), to_unit(row, figures_median(costs))),
			 format(best, sizeof(best), to_unit(row, figures_best(costs))),
			 unit_name(row->unit));
	printf(" %22s", text);
}

static void print_verdict(const struct result *result, double score, bool met)
{
	const struct row *row = result->row;
	enum bound bound = find_bound(result);
	bool is_ratio = row->bound != BOUND_MOST && row->bound != BOUND_BELOW;
	char value[32], target[32];

	printf(" %7s%s", is_ratio ? format(value, sizeof(value), score) : "", is_ratio ? "x" : " ");
	if (bound != BOUND_NONE)
		printf("  %2s %s%s%s", bound_sign(bound),
		       format(target, sizeof(target), row->targets[result->placement]),
		       is_ratio ? "x" : "", met ? "" : "  MISSED");
	putchar('\n');
}

static void csv_field(FILE *csv, const char *text)
{
	fprintf(csv, "\"%s\",", text ? text : "");
}

static void csv_side(FILE *csv, const struct row *row, const struct figures *costs)
{
	if (costs->n)
		fprintf(csv, "%.6g,%.6g,", to_unit(row, figures_median(costs)),
			to_unit(row, figures_best(costs)));
	else
		fprintf(csv, ",,");
}

static void csv_result(FILE *csv, const struct result *result, double score, bool met)
{
	const struct row *row = result->row;
	enum bound bound = find_bound(result);

	csv_field(csv, result->group->name);
	csv_field(csv, row->work);
	csv_field(csv, placement_name(result->placement));
	csv_field(csv, unit_name(row->unit));
	csv_field(csv, row->sides[NATIVE].name);
	csv_side(csv, row, &result->costs[NATIVE]);
	csv_side(csv, row, &result->costs[IPCFS]);
	fprintf(csv, "%zu,%.4g,", result->costs[IPCFS].n, score);
	csv_field(csv, bound_sign(bound));
	if (bound != BOUND_NONE)
		fprintf(csv, "%g,%s\n", row->targets[result->placement], met ? "met" : "missed");
	else
		fprintf(csv, ",\n");
	fflush(csv);
}

void report_begin(const struct bench *bench)
{
	printf("Median (best) of each side; the ratio is the median over neighbouring batches.\n"
	       "CPU: client, other end and daemon on the same; client on one, the rest on another;"
	       " free.\n");
	if (bench->csv)
		fprintf(bench->csv, "group,work,cpu,unit,native,native_median,native_best,"
				    "ipcfs_median,ipcfs_best,batches,score,bound,target,verdict\n");
}

void report_group(const struct group *group)
{
	printf("\n%-36s %-5s %22s %22s %8s  %s\n", group->title, "CPU", "native", "ipcfs", "ratio",
	       "target");
}

void report_result(const struct bench *bench, const struct result *result)
{
	const struct row *row = result->row;
	double score = find_score(result);
	bool met = is_met(find_bound(result), score, row->targets[result->placement]);
	char what[128];

	report_progress(NULL, 0, 0, 0);
	printf("  %-34s %-5s", row->work, placement_name(result->placement));
	print_side(row, &result->costs[NATIVE]);
	print_side(row, &result->costs[IPCFS]);
	print_verdict(result, score, met);
	fflush(stdout);
	if (bench->csv)
		csv_result(bench->csv, result, score, met);
	if (find_bound(result) == BOUND_NONE)
		return;
	snprintf(what, sizeof(what), "%s: %s, %s", result->group->title, row->work,
		 placement_name(result->placement));
	report_target(what, met);
}

void report_target(const char *what, bool met)
{
	n_targets++;
	if (!met && n_missed < MISSED_MAX)
		snprintf(missed[n_missed++], sizeof(missed[0]), "%s", what);
}

void report_absent(const struct row *row)
{
	n_absent++;
	printf("  %-34s not measured: this mount has no %s\n", row->work,
	       row->is_followed ? "a supervisor"
	       : row->is_kept   ? "kept FIFOs"
				: row->kind);
}

void report_progress(const struct row *row, enum placement placement, size_t done, size_t n)
{
	static bool is_shown;

	if (!isatty(STDERR_FILENO) || (!row && !is_shown))
		return;
	if (row)
		fprintf(stderr, "\r\033[K  %s, %s: %zu of %zu", row->work,
			placement_name(placement), done, n);
	else
		fputs("\r\033[K", stderr);
	is_shown = row != NULL;
}

void report_end(void)
{
	printf("\n%u of %u targets met", n_targets - n_missed, n_targets);
	if (n_absent)
		printf(", %u rows not measured", n_absent);
	puts(n_missed ? "; missed:" : "");
	for (unsigned i = 0; i < n_missed; i++)
		printf("  %s\n", missed[i]);
}
