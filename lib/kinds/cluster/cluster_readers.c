// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server counts on it that what it delivers is acknowledged within ack_wait, so nothing is
 * pulled in advance, and a message that is read piece by piece is reported as in progress.
 *
 * Pulling from a consumer that is not there gets no answer, not even that nobody listens. So with
 * each new connection the consumer is made sure of before the first pull.
 */
#include "lib/kinds/cluster/cluster_readers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/transfer.h"
#include "lib/host/host.h"
#include "lib/kinds/cluster/cluster_sender.h"

/* How many messages may be asked for at a time. */
#define PULLED_MOST 256
/*
 * How long a pull lasts. If the servers of a cluster change places, it may be lost, and a reader
 * waits in vain for this long.
 */
#define PULL_LASTS (3 * CLOCK_S)
/* How long a message waits for somebody who was told of it. */
#define KEPT_MOST CLOCK_S
/* When to pull again after the server has refused: after this long, and at most. */
#define DELAY_FIRST (50 * CLOCK_MS)
#define DELAY_MOST  CLOCK_S
/* How long the server may take to tell of the consumer, and how long that counts as news. */
#define LOOK_MOST CLOCK_S
#define LOOK_NEWS (100 * CLOCK_MS)

static struct alarms *alarms_of(const struct readers *readers)
{
	return readers->object->cluster->alarms;
}

static uint64_t ack_wait(const struct readers *readers)
{
	struct cluster_settings settings = readers->object->entry.settings;

	cluster_settings_fill(&settings, CLUSTER_QUEUES);
	return settings.ack_wait;
}

static int64_t keep_time(const struct readers *readers)
{
	int64_t half = (int64_t)(ack_wait(readers) / 2);

	return half < KEPT_MOST ? half : KEPT_MOST;
}

static void give_back(struct readers *readers, struct nats_delivery *delivery)
{
	readers->n_returned++;
	nats_delivery_tell(delivery, NATS_NAK);
	nats_delivery_free(delivery);
}

static struct nats_delivery *pop(struct readers *readers)
{
	struct nats_delivery *first = readers->ready;

	DL_DELETE(readers->ready, first);
	readers->n_ready--;
	if (!readers->ready)
		readers->kept_until = 0;
	return first;
}

static void give_all_back(struct readers *readers)
{
	while (readers->ready)
		give_back(readers, pop(readers));
}

static bool is_polled_to_read(const struct channel *channel)
{
	const struct file *file;

	DL_FOREACH(channel->polled, file) {
		if (file_reads(file))
			return true;
	}
	return false;
}

/* How many messages are wanted now, as far as that matters. */
static unsigned count_wanted(const struct readers *readers)
{
	const struct channel *channel = &readers->object->channel;
	const struct transfer *reader;
	unsigned n = 0;

	DL_FOREACH(channel->readers, reader) {
		if (++n == PULLED_MOST)
			return n;
	}
	if (n == 0 && (is_polled_to_read(channel) || readers->wanted_until > clock_now()))
		n = 1;
	return n;
}

static void pull_later(struct readers *readers)
{
	readers->delay = readers->delay ? 2 * readers->delay : DELAY_FIRST;
	if (readers->delay > DELAY_MOST)
		readers->delay = DELAY_MOST;
	alarm_set(alarms_of(readers), &readers->again, clock_now() + readers->delay);
}

static int open_feed(struct readers *readers)
{
	const struct cluster_object *object = readers->object;

	if (readers->feed.link)
		return 0;
	return nats_feed_open(&readers->feed, object->cluster->link, object->stream,
			      CLUSTER_READERS);
}

static void pull(struct readers *readers)
{
	unsigned n = count_wanted(readers), n_coming = readers->feed.n_pulled + readers->n_ready;
	int r;

	if (n <= n_coming || readers->is_gone || readers->repair.is_active ||
	    alarm_is_set(&readers->again) || !nats_link_is_up(readers->object->cluster->link))
		return;
	if (!readers->is_sure) {
		repair_begin(&readers->repair);
		return;
	}
	r = open_feed(readers);
	if (r == 0)
		r = nats_feed_pull(&readers->feed, n - n_coming, 0, PULL_LASTS);
	if (r < 0)
		pull_later(readers);
}

/* What is ready and nobody waits for goes back, unless somebody has been told of it. */
static void settle(struct readers *readers)
{
	if (!readers->ready || readers->object->channel.readers)
		return;
	if (readers->kept_until == 0)
		give_all_back(readers);
	else if (!alarm_is_set(&readers->keep))
		alarm_set(alarms_of(readers), &readers->keep, readers->kept_until);
}

void readers_attend(struct readers *readers)
{
	settle(readers);
	pull(readers);
}

static void keep_rang(struct alarm *alarm)
{
	struct readers *readers = CONTAINER_OF(alarm, struct readers, keep);

	if (readers->ready && readers->kept_until && readers->kept_until <= clock_now())
		readers->kept_until = 0;
	settle(readers);
}

static void again_rang(struct alarm *alarm)
{
	readers_attend(CONTAINER_OF(alarm, struct readers, again));
}

static void progress_rang(struct alarm *alarm)
{
	struct readers *readers = CONTAINER_OF(alarm, struct readers, progress);
	struct taking *taking;

	DL_FOREACH(readers->takings, taking) {
		nats_delivery_tell(taking->delivery, NATS_PROGRESS);
	}
	if (readers->takings)
		alarm_set(alarms_of(readers), alarm,
			  clock_now() + (int64_t)(ack_wait(readers) / 3));
}

/* Until when a message that has just come waits for who was told of it, or comes again. */
static int64_t kept_from(const struct readers *readers, int64_t now)
{
	int64_t until = now + keep_time(readers);

	return until > readers->wanted_until ? until : readers->wanted_until;
}

