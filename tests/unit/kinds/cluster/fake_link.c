// SPDX-License-Identifier: GPL-2.0-or-later
/* The link that tests/unit/kinds/cluster/fake_link.h describes: it keeps what is sent in a list. */
#include "tests/unit/kinds/cluster/fake_link.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "tests/unit/fixture.h"

enum { PAYLOAD_MAX = 1 << 20 };

struct nats_link {
	bool is_up;
	uint64_t epoch;
	struct nats_listener *listeners;
	struct nats_feed *feeds;
};

static struct nats_link link_;
struct fake_post *fake_posts;
struct fake_told fake_told;

/* Another daemon has a link of its own, which nobody of the former one listens to. */
int nats_link_new(struct host *on, struct nats_link **ret_link)
{
	struct fake_post *post;

	link_ = (struct nats_link){.epoch = link_.epoch};
	DL_FOREACH(fake_posts, post) {
		post->ask = NULL;
	}
	*ret_link = &link_;
	return 0;
}

void nats_link_free(struct nats_link *link)
{
}

bool nats_link_is_up(const struct nats_link *link)
{
	return link->is_up;
}

size_t nats_link_payload_max(const struct nats_link *link)
{
	return PAYLOAD_MAX;
}

void nats_link_listen(struct nats_link *link, struct nats_listener *listener)
{
	DL_APPEND(link->listeners, listener);
}

void nats_link_unlisten(struct nats_link *link, struct nats_listener *listener)
{
	DL_DELETE(link->listeners, listener);
}

static struct fake_post *note(const struct nats_post *post)
{
	struct fake_post *noted = calloc(1, sizeof(*noted));

	ck_assert_ptr_nonnull(noted);
	noted->subject = strdup(post->subject);
	noted->size = post->size;
	noted->data = calloc(1, post->size + 1);
	ck_assert_ptr_nonnull(noted->data);
	if (post->size)
		memcpy(noted->data, post->data, post->size);
	noted->id = strdup(post->n_headers ? post->headers[0].value : "");
	DL_APPEND(fake_posts, noted);
	return noted;
}

int nats_link_send(struct nats_link *link, const struct nats_post *post)
{
	if (!link->is_up)
		return -ENOTCONN;
	note(post);
	return 0;
}

int nats_link_ask(struct nats_link *link, struct nats_ask *ask, const struct nats_post *post,
		  int64_t timeout)
{
	if (!link->is_up)
		return -ENOTCONN;
	ck_assert_ptr_null(ask->link);
	ck_assert_int_gt(timeout, 0);
	ask->link = link;
	note(post)->ask = ask;
	return 0;
}

static struct fake_post *post_of(const struct nats_ask *ask)
{
	struct fake_post *post;

	DL_FOREACH(fake_posts, post) {
		if (post->ask == ask)
			return post;
	}
	return NULL;
}

void nats_ask_forget(struct nats_ask *ask)
{
	if (!ask->link)
		return;
	ask->link = NULL;
	post_of(ask)->ask = NULL;
}

const char *nats_message_header(const struct nats_message *message, const char *name)
{
	return NULL;
}

void nats_link_status(const struct nats_link *link, struct row *row)
{
}

static void end_ask(struct fake_post *post, const struct nats_message *message, int error)
{
	struct nats_ask *ask = TAKE_PTR(post->ask);

	ck_assert_ptr_nonnull(ask);
	ask->link = NULL;
	ask->answered(ask, message, error);
}

void fake_answer(struct fake_post *post, const char *text, int status)
{
	struct nats_message message = {.subject = "_INBOX.fake",
				       .data = text ? text : "",
				       .size = text ? strlen(text) : 0,
				       .status = status};

	ck_assert_ptr_nonnull(post);
	end_ask(post, &message, 0);
}

void fake_fail(struct fake_post *post, int error)
{
	ck_assert_ptr_nonnull(post);
	end_ask(post, NULL, error);
}

static bool matches(const char *subject, const char *pattern)
{
	size_t n = strlen(pattern);

	return pattern[n - 1] == '*' ? strncmp(subject, pattern, n - 1) == 0
				     : strcmp(subject, pattern) == 0;
}

struct fake_post *fake_asked(const char *subject)
{
	struct fake_post *post;

	DL_FOREACH(fake_posts, post) {
		if (post->ask && matches(post->subject, subject))
			return post;
	}
	return NULL;
}

unsigned fake_n_asked(const char *subject)
{
	struct fake_post *post;
	unsigned n = 0;

	DL_FOREACH(fake_posts, post) {
		n += post->ask && matches(post->subject, subject);
	}
	return n;
}

static void tell_listeners(void)
{
	struct nats_listener *listener, *next;

	DL_FOREACH_SAFE(link_.listeners, listener, next) {
		listener->changed(listener, link_.is_up);
	}
}

