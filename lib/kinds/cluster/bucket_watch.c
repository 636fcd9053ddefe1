// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watch of the bucket: a consumer that gives the last message of each key, and then every
 * change.
 *
 * It is made anew when the link has come up again, and what it does not tell of by the end of what
 * there was is gone: an entry may have been deleted, and the mark of the deletion too. The consumer
 * lives in one server's memory, without acknowledgements. If it is lost while the link is up, or a
 * message of it, another one continues where it was.
 */
#include "lib/kinds/cluster/bucket_state.h"

#include <errno.h>
#include <inttypes.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/* How long the server may take to answer, and when to try again what has failed. */
#define PATIENCE (5 * CLOCK_S)
#define PAUSE    (1 * CLOCK_S)

#define REPLICAS 3
/* How many messages are under way at most. */
#define PULLED_MOST 256
/* How often to pull again where nothing happens: then a consumer that was lost is noticed. */
#define PULL_EXPIRES (5 * CLOCK_S)
/* When the server drops the consumer of a daemon that is gone. */
#define INACTIVE (60 * CLOCK_S)

static int make_bucket(struct bucket *bucket);

static void try_again(struct bucket *bucket)
{
	alarm_set(bucket->cluster->alarms, &bucket->again, clock_now() + PAUSE);
}

/* Sends a question; `text` is freed. */
static int ask(struct bucket *bucket, const char *verb, const char *consumer, char *text)
{
	char subject[API_SUBJECT_SIZE];
	int r = -ENOMEM;

	api_subject(verb, CLUSTER_BUCKET_STREAM, consumer, subject);
	if (text)
		r = nats_link_ask(
			bucket->cluster->link, &bucket->ask,
			&(struct nats_post){.subject = subject, .data = text, .size = strlen(text)},
			PATIENCE);
	free(text);
	return r;
}

/* What the watch tells. */

/* Anybody may write anything there, so this is logged once only. */
static void complain(struct bucket *bucket)
{
	struct host *host = bucket->cluster->host;

	if (!bucket->has_complained && host->log)
		host->log(LOG_WARNING,
			  "cluster: the bucket has entries that can't be read; they are left out");
	bucket->has_complained = true;
}

static bool is_deletion(const struct nats_delivery *delivery)
{
	const char *operation = nats_delivery_header(delivery, "KV-Operation");

	return (operation && (strcmp(operation, "DEL") == 0 || strcmp(operation, "PURGE") == 0)) ||
	       nats_delivery_header(delivery, "Nats-Marker-Reason");
}

static void tell(struct bucket *bucket, const struct nats_delivery *delivery)
{
	const char *subject = natsMsg_GetSubject(delivery->raw);
	struct cluster *cluster = bucket->cluster;
	struct cluster_entry entry;
	char key[CLUSTER_KEY_SIZE], name[NAME_MAX + 1];
	enum cluster_sort sort;
	int r = cluster_parse_entry_subject(subject, &sort, key, name);

	if (r < 0) {
		complain(bucket);
		return;
	}
	if (is_deletion(delivery)) {
		cluster_entry_gone(cluster, sort, name, delivery->sequence);
		return;
	}
	r = api_read_entry(delivery->data, delivery->size, &entry);
	if (r == -ENOMEM)
		return;
	if (r < 0)
		complain(bucket);
	if (r == 0 && !entry.is_removing)
		cluster_entry_seen(cluster, sort, name, key, &entry, delivery->sequence);
	else
		cluster_entry_gone(cluster, sort, name, delivery->sequence);
}

static void end_sweep(struct bucket *bucket)
{
	bucket->is_sweeping = false;
	bucket->is_known = true;
	cluster_sweep_end(bucket->cluster);
}

/* The consumer. */

static void lose_consumer(struct bucket *bucket)
{
	nats_feed_close(&bucket->feed);
	try_again(bucket);
}

static void begin_sweep(struct bucket *bucket)
{
	bucket->is_sweeping = true;
	cluster_sweep_begin(bucket->cluster);
}

static void pull(struct bucket *bucket)
{
	unsigned n = PULLED_MOST - bucket->feed.n_pulled;

	if (bucket->feed.link && n >= PULLED_MOST / 2 &&
	    nats_feed_pull(&bucket->feed, n, 0, PULL_EXPIRES) == -ENOMEM)
		lose_consumer(bucket);
}

static void feed_ended(struct nats_feed *feed, unsigned n, int status)
{
	struct bucket *bucket = CONTAINER_OF(feed, struct bucket, feed);

	if (status == -ENOTCONN)
		return; /* the listener is told too */
	if (status == 404 || status == 408) {
		pull(bucket);
		return;
	}
	/* Somebody has deleted it, perhaps with the whole bucket. */
	if (status == 409)
		begin_sweep(bucket);
	lose_consumer(bucket);
}

