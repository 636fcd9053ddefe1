// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/info/info_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/channel/channel.h"
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

/* A listing of one space after the other. */
struct collection {
	struct info_rows *rows;
	struct space *space;
	struct caller *reader;
	int error;
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

static int make_row(struct collection *collection, const char *name, struct row *row)
{
	struct entry entry = {0};
	int r = space_find(collection->space, name, collection->reader, &entry);

	if (r < 0)
		return r;
	r = info_row(entry.channel, name, collection->reader, row);
	channel_unref(entry.channel);
	return r;
}

/* Takes over what is in `row`. */
static int rows_add(struct info_rows *rows, struct row *row)
{
	size_t size = sizeof(*row) + row->size;
	int r = rows_grow(rows);

	if (r == 0)
		r = user_charge(rows->users, rows->uid, USER_BYTES, size);
	if (r < 0) {
		row_fini(row);
		return r;
	}
	rows->n_charged += size;
	rows->rows[rows->n++] = *row;
	return 0;
}

static bool collect(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct collection *collection = data;
	struct row row = {0};
	int r = make_row(collection, name, &row);

	if (r == -ENOENT || r == -ESTALE)
		r = 0; /* gone meanwhile */
	else if (r == 0)
		r = rows_add(collection->rows, &row);
	collection->error = r;
	return r == 0;
}

int info_rows_prepare(void *data, struct caller *reader, void **ret_rows)
{
	struct host *host = data;
	struct info_rows *rows = calloc(1, sizeof(*rows));
	struct collection collection = {.rows = rows, .reader = reader};
	int r = 0;

	if (!rows)
		return -ENOMEM;
	rows->users = &host->users;
	rows->uid = reader->uid;
	for (struct space **space = host->spaces; r == 0 && *space; space++) {
		collection.space = space_shown(*space);
		r = space_list(collection.space, reader, collect, &collection);
		if (r == 0)
			r = collection.error;
	}
	if (r < 0)
		info_rows_free(rows);
	else
		*ret_rows = rows;
	return r;
}

void info_rows_free(void *data)
{
	struct info_rows *rows = data;

	user_uncharge(rows->users, rows->uid, USER_BYTES, rows->n_charged);
	for (size_t i = 0; i < rows->n; i++)
		row_fini(&rows->rows[i]);
	free(rows->rows);
	free(rows);
}
