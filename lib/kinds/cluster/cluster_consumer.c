// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A consumer lives in the memory of one server. If that server is lost, nobody says so: its pulls
 * just remain unanswered. So they are short, and one that has not ended a while after its time
 * counts as a sign that the consumer is gone.
 */
#include "lib/kinds/cluster/cluster_consumer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

#define INACTIVE     (60 * CLOCK_S)
#define PULL_EXPIRES (3 * CLOCK_S)
#define PULL_OVERDUE (PULL_EXPIRES + CLOCK_S)
#define ASK_TIMEOUT  (5 * CLOCK_S)
/* How long to wait after a failure: twice as long each time. */
#define PAUSE_LEAST (50 * CLOCK_MS)
#define PAUSE_MOST  (2 * CLOCK_S)

static struct nats_link *link_of(const struct cluster_consumer *consumer)
{
	return consumer->object->cluster->link;
}

/* Has the server forget the consumer. If that is not possible now, it does so by itself. */
static void send_delete(const struct cluster_consumer *consumer)
{
	char subject[API_SUBJECT_SIZE];

	api_subject("CONSUMER.DELETE", consumer->object->stream, consumer->name, subject);
	nats_link_send(link_of(consumer), &(struct nats_post){.subject = subject, .data = ""});
}

void consumer_restart(struct cluster_consumer *consumer)
{
	if (consumer->state == CONSUMER_MAKING || consumer->state == CONSUMER_READY)
		send_delete(consumer);
	nats_ask_forget(&consumer->ask);
	nats_feed_close(&consumer->feed);
	alarm_cancel(&consumer->alarm);
	repair_stop(&consumer->repair);
	consumer->state = CONSUMER_NONE;
}

static void set_alarm(struct cluster_consumer *consumer, int64_t delay)
{
	alarm_set(consumer->object->cluster->alarms, &consumer->alarm, clock_now() + delay);
}

/* Makes a new consumer in a while; without the link, when it is up again. */
static void consumer_failed(struct cluster_consumer *consumer)
{
	unsigned n = consumer->n_failures;
	int64_t pause = n < 8 ? PAUSE_LEAST << n : PAUSE_MOST;

	consumer_restart(consumer);
	if (consumer->lost)
		consumer->lost(consumer);
	if (!nats_link_is_up(link_of(consumer)))
		return;
	consumer->n_failures = n + 1;
	consumer->state = CONSUMER_PAUSED;
	set_alarm(consumer, pause < PAUSE_MOST ? pause : PAUSE_MOST);
}

static void consumer_rings(struct alarm *alarm)
{
	struct cluster_consumer *consumer = CONTAINER_OF(alarm, struct cluster_consumer, alarm);

	if (consumer->state == CONSUMER_PAUSED)
		consumer->state = CONSUMER_NONE;
	else if (consumer->feed.n_pulled)
		consumer_restart(consumer);
	consumer_tend(consumer);
}

static void feed_delivered(struct nats_feed *feed, struct nats_delivery *delivery)
{
	struct cluster_consumer *consumer = CONTAINER_OF(feed, struct cluster_consumer, feed);
	bool is_first = consumer->is_fresh;

	consumer->is_fresh = false;
	consumer->is_large = false;
	consumer->n_failures = 0;
	consumer->n_came++;
	consumer->delivered(consumer, delivery, is_first);
}

/*
 * The server refuses a pull whose bytes the next message exceeds in the same way as one of a
 * consumer that has just gone. What came before counts as a sign of the former; then a pull of one
 * message, of any length, tells.
 */
static void pull_refused(struct cluster_consumer *consumer)
{
	if (consumer->is_large) {
		consumer->is_large = false;
		consumer_failed(consumer);
		return;
	}
	consumer->is_large = consumer->n_came == 0;
	consumer_tend(consumer);
}

static void feed_ended(struct nats_feed *feed, unsigned n, int status)
{
	struct cluster_consumer *consumer = CONTAINER_OF(feed, struct cluster_consumer, feed);

	switch (status) {
	case 404:
	case 408:
		consumer->n_failures = 0;
		consumer_tend(consumer);
		break;
	case 409:
		pull_refused(consumer);
		break;
	default:
		consumer_failed(consumer);
	}
}

