// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can be set on a topic, and what that means for a new reader. The stream always holds some
 * messages, so that readers need not keep up with every writer; keep= only says how many of them a
 * new reader is shown. A size that is to be kept is the limit of the stream itself.
 */
#include <errno.h>
#include <inttypes.h>

#include "lib/kinds/cluster/cluster_topic.h"

#define KEEP_MOST (UINT64_C(1) << 40)

static bool keep_is_same(const char *asked, const char *told);

const struct parameter cluster_topic_parameters[] = {
	[CLUSTER_TOPIC_KEEP] = {"keep", PARAMETER_AMOUNT, .max = KEEP_MOST,
				.is_same = keep_is_same},
	[CLUSTER_TOPIC_MAXBYTES] = {"maxbytes", PARAMETER_SIZE, .min = HOST_PAGE, .max = INT64_MAX},
	[CLUSTER_TOPIC_MSGSIZE] = {"msgsize", PARAMETER_SIZE, .min = 1,
				   .max = HOST_IO_MAX - HOST_PAGE},
	[CLUSTER_TOPIC_REPLICAS] = {"replicas", PARAMETER_NUMBER, .min = 1,
				    .max = CLUSTER_REPLICAS_MAX},
	{.name = NULL},
};

static bool keep_is_same(const char *asked, const char *told)
{
	const struct parameter *keep = &cluster_topic_parameters[CLUSTER_TOPIC_KEEP];
	uint64_t a, b;

	return parameter_parse(keep, asked, &a) == 0 && parameter_parse(keep, told, &b) == 0 &&
	       a == b;
}

/* More messages than the stream holds by default need a stream that holds more. */
static void apply_keep(uint64_t amount, struct cluster_settings *settings)
{
	uint64_t n = amount & ~PARAMETER_IS_SIZE;

	if (settings->keep_bytes)
		settings->maxbytes = 0;
	settings->keep = amount & PARAMETER_IS_SIZE ? 0 : n;
	settings->keep_bytes = amount & PARAMETER_IS_SIZE ? n : 0;
	settings->maxmsg = settings->keep > CLUSTER_MESSAGES_DEFAULT ? settings->keep : 0;
	if (settings->keep_bytes)
		settings->maxbytes = settings->keep_bytes;
}

int cluster_topic_apply(const struct settings *given, struct cluster_settings *settings)
{
	struct cluster_settings new = *settings;

	if (settings_has(given, CLUSTER_TOPIC_KEEP))
		apply_keep(given->values[CLUSTER_TOPIC_KEEP], &new);
	if (settings_has(given, CLUSTER_TOPIC_MAXBYTES))
		new.maxbytes = given->values[CLUSTER_TOPIC_MAXBYTES];
	if (new.keep_bytes &&new.keep_bytes != new.maxbytes)
		return -EINVAL;
	if (settings_has(given, CLUSTER_TOPIC_MSGSIZE))
		new.msgsize = given->values[CLUSTER_TOPIC_MSGSIZE];
	if (settings_has(given, CLUSTER_TOPIC_REPLICAS))
		new.replicas = given->values[CLUSTER_TOPIC_REPLICAS];
	*settings = new;
	return 0;
}

/* `channel` NULL: the topic is being made. */
static bool keeps_a_size(struct channel *channel, const struct settings *settings)
{
	if (settings_has(settings, CLUSTER_TOPIC_KEEP))
		return settings->values[CLUSTER_TOPIC_KEEP] & PARAMETER_IS_SIZE;
	return channel && cluster_object_from(channel)->entry.settings.keep_bytes;
}

const char *cluster_topic_explain(struct channel *channel, const char *name,
				  const struct settings *settings, int error)
{
	if (error == -EINVAL && settings_has(settings, CLUSTER_TOPIC_MAXBYTES) &&
	    keeps_a_size(channel, settings))
		return "keep= as a size is what maxbytes= would set; give one of them";
	return cluster_explain(settings, CLUSTER_TOPIC_REPLICAS, error);
}

void cluster_topic_keep_text(const struct cluster_settings *settings,
			     char ret_text[static CLUSTER_KEEP_TEXT])
{
	if (settings->keep_bytes)
		snprintf(ret_text, CLUSTER_KEEP_TEXT, "%" PRIu64 "K", settings->keep_bytes >> 10);
	else
		snprintf(ret_text, CLUSTER_KEEP_TEXT, "%" PRIu64, settings->keep);
}

uint64_t cluster_topic_start(const struct cluster_topic *topic, const struct selector *n_back,
			     const struct stream_look *look)
{
	const struct cluster_settings *settings = &topic->object.entry.settings;
	uint64_t n = settings->keep_bytes ? UINT64_MAX : settings->keep;
	uint64_t end = look->last + 1;
	uint64_t first = look->first ? look->first : 1;

	if (n_back->is_set)
		n = n_back->value;
	if (first > end)
		first = end;
	return end - first > n ? end - n : first;
}
