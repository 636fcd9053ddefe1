// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All messages up to the consumer's "ack floor" are acknowledged. The stream is purged up to there,
 * by number, so what comes meanwhile is safe.
 */
#include "lib/kinds/cluster/cluster_sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/api_answer.h"
#include "lib/kinds/cluster/cluster_sender.h"

/* How long the server may take for one answer, and how often a queue is swept at most. */
#define ANSWER_MOST (5 * CLOCK_S)
#define INTERVAL    (10 * CLOCK_S)

static void ask(struct sweep *sweep, const char *subject, const char *text,
		void (*answered)(struct nats_ask *ask, const struct nats_message *message,
				 int error))
{
	const struct nats_post post = {.subject = subject, .data = text, .size = strlen(text)};

	sweep->ask.answered = answered;
	/* If it can't be asked, there is a next time. */
	nats_link_ask(sweep->object->cluster->link, &sweep->ask, &post, ANSWER_MOST);
}

static void purged(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct sweep *sweep = CONTAINER_OF(ask, struct sweep, ask);

	(void)error;
	if (message && api_check(message, NULL) == 0)
		sender_has_room(sweep->object);
}

/* Returns 0 if nothing was acknowledged, or the answer is no answer. */
static uint64_t read_floor(const struct nats_message *answer)
{
	CLEANUP_JSON json_object *object = NULL;
	json_object *floor;
	uint64_t sequence;

	if (api_answer_parse(answer, NULL, &object) < 0)
		return 0;
	floor = json_text_get(object, "ack_floor", json_type_object);
	if (!floor || json_text_number(floor, "stream_seq", INT64_MAX, &sequence) < 0)
		return 0;
	return sequence;
}

static void looked(struct nats_ask *ask_, const struct nats_message *message, int error)
{
	struct sweep *sweep = CONTAINER_OF(ask_, struct sweep, ask);
	uint64_t floor = message ? read_floor(message) : 0;
	char subject[API_SUBJECT_SIZE], text[64];

	(void)error;
	if (floor == 0)
		return; /* 1, the number after it, would purge everything */
	snprintf(text, sizeof(text), "{\"seq\":%" PRIu64 "}", floor + 1);
	api_subject("STREAM.PURGE", sweep->object->stream, NULL, subject);
	ask(sweep, subject, text, purged);
}

void sweep_begin(struct sweep *sweep)
{
	char subject[API_SUBJECT_SIZE];
	int64_t now = clock_now();

	if (sweep->object->sort != CLUSTER_QUEUES || sweep->ask.link || now < sweep->next)
		return;
	sweep->next = now + INTERVAL;
	api_subject("CONSUMER.INFO", sweep->object->stream, CLUSTER_READERS, subject);
	ask(sweep, subject, "", looked);
}

void sweep_stop(struct sweep *sweep)
{
	nats_ask_forget(&sweep->ask);
}
