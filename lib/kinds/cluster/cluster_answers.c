// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What answers say. A number of another type, or one that is negative, makes the whole answer
 * nothing that a server says; a member that is missing is 0.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/kinds/cluster/api_answer.h"
#include "lib/kinds/cluster/nats_link.h"

int api_read_ack(const struct nats_message *answer, uint64_t *ret_sequence, bool *ret_is_duplicate,
		 unsigned *ret_code)
{
	CLEANUP_JSON json_object *object = NULL;
	json_object *duplicate;
	uint64_t sequence;
	int r = api_answer_parse(answer, ret_code, &object);

	if (r < 0)
		return r;
	if (json_text_number(object, "seq", UINT64_MAX, &sequence) < 0 || !sequence)
		return -EPROTO;
	duplicate = json_text_get(object, "duplicate", json_type_boolean);
	*ret_sequence = sequence;
	*ret_is_duplicate = duplicate && json_object_get_boolean(duplicate);
	return 0;
}

struct number {
	const char *key;
	uint64_t *ret_number;
};

/* Fails with -EPROTO. */
static int numbers_read(json_object *object, const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_text_number(object, numbers[i].key, UINT64_MAX, numbers[i].ret_number) < 0)
			return -EPROTO;
	return 0;
}

/* Outside of a cluster the server names itself as the leader, of a cluster without a name. */
static void cluster_read(json_object *cluster, struct stream_look *look)
{
	const char *leader = json_text_string(cluster, "leader");
	json_object *replicas = json_text_get(cluster, "replicas", json_type_array);
	size_t n = replicas ? json_object_array_length(replicas) : 0;

	if (!json_text_string(cluster, "name")) {
		look->n_current = 1;
		return;
	}
	if (leader && *leader) {
		snprintf(look->leader, sizeof(look->leader), "%s", leader);
		look->n_current = 1;
	}
	for (size_t i = 0; i < n; i++) {
		json_object *current = json_text_get(json_object_array_get_idx(replicas, i),
						     "current", json_type_boolean);

		look->n_current += current && json_object_get_boolean(current);
	}
}

/* A stream that never had a message has a time of long ago. */
static int64_t last_time_read(json_object *state)
{
	const char *text = json_text_string(state, "last_ts");
	int64_t time = 0;

	return text && api_time_parse(text, &time) == 0 ? time : 0;
}

int api_read_stream(const struct nats_message *answer, struct stream_look *ret_look)
{
	CLEANUP_JSON json_object *object = NULL;
	struct stream_look look = {0};
	json_object *config, *state;
	const struct number numbers[] = {
		{"messages", &look.n_messages},
		{"bytes", &look.n_bytes},
		{"first_seq", &look.first},
		{"last_seq", &look.last},
		{"consumer_count", &look.n_consumers},
	};
	int r = api_answer_parse(answer, NULL, &object);

	if (r < 0)
		return r;
	config = json_text_get(object, "config", json_type_object);
	state = json_text_get(object, "state", json_type_object);
	if (!config || !state ||
	    json_text_number(config, "num_replicas", UINT32_MAX, &look.replicas) < 0)
		return -EPROTO;
	r = numbers_read(state, numbers, sizeof(numbers) / sizeof(*numbers));
	if (r < 0)
		return r;
	look.last_time = last_time_read(state);
	cluster_read(json_text_get(object, "cluster", json_type_object), &look);
	*ret_look = look;
	return 0;
}

int api_read_consumer(const struct nats_message *answer, struct consumer_look *ret_look)
{
	CLEANUP_JSON json_object *object = NULL;
	struct consumer_look look = {0};
	const struct number numbers[] = {
		{"num_pending", &look.n_pending},
		{"num_ack_pending", &look.n_unacked},
		{"num_redelivered", &look.n_redelivered},
		{"num_waiting", &look.n_waiting},
	};
	int r = api_answer_parse(answer, NULL, &object);

	if (r < 0)
		return r;
	if (!json_text_get(object, "config", json_type_object))
		return -EPROTO;
	r = numbers_read(object, numbers, sizeof(numbers) / sizeof(*numbers));
	if (r == 0)
		*ret_look = look;
	return r;
}
