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
#include "lib/kinds/cluster/nats_state.h"

static void pull_free(struct nats_pull *pull)
{
	struct nats_feed *feed = pull->feed;

	HASH_DELETE(hh, feed->link->pulls, pull);
	DL_DELETE(feed->pulls, pull);
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

int nats_feed_pull(struct nats_feed *feed, unsigned n, size_t bytes, int64_t expires)
{
	struct nats_link *link = feed->link;
	char subject[NATS_KEY_SIZE + 32];
	char reply[NATS_REPLY_SIZE];
	char text[128];
	char limit[40] = "";
	struct nats_post post = {.subject = subject, .data = text};
	struct nats_pull *pull;
	int error;

	if (!link->connection)
		return -ENOTCONN;
	pull = calloc(1, sizeof(*pull));
	if (!pull)
		return -ENOMEM;
	pull->number = nats_link_number(link, reply);
	pull->n = n;
	pull->feed = feed;
	HASH_ADD(hh, link->pulls, number, sizeof(pull->number), pull);
	if (!pull->hh.tbl) {
		free(pull);
		return -ENOMEM;
	}
	DL_APPEND(feed->pulls, pull);
	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s", feed->key);
	if (bytes > 0)
		snprintf(limit, sizeof(limit), ",\"max_bytes\":%zu", bytes);
	if (expires > 0)
		post.size = (size_t)snprintf(text, sizeof(text),
					     "{\"batch\":%u,\"expires\":%" PRId64 "%s}", n, expires,
					     limit);
	else
		post.size = (size_t)snprintf(text, sizeof(text), "{\"batch\":%u,\"no_wait\":true%s}",
					     n, limit);
	error = nats_link_post(link, &post, reply);
	if (error) {
		pull_free(pull);
		return error;
	}
	feed->n_pulled += n;
	return 0;
}

static void end_pull(struct nats_pull *pull, int status)
{
	struct nats_feed *feed = pull->feed;
	unsigned n = pull->n;

	feed->n_pulled -= n;
	pull_free(pull);
	feed->ended(feed, n, status);
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
		end_pull(pull, message->status);
	return true;
}

static void count_delivery(struct nats_feed *feed)
{
	struct nats_pull *pull = feed->pulls;

	feed->n_pulled--;
	pull->n--;
	if (pull->n == 0)
		pull_free(pull);
}

void nats_feeds_deliver(struct nats_link *link, natsMsg *msg)
{
	struct nats_delivery *delivery = calloc(1, sizeof(*delivery));
	char key[NATS_KEY_SIZE];
	struct nats_feed *feed;
	struct nats_message message;

	if (!delivery) {
		natsMsg_Destroy(msg);
		return;
	}
	nats_message_from(msg, &message);
	*delivery = (struct nats_delivery){.link = link, .link_epoch = link->epoch, .raw = msg};
	if (!message.reply || nats_delivery_parse(message.reply, delivery, key) < 0) {
		nats_delivery_free(delivery);
		return;
	}
	delivery->reply = message.reply;
	delivery->data = message.data;
	delivery->size = message.size;
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
