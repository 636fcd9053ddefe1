// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * json-c makes some fifty bytes of each value, so a text of commas and brackets would grow to
 * gigabytes. An answer of a server has some dozens of values; a long one has long strings, which
 * cost what they are. So the marks between values are counted before anything is made of them.
 */
#include "lib/kinds/cluster/json_text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 16
#define MARKS_MAX 4096

static void give_up(struct json_text *text)
{
	json_object_put(text->root);
	text->root = NULL;
}

/* Takes `value` over; NULL: there was no memory for it. */
static void add(struct json_text *text, json_object *in, const char *key, json_object *value)
{
	if (text->root && value && json_object_object_add(in, key, value) == 0)
		return;
	json_object_put(value);
	give_up(text);
}

void json_text_init(struct json_text *text)
{
	text->root = json_object_new_object();
}

void json_text_add_string(struct json_text *text, json_object *in, const char *key,
			  const char *value)
{
	add(text, in, key, json_object_new_string(value));
}

void json_text_add_number(struct json_text *text, json_object *in, const char *key, int64_t value)
{
	add(text, in, key, json_object_new_int64(value));
}

void json_text_add_truth(struct json_text *text, json_object *in, const char *key, bool value)
{
	add(text, in, key, json_object_new_boolean(value));
}

json_object *json_text_add_object(struct json_text *text, json_object *in, const char *key)
{
	json_object *object = json_object_new_object();

	add(text, in, key, object);
	return text->root ? object : NULL;
}

void json_text_add_strings(struct json_text *text, json_object *in, const char *key,
			   const char *value)
{
	json_object *array = json_object_new_array();
	json_object *string = json_object_new_string(value);

	if (!array || !string || json_object_array_add(array, string) < 0) {
		json_object_put(string);
		json_object_put(array);
		array = NULL;
	}
	add(text, in, key, array);
}

char *json_text_end(struct json_text *text)
{
	const char *written = NULL;
	char *copy;

	if (text->root)
		written = json_object_to_json_string_ext(
			text->root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = written ? strdup(written) : NULL;
	give_up(text);
	return copy;
}

static bool has_few_values(const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size && n <= MARKS_MAX; i++)
		n += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return n <= MARKS_MAX;
}

int json_text_parse(const char *text, size_t size, json_object **ret_object)
{
	json_tokener *tokener;
	json_object *object;
	bool is_whole;

	if (size == 0 || size > INT_MAX || !has_few_values(text, size))
		return -EINVAL;
	while (size && strchr(" \t\r\n", text[size - 1]) && text[size - 1])
		size--;
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	/* A NUL ends the text before its size does. */
	is_whole = json_tokener_get_error(tokener) == json_tokener_success &&
		   json_tokener_get_parse_end(tokener) == size;
	json_tokener_free(tokener);
	if (!is_whole || !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return -EINVAL;
	}
	*ret_object = object;
	return 0;
}

json_object *json_text_get(json_object *object, const char *key, enum json_type type)
{
	json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

int json_text_number(json_object *object, const char *key, uint64_t max, uint64_t *ret_number)
{
	json_object *value = NULL;
	uint64_t number;

	*ret_number = 0;
	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	/* A negative number is given as 0 where it is asked for as an unsigned one. */
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return -EINVAL;
	number = json_object_get_uint64(value);
	if (number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

const char *json_text_string(json_object *object, const char *key)
{
	json_object *value = json_text_get(object, key, json_type_string);
	const char *string = value ? json_object_get_string(value) : NULL;

	if (!string || strlen(string) != (size_t)json_object_get_string_len(value))
		return NULL;
	return string;
}