/*
 * Returns which message of its consumer this is, from 1 on, or 0. The reply subject is
 * $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.CONSUMER-SEQUENCE.TIME.PENDING.
 */
static uint64_t consumer_sequence(const struct nats_delivery *delivery)
{
	uint64_t sequence = 0;

	if (!delivery->reply ||
	    sscanf(delivery->reply, "$JS.ACK.%*[^.].%*[^.].%*[^.].%*[^.].%" SCNu64, &sequence) != 1)
		return 0;
	return sequence;
}

static void feed_delivered(struct nats_feed *feed, struct nats_delivery *delivery)
{
	struct bucket *bucket = CONTAINER_OF(feed, struct bucket, feed);
	bool is_next = consumer_sequence(delivery) == bucket->n_told + 1;

	if (is_next) {
		bucket->n_told++;
		tell(bucket, delivery);
		bucket->position = delivery->sequence;
		cluster_passed(bucket->cluster, bucket->position);
		if (bucket->is_sweeping &&
		    (bucket->n_told >= bucket->n_there || delivery->n_pending == 0))
			end_sweep(bucket);
	}
	nats_delivery_free(delivery);
	if (is_next)
		pull(bucket);
	else
		lose_consumer(bucket);
}

static void consumer_made(struct nats_ask *answered, const struct nats_message *message, int error)
{
	struct bucket *bucket = CONTAINER_OF(answered, struct bucket, ask);
	struct consumer_look look = {0};
	int r = message ? api_read_consumer(message, &look) : error;

	bucket->feed.delivered = feed_delivered;
	bucket->feed.ended = feed_ended;
	if (r == 0)
		r = nats_feed_open(&bucket->feed, bucket->cluster->link, CLUSTER_BUCKET_STREAM,
				   bucket->consumer);
	if (r < 0) {
		/* Perhaps the bucket is gone. */
		begin_sweep(bucket);
		try_again(bucket);
		return;
	}
	bucket->n_told = 0;
	bucket->n_there = look.n_pending;
	pull(bucket);
	if (bucket->is_sweeping && bucket->n_there == 0)
		end_sweep(bucket);
}

static int make_consumer(struct bucket *bucket)
{
	struct api_consumer consumer = {
		.stream = CLUSTER_BUCKET_STREAM,
		.name = bucket->consumer,
		.inactive = INACTIVE,
		.in_memory = true,
	};
	uint64_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint64_t)clock_now();
	snprintf(bucket->consumer, sizeof(bucket->consumer), "ipcfs-%016" PRIx64, number);
	if (bucket->is_sweeping)
		consumer.is_last_per_subject = true;
	else
		consumer.start = bucket->position + 1;
	bucket->ask.answered = consumer_made;
	return ask(bucket, "CONSUMER.CREATE", bucket->consumer, api_consumer_config(&consumer));
}

/* The bucket. */

static void bucket_made(struct nats_ask *answered, const struct nats_message *message, int error)
{
	struct bucket *bucket = CONTAINER_OF(answered, struct bucket, ask);
	unsigned code = 0;
	int r = message ? api_check(message, &code) : error;

	switch (code) {
	case API_STREAM_REPLICAS:
	case API_NO_SUITABLE_PEERS:
		r = -EAGAIN;
		if (bucket->replicas > 1) {
			bucket->replicas = 1;
			r = make_bucket(bucket);
		}
		break;
	case API_STREAM_NAME_IN_USE:
		r = make_consumer(bucket);
		break;
	default:
		if (r == 0)
			r = make_consumer(bucket);
	}
	if (r < 0)
		try_again(bucket);
}

static int make_bucket(struct bucket *bucket)
{
	bucket->ask.answered = bucket_made;
	return ask(bucket, "STREAM.CREATE", NULL, api_bucket_config(bucket->replicas));
}

void bucket_watch_begin(struct bucket *bucket)
{
	bucket->replicas = REPLICAS;
	begin_sweep(bucket);
	if (!bucket->is_known)
		bucket->cluster->patience = 0;
	if (make_bucket(bucket) < 0)
		try_again(bucket);
}

void bucket_watch_end(struct bucket *bucket)
{
	alarm_cancel(&bucket->again);
	nats_ask_forget(&bucket->ask);
	nats_feed_close(&bucket->feed);
}

void bucket_watch_again(struct alarm *alarm)
{
	struct bucket *bucket = CONTAINER_OF(alarm, struct bucket, again);
	int r;

	if (!nats_link_is_up(bucket->cluster->link))
		return;
	r = bucket->is_sweeping ? make_bucket(bucket) : make_consumer(bucket);
	if (r < 0)
		try_again(bucket);
}
