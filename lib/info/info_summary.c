// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/summary: a line for each object, in columns for people.
 *
 * A column is as wide as what is in it, and is left out where it would say nothing. Each line has
 * the same number of words, with "-" for what there isn't, except that a name may contain blanks:
 * it comes last. So awk(1) finds what it looks for by the titles.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_names.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

#define COLUMNS_MOST 16

/* A column as it is shown. */
struct summary_column {
	const char *key, *title;
	bool is_bytes, is_account;
	bool is_left; /* aligned to the left */
	int width;
};

struct summary {
	const struct info_rows *rows;
	struct summary_column columns[COLUMNS_MOST];
	size_t n;
};

/* NULL: no memory. */
static char *cell_text(const struct summary *summary, const struct summary_column *column,
		       const struct row *row)
{
	const struct row_value *value = row_find(row, column->key);

	if (!value)
		return strdup("-");
	if (column->is_account)
		return info_names_text(summary->rows, row, column->key);
	return column->is_bytes ? info_size_text(value->number) : info_value_text(value);
}

static void add_column(struct summary *summary, const struct summary_column *column)
{
	summary->columns[summary->n] = *column;
	summary->columns[summary->n++].width = (int)strlen(column->title);
}

/* Whether a row has anything but 0 there. */
static bool is_needed(const struct info_rows *rows, const char *key)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct row_value *value = row_find(&rows->rows[i], key);

		if (value && value->number)
			return true;
	}
	return false;
}

static void choose_columns(struct summary *summary)
{
	static const struct summary_column first[] = {
		{.key = "kind", .title = "KIND", .is_left = true},
		{.key = "owner", .title = "OWNER", .is_account = true, .is_left = true},
		{.key = "group", .title = "GROUP", .is_account = true, .is_left = true},
		{.key = "mode", .title = "MODE"},
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		add_column(summary, &first[i]);
	for (const struct info_column *number = info_columns; number->key; number++)
		if (is_needed(summary->rows, number->key))
			add_column(summary, &(struct summary_column){.key = number->key,
								     .title = number->brief,
								     .is_bytes = number->is_bytes});
}

/* Makes each column as wide as its widest cell. */
static int measure_columns(struct summary *summary)
{
	for (size_t i = 0; i < summary->rows->n * summary->n; i++) {
		struct summary_column *column = &summary->columns[i % summary->n];
		CLEANUP_FREE char *text =
			cell_text(summary, column, &summary->rows->rows[i / summary->n]);
		int width = text ? (int)strlen(text) : 0;

		if (!text)
			return -ENOMEM;
		column->width = width > column->width ? width : column->width;
	}
	return 0;
}

static void print_cell(const struct summary_column *column, const char *text, FILE *out)
{
	fprintf(out, "%*s ", column->is_left ? -column->width : column->width, text);
}

static int print_row(const struct summary *summary, const struct row *row, FILE *out)
{
	CLEANUP_FREE char *name = info_value_text(row_find(row, "name"));

	for (size_t i = 0; i < summary->n; i++) {
		const struct summary_column *column = &summary->columns[i];
		CLEANUP_FREE char *text = cell_text(summary, column, row);

		if (!text)
			return -ENOMEM;
		print_cell(column, text, out);
	}
	if (!name)
		return -ENOMEM;
	fprintf(out, "%s\n", name);
	return 0;
}

static int summary_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	struct summary summary = {.rows = rows};
	int r;

	info_rows_complete(rows);
	info_rows_sort(rows);
	choose_columns(&summary);
	r = measure_columns(&summary);
	for (size_t i = 0; i < summary.n; i++)
		print_cell(&summary.columns[i], summary.columns[i].title, out);
	fputs("NAME\n", out);
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = print_row(&summary, &rows->rows[i], out);
	return r;
}

const struct text_ops info_summary_ops = {
	.print = summary_print,
	.prepare = info_rows_prepare,
	.gather = info_names_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
