// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks for the stream. If there is none, pauses before it makes one: whoever removes an object
 * says so in its entry and then deletes the stream, and the news of the one may come after the loss
 * of the other is felt. A stream that nobody's entry speaks of would be left behind.
 */
#include "lib/kinds/cluster/cluster_repair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/host.h"

/*
 * How long the server may take for one answer. A stream without a leader gives none, and what waits
 * for it goes on only when it is asked again.
 */
#define ANSWER_MOST (2 * CLOCK_S)
#define PAUSE       CLOCK_S

static void end(struct repair *repair, int result)
{
	repair_stop(repair);
	repair->done(repair, result);
}

static void answered(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct repair *repair = CONTAINER_OF(ask, struct repair, ask);

	repair->step(repair, message ? api_check(message, NULL) : error);
}

/* Asks, and goes on with `step`. `text` NULL: there was no memory for it. */
static void ask(struct repair *repair, const char *subject, const char *text,
		void (*step)(struct repair *repair, int result))
{
	const struct nats_post post = {
		.subject = subject, .data = text, .size = text ? strlen(text) : 0};
	int r = -ENOMEM;

	repair->step = step;
	repair->ask.answered = answered;
	if (text)
		r = nats_link_ask(repair->object->cluster->link, &repair->ask, &post, ANSWER_MOST);
	if (r < 0)
		end(repair, r);
}

static void consumer_found(struct repair *repair, int result)
{
	end(repair, result);
}

/* One that cannot be made into this one, because somebody has made it otherwise, serves as well. */
static void consumer_made(struct repair *repair, int result)
{
	char subject[API_SUBJECT_SIZE];

	if (result == 0 || result == -EEXIST) {
		end(repair, 0);
	} else if (result == -ENOTCONN || result == -ETIMEDOUT) {
		end(repair, result);
	} else {
		api_subject("CONSUMER.INFO", repair->object->stream, CLUSTER_READERS, subject);
		ask(repair, subject, "", consumer_found);
	}
}

static void make_consumer(struct repair *repair)
{
	const struct cluster_object *object = repair->object;
	CLEANUP_FREE char *text = NULL;
	char subject[API_SUBJECT_SIZE];

	if (object->sort != CLUSTER_QUEUES) {
		end(repair, 0);
		return;
	}
	api_subject("CONSUMER.DURABLE.CREATE", object->stream, CLUSTER_READERS, subject);
	text = api_readers_config(object->stream, object->entry.settings);
	ask(repair, subject, text, consumer_made);
}

static void stream_made(struct repair *repair, int result)
{
	if (result == 0 || result == -EEXIST)
		make_consumer(repair);
	else
		end(repair, result);
}

static void make_stream(struct repair *repair)
{
	const struct cluster_object *object = repair->object;
	struct cluster_settings settings = object->entry.settings;
	CLEANUP_FREE char *text = NULL;
	char subject[API_SUBJECT_SIZE];

	cluster_settings_fill(&settings, object->sort);
	api_subject("STREAM.CREATE", object->stream, NULL, subject);
	text = api_stream_config(object->sort, object->key, &settings);
	ask(repair, subject, text, stream_made);
}

static void look(struct repair *repair);

static void pause_over(struct alarm *alarm)
{
	look(CONTAINER_OF(alarm, struct repair, pause));
}

static void pause_first(struct repair *repair)
{
	repair->pause.ring = pause_over;
	alarm_set(repair->object->cluster->alarms, &repair->pause, clock_now() + PAUSE);
}

static void looked(struct repair *repair, int result)
{
	if (result == 0)
		make_consumer(repair);
	else if (!repair->object->is_named)
		end(repair, -EIDRM);
	else if (result != -EIDRM)
		end(repair, result);
	else if (repair->n_missed++ == 0)
		pause_first(repair);
	else
		make_stream(repair);
}

static void look(struct repair *repair)
{
	char subject[API_SUBJECT_SIZE];

	api_subject("STREAM.INFO", repair->object->stream, NULL, subject);
	ask(repair, subject, "", looked);
}

void repair_begin(struct repair *repair)
{
	if (repair->is_active)
		return;
	repair->is_active = true;
	repair->n_missed = 0;
	/* Not at once: asking may fail, and nobody expects done() yet. */
	repair->pause.ring = pause_over;
	alarm_set(repair->object->cluster->alarms, &repair->pause, clock_now());
}

void repair_stop(struct repair *repair)
{
	repair->is_active = false;
	alarm_cancel(&repair->pause);
	nats_ask_forget(&repair->ask);
}
