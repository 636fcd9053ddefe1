// SPDX-License-Identifier: GPL-2.0-or-later
/* The three lists have one order, so that a position in each means the same reader. */
#include "lib/channel/told_readers.h"

#include <stdlib.h>

#include "lib/base/cleanup.h"

/* The most readers that are listed. */
#define LISTED_MAX ((size_t)1000)

static int by_behind(const void *a_, const void *b_)
{
	const struct told_reader *a = a_, *b = b_;

	return a->behind == b->behind ? 0 : a->behind < b->behind ? 1 : -1;
}

static void add_list(struct row *row, const char *key, const struct told_reader *readers, size_t n,
		     size_t field)
{
	CLEANUP_FREE uint64_t *numbers = calloc(n, sizeof(*numbers));

	for (size_t i = 0; numbers && i < n; i++)
		numbers[i] = *(const uint64_t *)((const char *)&readers[i] + field);
	if (numbers)
		row_add_list(row, key, numbers, n);
}

void told_readers_add(struct row *row, struct told_reader *readers, size_t n)
{
	if (n == 0)
		return;
	qsort(readers, n, sizeof(*readers), by_behind);
	if (n > LISTED_MAX)
		n = LISTED_MAX;
	add_list(row, "reader-pids", readers, n, offsetof(struct told_reader, pid));
	add_list(row, "reader-behind", readers, n, offsetof(struct told_reader, behind));
	add_list(row, "reader-missed", readers, n, offsetof(struct told_reader, missed));
}
