// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "lib/channel/channel.h"
#include "lib/base/cleanup.h"
#include "lib/info/info_text.h"

/* What summary and metrics show of all that a status says. */
static const struct column {
	const char *key, *title;
	const char *family; /* as metrics they have their unit in the name */
	int width;
	bool is_bytes;
} columns[] = {
	{"bytes", "BYTES", "bytes", 10, true},
	{"capacity", "CAPACITY", "capacity_bytes", 10, true},
	{"messages", "MESSAGES", "messages", 8, false},
	{"value", "VALUE", "value", 7, false},
	{"semaphores", "SEMS", "semaphores", 5, false},
	{"attached", "ATTACHED", "attached", 8, false},
	{"readers", "READERS", "readers", 7, false},
	{"writers", "WRITERS", "writers", 7, false},
	{"waiting", "WAITING", "waiting", 7, false},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct row {
	const char *kind;
	char *status;
	char *name;
};

/*
 * The status of one object after the other, as text: looked up on the loop, for a worker to make
 * the table of.
 */
struct rows {
	struct rows_list {
		struct row *rows;
		size_t n, n_allocated;
	} list;
	struct user_table *users;
	uid_t uid; /* whom they are charged to */
	size_t n_charged;

	/* While they are looked up. */
	struct space *space;
	struct caller *reader;
	int error;
};

static int rows_grow(struct rows *rows)
{
	size_t n = 2 * rows->list.n_allocated + 16;
	struct row *grown;

	if (rows->list.n < rows->list.n_allocated)
		return 0;
	grown = reallocarray(rows->list.rows, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rows->list.rows = grown;
	rows->list.n_allocated = n;
	return 0;
}

static int print_status(struct rows *rows, const char *name, char **ret_status)
{
	struct entry entry;
	size_t size;
	FILE *out;
	int r = space_find(rows->space, name, rows->reader, &entry);

	if (r < 0)
		return r;
	out = open_memstream(ret_status, &size);
	r = out ? info_print_status(entry.channel, name, rows->reader, out) : -ENOMEM;
	if (out && fclose(out) == EOF && r == 0)
		r = -ENOMEM;
	channel_unref(entry.channel);
	if (r < 0 && out)
		free(TAKE_PTR(*ret_status));
	return r;
}

static int rows_charge(struct rows *rows, const struct row *row)
{
	size_t n = sizeof(*row) + strlen(row->name) + strlen(row->status) + 2;
	int r = user_charge(rows->users, rows->uid, USER_BYTES, n);

	if (r == 0)
		rows->n_charged += n;
	return r;
}

static bool rows_add(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct rows *rows = data;
	struct row row = {.kind = rows->space->kind->path};
	int r = rows_grow(rows);

	if (r == 0)
		r = print_status(rows, name, &row.status);
	if (r == -ENOENT || r == -ESTALE)
		return true; /* gone meanwhile */
	if (r == 0) {
		row.name = strdup(name);
		rows->list.rows[rows->list.n++] = row;
		r = row.name ? rows_charge(rows, &row) : -ENOMEM;
	}
	rows->error = r;
	return r == 0;
}

static void rows_free(void *data)
{
	struct rows *rows = data;

	user_uncharge(rows->users, rows->uid, USER_BYTES, rows->n_charged);
	for (size_t i = 0; i < rows->list.n; i++) {
		free(rows->list.rows[i].status);
		free(rows->list.rows[i].name);
	}
	free(rows->list.rows);
	free(rows);
}

static int rows_prepare(void *data, struct caller *reader, void **ret_rows)
{
	struct host *host = data;
	struct rows *rows = calloc(1, sizeof(*rows));
	int r = 0;

	if (!rows)
		return -ENOMEM;
	rows->users = &host->users;
	rows->uid = reader->uid;
	rows->reader = reader;
	for (struct space **space = host->spaces; r == 0 && *space; space++) {
		rows->space = space_shown(*space);
		r = space_list(rows->space, reader, rows_add, rows);
		if (r == 0)
			r = rows->error;
	}
	if (r < 0)
		rows_free(rows);
	else
		*ret_rows = rows;
	return r;
}

/* The value of a key, up to the end of its line; NULL if there is none. */
static const char *row_value(const struct row *row, const char *key, int *ret_length)
{
	size_t length = strlen(key);

	for (const char *line = row->status; *line; line = strchrnul(line, '\n') + 1) {
		if (strncmp(line, key, length) != 0 || line[length] != ' ')
			continue;
		*ret_length = (int)strcspn(line + length + 1, "\n");
		return line + length + 1;
	}
	*ret_length = 1;
	return NULL;
}

static void print_cell(const struct row *row, const char *key, int width, FILE *out)
{
	int length;
	const char *value = row_value(row, key, &length);

	fprintf(out, " %*.*s", width, length, value ? value : "-");
}

static int summary_print(void *prepared, struct caller *reader, FILE *out)
{
	const struct rows *rows = prepared;

	fprintf(out, "%-12s %6s %6s %5s", "KIND", "OWNER", "GROUP", "MODE");
	for (size_t c = 0; c < N_COLUMNS; c++)
		fprintf(out, " %*s", columns[c].width, columns[c].title);
	fputs(" NAME\n", out);
	for (size_t i = 0; i < rows->list.n; i++) {
		const struct row *row = &rows->list.rows[i];
		CLEANUP_FREE char *name = info_escape(row->name, "");

		fprintf(out, "%-12s", row->kind);
		print_cell(row, "owner", 6, out);
		print_cell(row, "group", 6, out);
		print_cell(row, "mode", 5, out);
		for (size_t c = 0; c < N_COLUMNS; c++)
			print_cell(row, columns[c].key, columns[c].width, out);
		fprintf(out, " %s\n", name ? name : "?");
	}
	return 0;
}

/* What may look like a number and is none. */
static bool is_text(const char *key)
{
	return strcmp(key, "name") == 0 || strcmp(key, "mode") == 0 || strcmp(key, "values") == 0;
}

/* A status line as a member: whole numbers and times as numbers, all else as a string. */
static int add_member(json_object *object, const char *key, const char *value)
{
	json_object *member;
	char *end;
	double number = strtod(value, &end);
	bool is_number = end != value && !*end && !is_text(key);

	if (!is_number)
		member = json_object_new_string(value);
	else if (strchr(value, '.'))
		member = json_object_new_double_s(number, value);
	else
		member = json_object_new_uint64(strtoull(value, NULL, 10));
	return member && json_object_object_add(object, key, member) == 0 ? 0 : -ENOMEM;
}

static int add_object(json_object *array, char *status)
{
	json_object *object = json_object_new_object();
	char *rest, *line;
	int r = object && json_object_array_add(array, object) == 0 ? 0 : -ENOMEM;

	for (line = strtok_r(status, "\n", &rest); r == 0 && line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *value = strchr(line, ' ');

		*value++ = '\0';
		r = add_member(object, line, value);
	}
	return r;
}

static int inventory_print(void *prepared, struct caller *reader, FILE *out)
{
	const struct rows *rows = prepared;
	json_object *array = json_object_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < rows->list.n; i++)
		r = add_object(array, rows->list.rows[i].status);
	if (r == 0)
		fprintf(out, "%s\n",
			json_object_to_json_string_ext(
				array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
	return r;
}

static int print_sample(const struct row *row, const char *key, const char *family, FILE *out)
{
	CLEANUP_FREE char *label = info_escape(row->name, "\\\"");
	int length;
	const char *value = row_value(row, key, &length);

	if (!label)
		return -ENOMEM;
	if (value)
		fprintf(out, "ipcfs_%s{kind=\"%s\",name=\"%s\"} %.*s\n", family, row->kind, label,
			length, value);
	return 0;
}

static int metrics_print(void *prepared, struct caller *reader, FILE *out)
{
	const struct rows *rows = prepared;
	int r = 0;

	for (size_t c = 0; r == 0 && c < N_COLUMNS; c++) {
		fprintf(out, "# TYPE ipcfs_%s gauge\n", columns[c].family);
		if (columns[c].is_bytes)
			fprintf(out, "# UNIT ipcfs_%s bytes\n", columns[c].family);
		for (size_t i = 0; r == 0 && i < rows->list.n; i++)
			r = print_sample(&rows->list.rows[i], columns[c].key, columns[c].family,
					 out);
	}
	fputs("# EOF\n", out);
	return r;
}

const struct text_ops info_summary_ops = {
	.print = summary_print,
	.prepare = rows_prepare,
	.finish = rows_free,
};
const struct text_ops info_inventory_ops = {
	.print = inventory_print,
	.prepare = rows_prepare,
	.finish = rows_free,
};
const struct text_ops info_metrics_ops = {
	.print = metrics_print,
	.prepare = rows_prepare,
	.finish = rows_free,
};
