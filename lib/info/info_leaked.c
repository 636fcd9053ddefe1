// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/leaks: what nobody uses any more, the largest first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/channel.h"
#include "lib/info/info_names.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

/* Longer names stand out of their column. */
#define NAME_WIDTH_MOST 60

static int leaks_prepare(void *data, struct caller *reader, void **ret_rows)
{
	struct host *host = data;

	*ret_rows = info_rows_of_leaks(host, reader, NULL, host->idle);
	return *ret_rows ? 0 : -ENOMEM;
}

static uint64_t bytes_of(const struct row *row)
{
	const struct row_value *bytes = row_find(row, "bytes");

	return bytes ? bytes->number : 0;
}

static time_t since_of(const struct row *row)
{
	return row_find(row, "idle-since")->time.tv_sec;
}

/* For qsort(3). What is not leaked comes last. */
static int compare(const void *a_, const void *b_)
{
	const struct row *a = a_, *b = b_;
	bool is_leaked[2] = {row_find(a, "leaked"), row_find(b, "leaked")};

	if (!is_leaked[0] || !is_leaked[1])
		return is_leaked[1] - is_leaked[0];
	if (bytes_of(a) != bytes_of(b))
		return bytes_of(a) > bytes_of(b) ? -1 : 1;
	return since_of(a) < since_of(b) ? -1 : since_of(a) > since_of(b);
}

/* Gives KIND/NAME as one word. NULL: no memory. */
static char *name_of(const struct row *row)
{
	CLEANUP_FREE char *name = quote_word(row_find(row, "name")->text);
	char *path;

	if (!name || asprintf(&path, "%s/%s", row_find(row, "kind")->word, name) < 0)
		return NULL;
	return path;
}

static int print_row(const struct info_rows *rows, const struct row *row, int width, FILE *out)
{
	CLEANUP_FREE char *name = name_of(row);
	CLEANUP_FREE char *owner = info_names_text(rows, row, "owner");
	time_t idle = time(NULL) - since_of(row);

	if (!name || !owner)
		return -ENOMEM;
	fprintf(out, "%10" PRIu64 " %10lld %-10s %-*s %s\n", bytes_of(row), (long long)idle, owner,
		width, name, row_find(row, "leaked")->word);
	return 0;
}

/* Gives the width of the longest name. -ENOMEM */
static int measure(const struct info_rows *rows, size_t n, int *ret_width)
{
	size_t width = strlen("NAME");

	for (size_t i = 0; i < n; i++) {
		CLEANUP_FREE char *name = name_of(&rows->rows[i]);

		if (!name)
			return -ENOMEM;
		if (strlen(name) > width)
			width = strlen(name);
	}
	*ret_width = width < NAME_WIDTH_MOST ? (int)width : NAME_WIDTH_MOST;
	return 0;
}

static int leaks_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	time_t idle = rows->walk.host->idle;
	size_t n = 0;
	int width = 0, r;

	info_rows_complete(rows);
	if (rows->n) /* the array of an empty table is NULL */
		qsort(rows->rows, rows->n, sizeof(*rows->rows), compare);
	while (n < rows->n && row_find(&rows->rows[n], "leaked"))
		n++;
	if (rows->leaks.n_unjudged)
		fprintf(out, "# %zu objects of too many users could not be judged.\n",
			rows->leaks.n_unjudged);
	if (n == 0) {
		fprintf(out, "# Nothing has been unused for %lld seconds.\n", (long long)idle);
		return 0;
	}
	r = measure(rows, n, &width);
	fprintf(out,
		"# Unused for %lld seconds or longer; bytes, seconds. In the directory of the "
		"mount, "
		"rm NAME removes one,\n# and 'echo reap sysv/shm > ctl' those of a kind; with "
		"dry=yes, cat ctl only tells which.\n%10s %10s %-10s %-*s %s\n",
		(long long)idle, "BYTES", "IDLE", "OWNER", width, "NAME", "WHY");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = print_row(rows, &rows->rows[i], width, out);
	return r;
}

const struct text_ops info_leaks_ops = {
	.print = leaks_print,
	.prepare = leaks_prepare,
	.gather = info_names_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