static void delivered(struct nats_feed *feed, struct nats_delivery *delivery)
{
	struct readers *readers = CONTAINER_OF(feed, struct readers, feed);
	struct channel *channel = &readers->object->channel;
	int64_t now;

	readers->delay = 0;
	readers->n_again += delivery->n_delivered > 1;
	if (!channel->readers) {
		now = clock_now();
		if (!is_polled_to_read(channel) && readers->wanted_until <= now) {
			give_back(readers, delivery);
			return;
		}
		if (!readers->kept_until)
			readers->kept_until = kept_from(readers, now);
	}
	DL_APPEND(readers->ready, delivery);
	readers->n_ready++;
	channel_wake(channel, EPOLLIN);
	channel_attend(channel);
}

static void ended(struct nats_feed *feed, unsigned n, int status)
{
	struct readers *readers = CONTAINER_OF(feed, struct readers, feed);

	if (status == -ENOTCONN)
		return; /* link_changed() follows */
	if (status == 408) {
		channel_attend(&readers->object->channel);
		return;
	}
	readers->is_sure = false;
	pull_later(readers);
}

static void repaired(struct repair *repair, int result)
{
	struct readers *readers = CONTAINER_OF(repair, struct readers, repair);

	if (result == -EIDRM) {
		readers_end(readers);
	} else if (result < 0) {
		pull_later(readers);
	} else {
		readers->is_sure = true;
		readers_attend(readers);
	}
}

/* What has come by the connection that is lost comes again: the server has no answer to it. */
static void link_changed(struct nats_listener *listener, bool is_up)
{
	struct readers *readers = CONTAINER_OF(listener, struct readers, listener);

	if (is_up) {
		readers_tell_adopted(readers);
		alarm_cancel(&readers->again);
		readers->delay = 0;
		channel_attend(&readers->object->channel);
		return;
	}
	readers->is_sure = false;
	while (readers->ready)
		nats_delivery_free(pop(readers));
}

static void looked(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct readers *readers = CONTAINER_OF(ask, struct readers, ask);

	if (message && api_read_consumer(message, &readers->look) == 0)
		readers->looked = clock_now();
	else
		readers->looked = 0;
}

void readers_look(struct readers *readers)
{
	char subject[API_SUBJECT_SIZE];
	const struct nats_post post = {.subject = subject, .data = ""};

	if (readers->ask.link || (readers->looked && clock_now() - readers->looked < LOOK_NEWS))
		return;
	readers->ask.answered = looked;
	api_subject("CONSUMER.INFO", readers->object->stream, CLUSTER_READERS, subject);
	if (nats_link_ask(readers->object->cluster->link, &readers->ask, &post, LOOK_MOST) < 0)
		readers->looked = 0;
}

void readers_init(struct readers *readers, struct cluster_object *object)
{
	readers->object = object;
	readers->feed.delivered = delivered;
	readers->feed.ended = ended;
	readers->listener.changed = link_changed;
	readers->keep.ring = keep_rang;
	readers->progress.ring = progress_rang;
	readers->again.ring = again_rang;
	readers->repair.object = object;
	readers->repair.done = repaired;
	nats_link_listen(object->cluster->link, &readers->listener);
}

static void stop(struct readers *readers)
{
	give_all_back(readers);
	nats_feed_close(&readers->feed);
	nats_ask_forget(&readers->ask);
	repair_stop(&readers->repair);
	alarm_cancel(&readers->keep);
	alarm_cancel(&readers->again);
}

void readers_fini(struct readers *readers)
{
	stop(readers);
	readers_forget_owed(readers);
	alarm_cancel(&readers->progress);
	nats_link_unlisten(readers->object->cluster->link, &readers->listener);
}

void readers_end(struct readers *readers)
{
	readers->is_gone = true;
	stop(readers);
	channel_wake(&readers->object->channel, EPOLLIN | EPOLLHUP);
}

int readers_next(struct readers *readers, const struct nats_delivery **ret_delivery)
{
	if (readers->is_gone)
		return -EIDRM;
	if (!readers->ready)
		return -EAGAIN;
	*ret_delivery = readers->ready;
	return 0;
}

void readers_take(struct readers *readers, struct taking *taking)
{
	taking->delivery = pop(readers);
	DL_APPEND(readers->takings, taking);
	/* Most are given at once. So the clock is not stopped after each, and rings in vain. */
	if (!alarm_is_set(&readers->progress))
		alarm_set(alarms_of(readers), &readers->progress,
			  clock_now() + (int64_t)(ack_wait(readers) / 3));
}

void readers_finish(struct readers *readers, struct taking *taking, bool is_given)
{
	struct nats_delivery *delivery = TAKE_PTR(taking->delivery);

	DL_DELETE(readers->takings, taking);
	if (delivery->is_adopted) {
		readers_owe(readers, delivery, is_given);
		return;
	}
	if (!is_given) {
		give_back(readers, delivery);
		return;
	}
	readers->n_taken++;
	nats_delivery_tell(delivery, NATS_ACK);
	nats_delivery_free(delivery);
	sender_has_room(readers->object);
}

/* Who comes again every few seconds would otherwise never be there at the right moment. */
void readers_want(struct readers *readers)
{
	int64_t now = clock_now(), keep = keep_time(readers);
	int64_t since = readers->wanted ? now - readers->wanted : 0;
	int64_t half = (int64_t)(ack_wait(readers) / 2);

	if (since < half && since + since / 2 > keep)
		keep = since + since / 2 < half ? since + since / 2 : half;
	readers->wanted = now;
	readers->wanted_until = now + keep;
	channel_attend(&readers->object->channel);
}
