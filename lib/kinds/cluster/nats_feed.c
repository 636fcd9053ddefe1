// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Feeds: the messages that were pulled, and the pulls that have ended without them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/kinds/cluster/nats_state.h"

#define PULLS "$JS.API.CONSUMER.MSG.NEXT."

/* How long after its time the end of a pull may be announced. */
#define LATE_MAX CLOCK_S

static void pull_free(struct nats_pull *pull)
{
	struct nats_feed *feed = pull->feed;
	struct nats_link *link = feed->link;

	if (link->next_pull == pull)
		link->next_pull = pull->hh.next;
	HASH_DELETE(hh, link->pulls, pull);
	DL_DELETE(feed->pulls, pull);
	nats_slot_put(link, pull->slot);
	free(pull);
}

int nats_feed_open(struct nats_feed *feed, struct nats_link *link, const char *stream,
		   const char *consumer)
{
	struct nats_feed *other;

	if (asprintf(&feed->key, "%s.%s", stream, consumer) < 0) {
		feed->key = NULL;
		return -ENOMEM;
	}
	HASH_FIND_STR(link->feeds, feed->key, other);
	if (other) {
		free(TAKE_PTR(feed->key));
		return -EEXIST;
	}
	HASH_ADD_KEYPTR(hh, link->feeds, feed->key, strlen(feed->key), feed);
	if (!feed->hh.tbl) {
		free(TAKE_PTR(feed->key));
		return -ENOMEM;
	}
	feed->link = link;
	feed->n_pulled = 0;
	feed->pulls = NULL;
	return 0;
}

void nats_feed_close(struct nats_feed *feed)
{
	struct nats_link *link = feed->link;

	if (!link)
		return;
	while (feed->pulls)
		pull_free(feed->pulls);
	if (link->next_feed == feed)
		link->next_feed = feed->hh.next;
	HASH_DELETE(hh, link->feeds, feed);
	free(TAKE_PTR(feed->key));
	feed->link = NULL;
	feed->n_pulled = 0;
}

/* Returns NULL if there is no memory. `slot` belongs to the pull then. */
static struct nats_pull *pull_new(struct nats_feed *feed, unsigned n, struct nats_slot *slot,
				  char ret_reply[static NATS_REPLY_SIZE])
{
	struct nats_pull *pull = calloc(1, sizeof(*pull));

	if (!pull)
		return NULL;
	pull->number = nats_slot_number(feed->link, slot, ret_reply);
	pull->n_asked = pull->n = n;
	pull->feed = feed;
	HASH_ADD(hh, feed->link->pulls, number, sizeof(pull->number), pull);
	if (!pull->hh.tbl) {
		free(pull);
		return NULL;
	}
	pull->slot = slot;
	DL_APPEND(feed->pulls, pull);
	return pull;
}

static int send_pull(struct nats_pull *pull, size_t bytes, int64_t expires, const char *reply)
{
	char subject[NATS_KEY_SIZE + 32];
	char text[128];
	char limit[40] = "";
	char end[48] = ",\"no_wait\":true";
	struct nats_post post = {.subject = subject, .data = text};

	snprintf(subject, sizeof(subject), PULLS "%s", pull->feed->key);
	if (bytes > 0)
		snprintf(limit, sizeof(limit), ",\"max_bytes\":%zu", bytes);
	if (expires > 0)
		snprintf(end, sizeof(end), ",\"expires\":%" PRId64, expires);
	post.size = (size_t)snprintf(text, sizeof(text), "{\"batch\":%u%s%s}", pull->n, end, limit);
	return nats_link_post(pull->feed->link, &post, reply);
}

int nats_feed_pull(struct nats_feed *feed, unsigned n, size_t bytes, int64_t expires)
{
	char reply[NATS_REPLY_SIZE];
	struct nats_slot *slot;
	struct nats_pull *pull;
	int error = nats_slot_get(feed->link, PULLS, &slot);

	if (error)
		return error;
	pull = pull_new(feed, n, slot, reply);
	if (!pull) {
		nats_slot_put(feed->link, slot);
		return -ENOMEM;
	}
	pull->until = clock_now() + expires + LATE_MAX;
	error = send_pull(pull, bytes, expires, reply);
	if (error) {
		pull_free(pull);
		return error;
	}
	feed->n_pulled += n;
	nats_asks_set_clock(feed->link, pull->until);
	return 0;
}

/*
 * Makes the parts agree with the sum, which is certain: the server serves the pulls of a consumer
 * in turn, but may skip some.
 */