/* If the object was removed, whoever waits learns that when its name goes. */
static void consumer_repaired(struct repair *repair, int result)
{
	struct cluster_consumer *consumer = CONTAINER_OF(repair, struct cluster_consumer, repair);

	consumer->state = CONSUMER_NONE;
	if (result == 0)
		consumer_tend(consumer);
	else
		consumer_failed(consumer);
}

/* Opens the feed of a consumer that the server has made. */
static void consumer_made(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct cluster_consumer *consumer = CONTAINER_OF(ask, struct cluster_consumer, ask);
	int r = message ? api_check(message, NULL) : error;

	if (r == 0)
		r = nats_feed_open(&consumer->feed, link_of(consumer), consumer->object->stream,
				   consumer->name);
	if (r == -EIDRM && consumer->object->is_named) {
		consumer->state = CONSUMER_PAUSED;
		repair_begin(&consumer->repair);
		return;
	}
	if (r < 0) {
		consumer_failed(consumer);
		return;
	}
	consumer->state = CONSUMER_READY;
	consumer->is_fresh = true;
	consumer->is_large = false;
	consumer_tend(consumer);
}

static void set_name(struct cluster_consumer *consumer)
{
	uint64_t number = 0;

	/* Without randomness, the time and the address are as good as unique. */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint64_t)clock_now() ^ (uintptr_t)consumer << 32;
	snprintf(consumer->name, sizeof(consumer->name), "ipcfs-%016" PRIx64, number);
}

static void make(struct cluster_consumer *consumer)
{
	struct api_consumer config = {
		.stream = consumer->object->stream,
		.name = consumer->name,
		.inactive = INACTIVE,
		.in_memory = true,
	};
	char subject[API_SUBJECT_SIZE];
	CLEANUP_FREE char *text = NULL;
	struct nats_post post = {.subject = subject};
	int r = -ENOMEM;

	set_name(consumer);
	consumer->begin(consumer, &config);
	text = api_consumer_config(&config);
	api_subject("CONSUMER.CREATE", consumer->object->stream, consumer->name, subject);
	if (text) {
		post.data = text;
		post.size = strlen(text);
		r = nats_link_ask(link_of(consumer), &consumer->ask, &post, ASK_TIMEOUT);
	}
	if (r < 0)
		consumer_failed(consumer);
	else
		consumer->state = CONSUMER_MAKING;
}

static void pull(struct cluster_consumer *consumer, struct cluster_pull amount)
{
	if (consumer->is_large)
		amount = (struct cluster_pull){.n = 1};
	consumer->n_came = 0;
	if (nats_feed_pull(&consumer->feed, amount.n, amount.bytes, PULL_EXPIRES) < 0)
		consumer_failed(consumer);
	else
		set_alarm(consumer, PULL_OVERDUE);
}

void consumer_tend(struct cluster_consumer *consumer)
{
	struct cluster_pull amount = {0};

	if (!nats_link_is_up(link_of(consumer)) || !consumer->object->is_named)
		return;
	if (consumer->state != CONSUMER_NONE &&
	    (consumer->state != CONSUMER_READY || consumer->feed.n_pulled))
		return;
	if (!consumer->wants(consumer, &amount))
		return;
	if (consumer->state == CONSUMER_NONE)
		make(consumer);
	else
		pull(consumer, amount);
}

/* What was sent on the way down is lost, so the consumer has gone on without us. */
static void link_changed(struct nats_listener *listener, bool is_up)
{
	struct cluster_consumer *consumer =
		CONTAINER_OF(listener, struct cluster_consumer, listener);

	consumer_restart(consumer);
	consumer->n_failures = 0;
	if (!is_up && consumer->lost)
		consumer->lost(consumer);
	consumer_tend(consumer);
}

void consumer_init(struct cluster_consumer *consumer, struct cluster_object *object)
{
	consumer->object = object;
	consumer->ask.answered = consumer_made;
	consumer->feed.delivered = feed_delivered;
	consumer->feed.ended = feed_ended;
	consumer->listener.changed = link_changed;
	consumer->alarm.ring = consumer_rings;
	consumer->repair.object = object;
	consumer->repair.done = consumer_repaired;
	nats_link_listen(object->cluster->link, &consumer->listener);
}

void consumer_fini(struct cluster_consumer *consumer)
{
	consumer_restart(consumer);
	nats_link_unlisten(link_of(consumer), &consumer->listener);
}
