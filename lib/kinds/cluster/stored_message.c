// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A message that a stream holds, as STREAM.MSG.GET gives it: text and headers in base64, and the
 * time in words.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/base/base64.h"
#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/api_answer.h"
#include "lib/kinds/cluster/nats_link.h"

#define SECOND INT64_C(1000000000)

/* Reads up to nine digits behind the point of a second. Returns nanoseconds, or -1. */
static int64_t fraction_from(const char *digits)
{
	int64_t nanoseconds = 0, unit = SECOND;

	for (; *digits >= '0' && *digits <= '9' && unit > 1; digits++) {
		unit /= 10;
		nanoseconds += (*digits - '0') * unit;
	}
	return strcmp(digits, "Z") == 0 ? nanoseconds : -1;
}

int api_time_parse(const char *text, int64_t *ret_time)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = rest && *rest ? fraction_from(rest + (*rest == '.')) : -1;
	time_t seconds = timegm(&tm);

	if (fraction < 0 || seconds < 0 || seconds >= INT64_MAX / SECOND)
		return -EPROTO;
	*ret_time = seconds * SECOND + fraction;
	return 0;
}

/* Whether the headers mark that a key was deleted or purged. */
static bool is_mark(const char *headers)
{
	static const char name[] = "\r\nKV-Operation:";
	const char *value = strstr(headers, name);

	if (!value)
		return false;
	value += sizeof(name) - 1;
	value += strspn(value, " ");
	return strncmp(value, "DEL\r\n", 5) == 0 || strncmp(value, "PURGE\r\n", 7) == 0;
}

/* Decodes a member in base64; one that is missing is empty. Fails with -EPROTO or -ENOMEM. */
static int bytes_read(json_object *object, const char *key, char **ret_data, size_t *ret_size)
{
	json_object *text = NULL;
	int r;

	*ret_size = 0;
	if (!json_object_object_get_ex(object, key, &text))
		return 0;
	if (!json_object_is_type(text, json_type_string))
		return -EPROTO;
	r = base64_decode(json_object_get_string(text), (size_t)json_object_get_string_len(text),
			  ret_data, ret_size);
	return r == -EINVAL ? -EPROTO : r;
}

/* The object is STREAM.MSG.GET's member `message`. */
static int message_read(json_object *object, struct stored_message *ret_message)
{
	CLEANUP_FREE char *data = NULL, *headers = NULL;
	struct stored_message message = {0};
	const char *stored = json_text_string(object, "time");
	size_t headers_size;
	int r;

	if (!stored || api_time_parse(stored, &message.time) < 0)
		return -EPROTO;
	if (json_text_number(object, "seq", UINT64_MAX, &message.sequence) < 0 || !message.sequence)
		return -EPROTO;
	r = bytes_read(object, "hdrs", &headers, &headers_size);
	if (r == 0)
		r = bytes_read(object, "data", &data, &message.size);
	if (r < 0)
		return r;
	message.is_deleted = headers && is_mark(headers);
	if (message.size)
		message.data = TAKE_PTR(data);
	*ret_message = message;
	return 0;
}

int api_read_stored(const struct nats_message *answer, struct stored_message *ret_message)
{
	CLEANUP_JSON json_object *object = NULL;
	json_object *message;
	int r = api_answer_parse(answer, NULL, &object);

	if (r < 0)
		return r;
	message = json_text_get(object, "message", json_type_object);
	return message ? message_read(message, ret_message) : -EPROTO;
}

void stored_message_fini(struct stored_message *message)
{
	free(message->data);
	message->data = NULL;
}