void fake_up(void)
{
	link_.is_up = true;
	link_.epoch++;
	tell_listeners();
}

static void end_pulls(struct nats_feed *feed, int status)
{
	unsigned n = feed->n_pulled;

	feed->n_pulled = 0;
	if (n)
		feed->ended(feed, n, status);
}

void fake_down(void)
{
	struct fake_post *post;
	struct nats_feed *feed, *next;

	link_.is_up = false;
	while ((post = fake_asked("*")))
		end_ask(post, NULL, -ENOTCONN);
	HASH_ITER(hh, link_.feeds, feed, next) {
		end_pulls(feed, -ENOTCONN);
	}
	tell_listeners();
}

int nats_feed_open(struct nats_feed *feed, struct nats_link *link, const char *stream,
		   const char *consumer)
{
	ck_assert_int_gt(asprintf(&feed->key, "%s.%s", stream, consumer), 0);
	feed->link = link;
	HASH_ADD_KEYPTR(hh, link->feeds, feed->key, strlen(feed->key), feed);
	return 0;
}

void nats_feed_close(struct nats_feed *feed)
{
	if (!feed->link)
		return;
	HASH_DEL(feed->link->feeds, feed);
	free(feed->key);
	feed->key = NULL;
	feed->link = NULL;
	feed->n_pulled = 0;
}

int nats_feed_pull(struct nats_feed *feed, unsigned n, size_t bytes, int64_t expires)
{
	if (!feed->link->is_up)
		return -ENOTCONN;
	feed->n_pulled += n;
	return 0;
}

static struct nats_feed *find_feed(const char *key)
{
	struct nats_feed *feed;

	HASH_FIND_STR(link_.feeds, key, feed);
	return feed;
}

unsigned fake_n_pulled(const char *key)
{
	struct nats_feed *feed = find_feed(key);

	return feed ? feed->n_pulled : 0;
}

static void deliver(const char *key, const char *text, uint64_t n_delivered, uint64_t sequence)
{
	struct nats_feed *feed = find_feed(key);
	struct nats_delivery *delivery = calloc(1, sizeof(*delivery));

	ck_assert_ptr_nonnull(feed);
	ck_assert_ptr_nonnull(delivery);
	ck_assert_uint_gt(feed->n_pulled, 0);
	delivery->link = &link_;
	delivery->link_epoch = link_.epoch;
	delivery->n_delivered = n_delivered;
	delivery->sequence = sequence;
	delivery->consumer_sequence = sequence;
	delivery->raw = strdup(text);
	delivery->data = delivery->raw;
	delivery->size = strlen(text);
	fake_told.n_deliveries++;
	feed->n_pulled--;
	feed->delivered(feed, delivery);
}

void fake_deliver(const char *key, const char *text, uint64_t n_delivered)
{
	deliver(key, text, n_delivered, 0);
}

void fake_deliver_at(const char *key, const char *text, uint64_t sequence)
{
	deliver(key, text, 1, sequence);
}

void fake_end_pulls(const char *key, int status)
{
	struct nats_feed *feed = find_feed(key);

	ck_assert_ptr_nonnull(feed);
	end_pulls(feed, status);
}

void nats_delivery_tell(const struct nats_delivery *delivery, enum nats_verdict verdict)
{
	if ((delivery->link_epoch != link_.epoch && !delivery->is_adopted) || !link_.is_up)
		return;
	fake_told.sequence = delivery->sequence;
	fake_told.n_acks += verdict == NATS_ACK;
	fake_told.n_naks += verdict == NATS_NAK;
	fake_told.n_progress += verdict == NATS_PROGRESS;
}

struct nats_delivery *nats_delivery_adopt(struct nats_link *link, const char *stream,
					  const char *consumer, const struct nats_delivery *former)
{
	struct nats_delivery *delivery = calloc(1, sizeof(*delivery));

	ck_assert_ptr_nonnull(delivery);
	*delivery = *former;
	delivery->link = link;
	delivery->is_adopted = true;
	fake_told.n_deliveries++;
	return delivery;
}

const char *nats_delivery_header(const struct nats_delivery *delivery, const char *name)
{
	return NULL;
}

void nats_delivery_free(struct nats_delivery *delivery)
{
	if (!delivery)
		return;
	fake_told.n_deliveries--;
	free(delivery->raw);
	free(delivery);
}

void fake_fini(void)
{
	struct fake_post *post, *next;

	DL_FOREACH_SAFE(fake_posts, post, next) {
		DL_DELETE(fake_posts, post);
		if (post->ask)
			post->ask->link = NULL;
		free(post->subject);
		free(post->data);
		free(post->id);
		free(post);
	}
}
