// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The texts of questions. Every setting that the server would fill in is named, so that a text says
 * all that a stream is, and two of the same settings are equal.
 */
#include "lib/kinds/cluster/cluster_api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/kinds/cluster/json_text.h"

/* How long the server knows the id of a message, so that it is not stored twice. */
#define DUPLICATE_WINDOW INT64_C(120000000000)
#define NO_LIMIT         (-1)
/* Pulls that may wait at a consumer, of all machines together. The server's own default is 512. */
#define PULLS_MAX 16384
#define ENTRY_MAX 4096
/* The server counts a message's headers, such as its id, as part of it. */
#define HEADERS_MAX 1024

/* What tells one stream from another. */
struct config {
	const char *name, *subject, *retention, *discard;
	int64_t max_msgs, max_bytes, max_msg_size, history, replicas;
	bool is_bucket; /* a key-value store, as other clients make it */
};

void cluster_settings_fill(struct cluster_settings *settings, enum cluster_sort sort)
{
	if (!settings->maxmsg && sort != CLUSTER_VALUES)
		settings->maxmsg = CLUSTER_MESSAGES_DEFAULT;
	if (!settings->maxbytes)
		settings->maxbytes = CLUSTER_BYTES_DEFAULT;
	if (!settings->replicas)
		settings->replicas = 1;
	if (!settings->ack_wait && sort == CLUSTER_QUEUES)
		settings->ack_wait = CLUSTER_ACK_WAIT_DEFAULT;
	if (!settings->history && sort == CLUSTER_VALUES)
		settings->history = CLUSTER_HISTORY_DEFAULT;
}

static char *config_text(const struct config *config)
{
	struct json_text text;
	json_object *root;

	json_text_init(&text);
	root = text.root;
	json_text_add_string(&text, root, "name", config->name);
	json_text_add_strings(&text, root, "subjects", config->subject);
	json_text_add_string(&text, root, "retention", config->retention);
	json_text_add_string(&text, root, "storage", "file");
	json_text_add_string(&text, root, "discard", config->discard);
	json_text_add_number(&text, root, "max_consumers", NO_LIMIT);
	json_text_add_number(&text, root, "max_msgs", config->max_msgs);
	json_text_add_number(&text, root, "max_bytes", config->max_bytes);
	json_text_add_number(&text, root, "max_age", 0);
	json_text_add_number(&text, root, "max_msgs_per_subject", config->history);
	json_text_add_number(&text, root, "max_msg_size", config->max_msg_size);
	json_text_add_number(&text, root, "num_replicas", config->replicas);
	json_text_add_number(&text, root, "duplicate_window", DUPLICATE_WINDOW);
	json_text_add_truth(&text, root, "deny_delete", config->is_bucket);
	json_text_add_truth(&text, root, "allow_rollup_hdrs", config->is_bucket);
	json_text_add_truth(&text, root, "allow_direct", true);
	return json_text_end(&text);
}

/* The server counts in 63 bits, and 0 is no limit. */
static int64_t limit_from(uint64_t setting, uint64_t max)
{
	return setting == 0 ? NO_LIMIT : (int64_t)(setting < max ? setting : max);
}

static int64_t size_limit_from(uint64_t msgsize)
{
	return msgsize ? limit_from(msgsize, INT32_MAX - HEADERS_MAX) + HEADERS_MAX : NO_LIMIT;
}

char *api_stream_config(enum cluster_sort sort, const char *key,
			const struct cluster_settings *settings)
{
	char name[CLUSTER_STREAM_SIZE], subject[CLUSTER_SUBJECT_SIZE];
	bool is_value = sort == CLUSTER_VALUES;
	struct config config = {
		.name = name,
		.subject = subject,
		.retention = sort == CLUSTER_QUEUES ? "workqueue" : "limits",
		.discard = sort == CLUSTER_TOPICS ? "old" : "new",
		.max_msgs = is_value ? NO_LIMIT : limit_from(settings->maxmsg, INT64_MAX),
		.max_bytes = limit_from(settings->maxbytes, INT64_MAX),
		.max_msg_size = size_limit_from(settings->msgsize),
		.history = is_value ? limit_from(settings->history, CLUSTER_HISTORY_MAX) : NO_LIMIT,
		.replicas = limit_from(settings->replicas, CLUSTER_REPLICAS_MAX),
		.is_bucket = is_value,
	};

	cluster_stream_name(sort, key, name);
	if (is_value)
		snprintf(subject, sizeof(subject), "$KV.%s.>", name + strlen("KV_"));
	else
		cluster_subject(sort, key, subject);
	return config_text(&config);
}

