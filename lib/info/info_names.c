// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When all rows are there, their owners and groups are looked up together.
 */
#include "lib/info/info_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/host/account_names.h"

/* How many rows one step looks at. */
#define STEP 1024

static enum account_sort sort_of(const char *key)
{
	return strcmp(key, "owner") == 0 ? ACCOUNT_USER : ACCOUNT_GROUP;
}

static void add(struct info_rows *rows, const struct row *row, const char *key)
{
	account_names_add(rows->names, sort_of(key), (uint32_t)row_find(row, key)->number);
}

static int begin(struct info_rows *rows)
{
	int r = info_walk_charge(&rows->walk, sizeof(*rows->names));

	if (r == 0)
		rows->names = calloc(1, sizeof(*rows->names));
	return r == 0 && !rows->names ? -ENOMEM : r;
}

int info_names_gather(void *data, struct caller *reader)
{
	struct info_rows *rows = data;
	int r = rows->names ? 0 : info_rows_gather(rows, reader);

	if (r == 0 && !rows->names)
		r = begin(rows);
	if (r < 0)
		return r;
	for (size_t i = 0; i < STEP && rows->n_named < rows->n; i++) {
		const struct row *row = &rows->rows[rows->n_named++];

		add(rows, row, "owner");
		add(rows, row, "group");
	}
	if (rows->n_named < rows->n)
		return -EAGAIN;
	return account_names_find(rows->names, rows->walk.host, reader);
}

/* NULL: no name is known. */
static const char *find_name(const struct info_rows *rows, const struct row *row, const char *key)
{
	return account_names_get(rows->names, sort_of(key), (uint32_t)row_find(row, key)->number);
}

static char *id_text(const struct row *row, const char *key)
{
	char *text;

	return asprintf(&text, "%u", (unsigned)row_find(row, key)->number) < 0 ? NULL : text;
}

char *info_names_text(const struct info_rows *rows, const struct row *row, const char *key)
{
	const char *name = find_name(rows, row, key);

	return name ? quote_word(name) : id_text(row, key);
}

char *info_names_label(const struct info_rows *rows, const struct row *row, const char *key)
{
	const char *name = find_name(rows, row, key);

	return name ? quote_string(name) : id_text(row, key);
}
