// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/inventory.json: an array with an object for each channel.
 */
#include "lib/info/info_json.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

/* NULL: no memory. */
static json_object *value_json(const struct row_value *value)
{
	CLEANUP_FREE char *text = NULL;

	switch (value->type) {
	case ROW_NUMBER:
	case ROW_BYTES:
		return json_object_new_uint64(value->number);
	case ROW_SIGNED:
		return json_object_new_int64(value->signed_number);
	default:
		break;
	}
	text = info_value_text(value);
	if (!text)
		return NULL;
	/* A double has too few digits for a time. Given as text, it keeps them all. */
	if (value->type == ROW_TIME)
		return json_object_new_double_s((double)value->time.tv_sec, text);
	return json_object_new_string(text);
}

json_object *info_json_row(const struct row *row)
{
	json_object *object = json_object_new_object();

	for (size_t i = 0; object && i < row->n; i++) {
		json_object *member = value_json(&row->values[i]);

		if (!member || json_object_object_add(object, row->values[i].key, member) < 0) {
			json_object_put(member);
			json_object_put(object);
			return NULL;
		}
	}
	return object;
}

/* Such characters stand only in strings, so the escaped text is the same JSON. */
void info_json_print_in_script(const char *json, FILE *out)
{
	while (*json) {
		size_t n = strcspn(json, "<>&\xe2");

		fwrite(json, 1, n, out);
		json += n;
		if (strncmp(json, "\u2028", 3) == 0 || strncmp(json, "\u2029", 3) == 0) {
			fprintf(out, "\\u202%c", json[2] == '\xa8' ? '8' : '9');
			json += 3;
		} else if (*json == '\xe2') {
			fputc(*json++, out);
		} else if (*json) {
			fprintf(out, "\\u%04x", (unsigned)*json++);
		}
	}
}

/* One row at a time: the text takes less memory than the rows, but a tree of them all far more. */
static int print_row(const struct row *row, FILE *out)
{
	json_object *object = info_json_row(row);
	const char *text = NULL;

	if (object)
		text = json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fputs(text, out);
	json_object_put(object);
	return text ? 0 : -ENOMEM;
}

static int inventory_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r = 0;

	info_rows_complete(rows);
	info_rows_sort(rows);
	fputs("[", out);
	for (size_t i = 0; r == 0 && i < rows->n; i++) {
		fputs(i ? ",\n" : "\n", out);
		r = print_row(&rows->rows[i], out);
	}
	fputs("\n]\n", out);
	return r;
}

const struct text_ops info_inventory_ops = {
	.print = inventory_print,
	.prepare = info_rows_prepare,
	.gather = info_rows_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