char *api_bucket_config(unsigned replicas)
{
	return config_text(&(struct config){
		.name = CLUSTER_BUCKET_STREAM,
		.subject = "$KV." CLUSTER_BUCKET ".>",
		.retention = "limits",
		.discard = "new",
		.max_msgs = NO_LIMIT,
		.max_bytes = CLUSTER_BYTES_DEFAULT,
		.max_msg_size = ENTRY_MAX,
		.history = 1,
		.replicas = replicas,
		.is_bucket = true,
	});
}

/* Where a consumer begins. */
static void add_start(struct json_text *text, json_object *config,
		      const struct api_consumer *consumer)
{
	if (consumer->is_last_per_subject) {
		json_text_add_string(text, config, "deliver_policy", "last_per_subject");
		/* The server insists on a filter. */
		json_text_add_string(text, config, "filter_subject", ">");
	} else if (consumer->start) {
		json_text_add_string(text, config, "deliver_policy", "by_start_sequence");
		json_text_add_number(text, config, "opt_start_seq", (int64_t)consumer->start);
	} else {
		json_text_add_string(text, config, "deliver_policy", "all");
	}
}

char *api_consumer_config(const struct api_consumer *consumer)
{
	struct json_text text;
	json_object *config;

	json_text_init(&text);
	json_text_add_string(&text, text.root, "stream_name", consumer->stream);
	config = json_text_add_object(&text, text.root, "config");
	json_text_add_string(&text, config, "name", consumer->name);
	if (consumer->is_durable)
		json_text_add_string(&text, config, "durable_name", consumer->name);
	else
		json_text_add_number(&text, config, "inactive_threshold", consumer->inactive);
	add_start(&text, config, consumer);
	json_text_add_string(&text, config, "ack_policy", consumer->has_acks ? "explicit" : "none");
	if (consumer->has_acks) {
		json_text_add_number(&text, config, "ack_wait", (int64_t)consumer->ack_wait);
		/* Each reader holds the message that it reads, and there may be many. */
		json_text_add_number(&text, config, "max_ack_pending", NO_LIMIT);
	}
	json_text_add_number(&text, config, "max_deliver", NO_LIMIT);
	json_text_add_number(&text, config, "max_waiting", PULLS_MAX);
	json_text_add_string(&text, config, "replay_policy", "instant");
	if (consumer->is_headers_only)
		json_text_add_truth(&text, config, "headers_only", true);
	if (consumer->in_memory) {
		json_text_add_number(&text, config, "num_replicas", 1);
		json_text_add_truth(&text, config, "mem_storage", true);
	}
	return json_text_end(&text);
}

char *api_readers_config(const char *stream, struct cluster_settings settings)
{
	cluster_settings_fill(&settings, CLUSTER_QUEUES);
	return api_consumer_config(&(struct api_consumer){.stream = stream,
							  .name = CLUSTER_READERS,
							  .is_durable = true,
							  .has_acks = true,
							  .ack_wait = settings.ack_wait});
}

char *api_get_last(const char *subject)
{
	struct json_text text;

	json_text_init(&text);
	json_text_add_string(&text, text.root, "last_by_subj", subject);
	return json_text_end(&text);
}

char *api_get_sequence(uint64_t sequence)
{
	struct json_text text;

	json_text_init(&text);
	json_text_add_number(&text, text.root, "seq", (int64_t)sequence);
	/* Without this, it is that message or none. */
	json_text_add_string(&text, text.root, "next_by_subj", ">");
	return json_text_end(&text);
}

void api_subject(const char *verb, const char *stream, const char *consumer,
		 char ret_subject[static API_SUBJECT_SIZE])
{
	snprintf(ret_subject, API_SUBJECT_SIZE, "$JS.API.%s.%s%s%s", verb, stream,
		 consumer ? "." : "", consumer ? consumer : "");
}
