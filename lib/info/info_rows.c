// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/info/info_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_row.h"

const struct info_column info_columns[] = {
	{"bytes", "BYTES", "bytes", 10, true},
	{"capacity", "CAPACITY", "capacity_bytes", 10, true},
	{"messages", "MESSAGES", "messages", 8, false},
	{"value", "VALUE", "value", 7, false},
	{"semaphores", "SEMS", "semaphores", 5, false},
	{"attached", "ATTACHED", "attached", 8, false},
	{"readers", "READERS", "readers", 7, false},
	{"writers", "WRITERS", "writers", 7, false},
	{"waiting", "WAITING", "waiting", 7, false},
	{.key = NULL},
};

static int rows_grow(struct info_rows *rows)
{
	size_t n = 2 * rows->n_allocated + 16;
	struct row *grown;

	if (rows->n < rows->n_allocated)
		return 0;
	grown = reallocarray(rows->rows, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	rows->n_allocated = n;
	return 0;
}

/* Takes over what is in `row`. */
static int rows_add(struct info_rows *rows, struct row *row)
{
	int r = rows_grow(rows);

	if (r == 0)
		r = info_walk_charge(&rows->walk, sizeof(*row) + row->size);
	if (r < 0)
		row_fini(row);
	else
		rows->rows[rows->n++] = *row;
	return r;
}

static int visit(struct info_walk *walk, struct channel *channel, const char *name,
		 struct caller *reader)
{
	struct row row = {.is_brief = true};
	int r = info_row(channel, name, reader, &row);

	return r < 0 ? r : rows_add(CONTAINER_OF(walk, struct info_rows, walk), &row);
}

int info_rows_prepare(void *data, struct caller *reader, void **ret_rows)
{
	struct info_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	info_walk_init(&rows->walk, data, reader);
	rows->walk.visit = visit;
	*ret_rows = rows;
	return 0;
}

int info_rows_gather(void *data, struct caller *reader)
{
	struct info_rows *rows = data;

	return info_walk_step(&rows->walk, reader);
}

void info_rows_discard(void *data)
{
	struct info_rows *rows = data;

	for (size_t i = 0; i < rows->n; i++)
		row_fini(&rows->rows[i]);
	free(rows->rows);
	rows->rows = NULL;
	rows->n = 0;
}

void info_rows_finish(void *data)
{
	struct info_rows *rows = data;

	info_rows_discard(rows);
	info_walk_fini(&rows->walk);
	free(rows);
}
