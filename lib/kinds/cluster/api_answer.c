// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the server's errors mean to whoever called: the error that a native object gives.
 */
#include "lib/kinds/cluster/api_answer.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/nats_link.h"

#define STATUS_NO_RESPONDERS 503

/* Codes that are met on the way, beside those that others want to know. */
enum {
	API_ACCOUNT_EXCEEDED = 10002,
	API_CLUSTER_UNAVAILABLE = 10008,
	API_CLUSTER_NO_LEADER = 10009,
	API_CONSUMER_EXISTS = 10013,
	API_CONSUMERS_LIMIT = 10026,
	API_STREAMS_LIMIT = 10027,
	API_NO_RAM = 10028,
	API_NO_DISK = 10047,
	API_HEADER_TOO_LONG = 10097,
	API_SEALED = 10109,
	API_STREAM_OFFLINE = 10118,
	API_CONSUMER_OFFLINE = 10119,
	API_NO_LIMITS = 10120,
	API_BYTES_REQUIRED = 10113,
	API_STREAM_BYTES_LIMIT = 10122,
	API_STREAM_OFFLINE_WHY = 10194,
	API_CONSUMER_OFFLINE_WHY = 10195,
};

static const struct {
	unsigned code;
	int error;
} errors[] = {
	{API_STREAM_NOT_FOUND, EIDRM},
	{API_CONSUMER_NOT_FOUND, EIDRM},
	{API_STREAM_NAME_IN_USE, EEXIST},
	{API_CONSUMER_EXISTS, EEXIST},
	{API_WRONG_LAST_SEQUENCE, EEXIST},
	{API_NO_MESSAGE, ENODATA},
	{API_MESSAGE_TOO_LONG, EMSGSIZE},
	{API_HEADER_TOO_LONG, EMSGSIZE},
	{API_STREAM_REPLICAS, EINVAL},
	{API_NO_SUITABLE_PEERS, EINVAL},
	{API_INSUFFICIENT_RESOURCES, ENOSPC},
	{API_NO_RAM, ENOSPC},
	{API_NO_DISK, ENOSPC},
	{API_ACCOUNT_EXCEEDED, EDQUOT},
	{API_CONSUMERS_LIMIT, EDQUOT},
	{API_STREAMS_LIMIT, EDQUOT},
	{API_BYTES_REQUIRED, EDQUOT},
	{API_NO_LIMITS, EDQUOT},
	{API_STREAM_BYTES_LIMIT, EDQUOT},
	{API_NOT_ENABLED, EOPNOTSUPP},
	{API_SEALED, EROFS},
	{API_CLUSTER_UNAVAILABLE, EAGAIN},
	{API_CLUSTER_NO_LEADER, EAGAIN},
	{API_STREAM_OFFLINE, EAGAIN},
	{API_CONSUMER_OFFLINE, EAGAIN},
	{API_STREAM_OFFLINE_WHY, EAGAIN},
	{API_CONSUMER_OFFLINE_WHY, EAGAIN},
};

/* Returns what an error means that has no line above, by its code as in HTTP. */
static int error_from_class(uint64_t code)
{
	switch (code) {
	case 400:
		return -EINVAL;
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return -ENODATA;
	case 408:
		return -ETIMEDOUT;
	case 503:
		return -EAGAIN;
	default:
		return code >= 500 && code < 600 ? -EIO : -EPROTO;
	}
}

/*
 * One code stands for all that goes wrong while a message is stored, and words tell what: "maximum
 * messages exceeded", "maximum bytes exceeded", or "store is closed" while a server ends.
 */
static int error_from_store(const char *description)
{
	if (!description)
		return -EIO;
	if (strstr(description, "maximum ") || strstr(description, "closed"))
		return -EAGAIN;
	return strstr(description, "no space left") ? -ENOSPC : -EIO;
}

static int error_from(json_object *error, unsigned *ret_code)
{
	uint64_t class, code;

	if (!json_object_is_type(error, json_type_object) ||
	    json_text_number(error, "code", UINT32_MAX, &class) < 0 ||
	    json_text_number(error, "err_code", UINT32_MAX, &code) < 0)
		return -EPROTO;
	*ret_code = (unsigned)code;
	if (code == API_STORE_FAILED)
		return error_from_store(json_text_string(error, "description"));
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].code == code)
			return -errors[i].error;
	return error_from_class(class);
}

int api_answer_parse(const struct nats_message *answer, unsigned *ret_code,
		     json_object **ret_object)
{
	CLEANUP_JSON json_object *object = NULL;
	json_object *error = NULL;
	unsigned code = 0;
	int r;

	if (ret_code)
		*ret_code = 0;
	if (answer->status)
		return answer->status == STATUS_NO_RESPONDERS ? -ENOTCONN : -EPROTO;
	r = json_text_parse(answer->data, answer->size, &object);
	if (r < 0)
		return r == -EINVAL ? -EPROTO : r;
	if (json_object_object_get_ex(object, "error", &error)) {
		r = error_from(error, &code);
		if (ret_code)
			*ret_code = code;
		return r;
	}
	*ret_object = TAKE_PTR(object);
	return 0;
}

int api_check(const struct nats_message *answer, unsigned *ret_code)
{
	CLEANUP_JSON json_object *object = NULL;

	return api_answer_parse(answer, ret_code, &object);
}
