// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/summary: a line for each object, in columns for people.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

/* Separated from the previous cell, however wide that is. A negative width aligns to the left. */
static int print_cell(const struct row *row, const char *key, int width, FILE *out)
{
	const struct row_value *value = row_find(row, key);
	CLEANUP_FREE char *text = value ? info_value_text(value) : strdup("-");

	if (!text)
		return -ENOMEM;
	fprintf(out, "%s%*s", width < 0 ? "" : " ", width, text);
	return 0;
}

static int print_row(const struct row *row, FILE *out)
{
	int r = print_cell(row, "kind", -15, out);

	if (r == 0)
		r = print_cell(row, "owner", 6, out);
	if (r == 0)
		r = print_cell(row, "group", 6, out);
	if (r == 0)
		r = print_cell(row, "mode", 5, out);
	for (const struct info_column *column = info_columns; r == 0 && column->key; column++)
		r = print_cell(row, column->key, column->width, out);
	if (r == 0)
		r = print_cell(row, "name", 0, out);
	fputc('\n', out);
	return r;
}

static int summary_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r = 0;

	info_rows_complete(rows);
	fprintf(out, "%-15s %6s %6s %5s", "KIND", "OWNER", "GROUP", "MODE");
	for (const struct info_column *column = info_columns; column->key; column++)
		fprintf(out, " %*s", column->width, column->title);
	fputs(" NAME\n", out);
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = print_row(&rows->rows[i], out);
	return r;
}

const struct text_ops info_summary_ops = {
	.print = summary_print,
	.prepare = info_rows_prepare,
	.gather = info_rows_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