static void settle(struct nats_feed *feed)
{
	unsigned left = feed->n_pulled;
	struct nats_pull *pull = feed->pulls;

	while (pull) {
		struct nats_pull *next = pull->next;

		if (pull->n > left || !next)
			pull->n = left;
		left -= pull->n;
		if (pull->n == 0)
			pull_free(pull);
		pull = next;
	}
}

/* `left`: how many messages the server says will not come; -1: it does not say. */
static void end_pull(struct nats_pull *pull, int64_t left, int status)
{
	struct nats_feed *feed = pull->feed;
	bool is_only = feed->pulls == pull && !pull->next;
	unsigned n = left >= 0 && left <= pull->n_asked ? (unsigned)left : pull->n;

	if (is_only || n > feed->n_pulled)
		n = feed->n_pulled;
	feed->n_pulled -= n;
	pull_free(pull);
	settle(feed);
	feed->ended(feed, n, status);
}

static int64_t read_left(const struct nats_message *message)
{
	const char *text = nats_message_header(message, "Nats-Pending-Messages");
	uint64_t n;

	if (!text || number_parse(text, strlen(text), UINT32_MAX, &n) < 0)
		return -1;
	return (int64_t)n;
}

bool nats_feeds_end_pull(struct nats_link *link, uint64_t number,
			 const struct nats_message *message)
{
	struct nats_pull *pull;

	HASH_FIND(hh, link->pulls, &number, sizeof(number), pull);
	if (!pull)
		return false;
	/* 100: a sign of life. */
	if (message->status >= 400)
		end_pull(pull, read_left(message), message->status);
	return true;
}

uint64_t nats_feeds_oldest(struct nats_link *link, const struct nats_slot *slot)
{
	for (struct nats_pull *pull = link->pulls; pull; pull = pull->hh.next)
		if (pull->slot == slot)
			return pull->number;
	return 0;
}

int64_t nats_feeds_expire(struct nats_link *link, int64_t now)
{
	int64_t until = 0;

	for (struct nats_pull *pull = link->pulls; pull; pull = link->next_pull) {
		link->next_pull = pull->hh.next;
		if (pull->until <= now)
			end_pull(pull, -1, 503);
		else if (!until || pull->until < until)
			until = pull->until;
	}
	return until;
}

/* The server gives to the pull that has waited longest, which then waits behind the others. */
static void count_delivery(struct nats_feed *feed)
{
	struct nats_pull *pull = feed->pulls;

	feed->n_pulled--;
	if (--pull->n == 0) {
		pull_free(pull);
	} else if (pull->next) {
		DL_DELETE(feed->pulls, pull);
		DL_APPEND(feed->pulls, pull);
	}
}

/* Returns NULL if it is no message of a consumer, or there is no memory. Takes over `msg` else. */
static struct nats_delivery *delivery_new(struct nats_link *link, natsMsg *msg,
					  char ret_key[static NATS_KEY_SIZE])
{
	CLEANUP_FREE struct nats_delivery *delivery = calloc(1, sizeof(*delivery));
	struct nats_message message;

	nats_message_from(msg, &message);
	if (!delivery || !message.reply ||
	    nats_delivery_parse(message.reply, delivery, ret_key) < 0)
		return NULL;
	delivery->link = link;
	delivery->link_epoch = link->epoch;
	delivery->reply = message.reply;
	delivery->data = message.data;
	delivery->size = message.size;
	delivery->raw = msg;
	return TAKE_PTR(delivery);
}

void nats_feeds_deliver(struct nats_link *link, natsMsg *msg)
{
	char key[NATS_KEY_SIZE];
	struct nats_delivery *delivery = delivery_new(link, msg, key);
	struct nats_feed *feed;

	if (!delivery) {
		nats_spend(link, msg);
		return;
	}
	HASH_FIND_STR(link->feeds, key, feed);
	if (!feed || !feed->pulls) {
		nats_delivery_tell(delivery, NATS_NAK);
		nats_delivery_free(delivery);
		return;
	}
	count_delivery(feed);
	feed->delivered(feed, delivery);
}

void nats_feeds_lose(struct nats_link *link)
{
	for (struct nats_feed *feed = link->feeds; feed; feed = link->next_feed) {
		unsigned n = feed->n_pulled;

		link->next_feed = feed->hh.next;
		while (feed->pulls)
			pull_free(feed->pulls);
		feed->n_pulled = 0;
		if (n > 0)
			feed->ended(feed, n, -ENOTCONN);
	}
}

void nats_feeds_fini(struct nats_link *link)
{
	while (link->feeds)
		nats_feed_close(link->feeds);
}
