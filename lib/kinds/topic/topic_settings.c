// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be set on a topic, and how keep= is read and told. */
#include <errno.h>
#include <inttypes.h>

#include "lib/kinds/topic/topic.h"

const char *const topic_full_words[] = {
	[FULL_DROP_OLDEST] = "drop-oldest",
	[FULL_WAIT] = "wait",
	[FULL_DROP_NEWEST] = "drop-newest",
	NULL,
};
const char *const topic_eof_words[] = {[EOF_NEVER] = "never", [EOF_AUTO] = "auto", NULL};

static bool keep_is_same(const char *asked, const char *told);

const struct parameter topic_parameters[] = {
	[TOPIC_CAPACITY] = {"capacity", PARAMETER_SIZE, .min = RING_CAPACITY_LEAST,
			    .max = RING_CAPACITY_MOST},
	[TOPIC_KEEP] = {"keep", PARAMETER_AMOUNT, .max = RING_CAPACITY_MOST,
			.is_same = keep_is_same},
	[TOPIC_FULL] = {"full", PARAMETER_WORD, .words = topic_full_words},
	[TOPIC_EOF] = {"eof", PARAMETER_WORD, .words = topic_eof_words},
	{.name = NULL},
};

static bool keep_is_same(const char *asked, const char *told)
{
	uint64_t a, b;

	return parameter_parse(&topic_parameters[TOPIC_KEEP], asked, &a) == 0 &&
	       parameter_parse(&topic_parameters[TOPIC_KEEP], told, &b) == 0 && a == b;
}

struct ring_keep topic_keep_from(uint64_t amount)
{
	uint64_t n = amount & ~PARAMETER_IS_SIZE;

	if (n == 0)
		return (struct ring_keep){0};
	return amount & PARAMETER_IS_SIZE ? (struct ring_keep){.messages = UINT64_MAX, .bytes = n}
					  : (struct ring_keep){.messages = n, .bytes = UINT64_MAX};
}

uint64_t topic_keep_amount(const struct ring_keep *keep)
{
	return keep->messages == UINT64_MAX ? keep->bytes | PARAMETER_IS_SIZE : keep->messages;
}

void topic_keep_text(const struct ring_keep *keep, char ret_text[TOPIC_KEEP_TEXT])
{
	if (keep->messages == UINT64_MAX)
		snprintf(ret_text, TOPIC_KEEP_TEXT, "%" PRIu64 "K", keep->bytes >> 10);
	else
		snprintf(ret_text, TOPIC_KEEP_TEXT, "%" PRIu64, keep->messages);
}

int topic_check(const struct settings *settings, size_t capacity, const struct ring_keep *keep)
{
	struct ring_keep new_keep = *keep;

	if (settings_has(settings, TOPIC_CAPACITY))
		capacity = settings->values[TOPIC_CAPACITY];
	if (settings_has(settings, TOPIC_KEEP))
		new_keep = topic_keep_from(settings->values[TOPIC_KEEP]);
	return new_keep.messages == UINT64_MAX && new_keep.bytes > capacity ? -EINVAL : 0;
}

/* poll(2) then asks for no more room than there can be. */
static void set_capacity(struct topic *topic, size_t capacity)
{
	ring_set_capacity(&topic->ring, capacity);
	if (topic->kept.channel.message_max > capacity)
		topic->kept.channel.message_max = capacity;
}

void topic_apply(struct topic *topic, const struct settings *settings)
{
	struct ring_keep keep;

	if (settings_has(settings, TOPIC_CAPACITY))
		set_capacity(topic, settings->values[TOPIC_CAPACITY]);
	if (settings_has(settings, TOPIC_KEEP)) {
		keep = topic_keep_from(settings->values[TOPIC_KEEP]);
		ring_set_keep(&topic->ring, &keep);
	}
	if (settings_has(settings, TOPIC_FULL))
		topic->full = (enum topic_full)settings->values[TOPIC_FULL];
	if (settings_has(settings, TOPIC_EOF))
		topic->eof = (enum topic_eof)settings->values[TOPIC_EOF];
}

const char *topic_explain(struct channel *channel, const char *name,
			  const struct settings *settings, int error)
{
	if (error == -EINVAL)
		return "keep= is larger than the capacity";
	if (error == -EBUSY)
		return "what is in the topic does not fit into capacity=; read it, keep less, or "
		       "empty it";
	return kept_explain(channel, name, settings, error);
}
