// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/metrics: the changing numbers of each object, in the OpenMetrics format. All samples of a
 * family stand together. The labels are kind and name, which tell any two objects apart.
 */
#include <errno.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

static int print_sample(const struct row *row, const struct info_column *column, FILE *out)
{
	const struct row_value *value = row_find(row, column->key);
	CLEANUP_FREE char *name = NULL, *number = NULL;

	if (!value)
		return 0;
	name = quote_string(row_find(row, "name")->text);
	number = info_value_text(value);
	if (!name || !number)
		return -ENOMEM;
	fprintf(out, "ipcfs_%s{kind=\"%s\",name=\"%s\"} %s\n", column->family,
		row_find(row, "kind")->word, name, number);
	return 0;
}

static int metrics_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r = 0;

	info_rows_complete(rows);
	for (const struct info_column *column = info_columns; r == 0 && column->key; column++) {
		fprintf(out, "# TYPE ipcfs_%s gauge\n", column->family);
		if (column->is_bytes)
			fprintf(out, "# UNIT ipcfs_%s bytes\n", column->family);
		for (size_t i = 0; r == 0 && i < rows->n; i++)
			r = print_sample(&rows->rows[i], column, out);
	}
	fputs("# EOF\n", out);
	return r;
}

const struct text_ops info_metrics_ops = {
	.print = metrics_print,
	.prepare = info_rows_prepare,
	.gather = info_rows_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
