// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An array of values: a row has few, so finding a key means looking at each.
 */
#include "lib/channel/row.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void value_fini(struct row_value *value)
{
	if (value->type == ROW_TEXT)
		free(value->text);
	else if (value->type == ROW_LIST)
		free(value->list.numbers);
}

void row_fini(struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		value_fini(&row->values[i]);
	free(row->values);
	*row = (struct row){0};
}

static bool row_grow(struct row *row)
{
	size_t n = row->n_allocated + 16;
	struct row_value *grown;

	if (row->n < row->n_allocated)
		return true;
	grown = reallocarray(row->values, n, sizeof(*grown));
	if (!grown)
		return false;
	row->size += (n - row->n_allocated) * sizeof(*grown);
	row->values = grown;
	row->n_allocated = n;
	return true;
}

/* Returns the new value with its key and type, or NULL if there is no memory for it. */
static struct row_value *row_add(struct row *row, const char *key, enum row_type type)
{
	struct row_value *value;

	if (row->error == 0 && !row_grow(row))
		row->error = -ENOMEM;
	if (row->error < 0)
		return NULL;
	value = &row->values[row->n++];
	*value = (struct row_value){.key = key, .type = type};
	return value;
}

void row_add_number(struct row *row, const char *key, uint64_t number)
{
	struct row_value *value = row_add(row, key, ROW_NUMBER);

	if (value)
		value->number = number;
}

void row_add_signed(struct row *row, const char *key, int64_t number)
{
	struct row_value *value = row_add(row, key, ROW_SIGNED);

	if (value)
		value->signed_number = number;
}

void row_add_bytes(struct row *row, const char *key, uint64_t n)
{
	struct row_value *value = row_add(row, key, ROW_BYTES);

	if (value)
		value->number = n;
}

void row_add_time(struct row *row, const char *key, const struct timespec *time)
{
	struct row_value *value = row_add(row, key, ROW_TIME);

	if (value)
		value->time = *time;
}

void row_add_mode(struct row *row, const char *key, mode_t mode)
{
	struct row_value *value = row_add(row, key, ROW_MODE);

	if (value)
		value->mode = mode & 07777;
}

void row_add_word(struct row *row, const char *key, const char *word)
{
	struct row_value *value = row_add(row, key, ROW_WORD);

	if (value)
		value->word = word;
}

/* Copies data for the row's last value. If there is no memory, removes that value again. */
static void *row_copy(struct row *row, const void *data, size_t size)
{
	void *copy = malloc(size);

	if (copy) {
		row->size += size;
		return memcpy(copy, data, size);
	}
	row->error = -ENOMEM;
	row->n--;
	return NULL;
}

void row_add_text(struct row *row, const char *key, const char *text)
{
	struct row_value *value = row_add(row, key, ROW_TEXT);

	if (value)
		value->text = row_copy(row, text, strlen(text) + 1);
}

void row_add_list(struct row *row, const char *key, const uint64_t *numbers, size_t n)
{
	struct row_value *value = row_add(row, key, ROW_LIST);

	if (!value)
		return;
	value->list.n = n;
	if (n)
		value->list.numbers = row_copy(row, numbers, n * sizeof(*numbers));
}

static struct row_value *row_get(struct row *row, const char *key)
{
	return (struct row_value *)row_find(row, key);
}

void row_set_number(struct row *row, const char *key, uint64_t number)
{
	row_get(row, key)->number = number;
}

void row_remove(struct row *row, const char *key)
{
	struct row_value *value = row_get(row, key);

	value_fini(value);
	row->n--;
	memmove(value, value + 1, (size_t)(row->values + row->n - value) * sizeof(*value));
}

const struct row_value *row_find(const struct row *row, const char *key)
{
	for (size_t i = 0; i < row->n; i++)
		if (strcmp(row->values[i].key, key) == 0)
			return &row->values[i];
	return NULL;
}
