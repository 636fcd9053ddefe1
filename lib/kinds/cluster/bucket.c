// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes to the bucket. The server compares the revision: of two daemons that change the same
 * entry, one succeeds.
 *
 * A deleted entry is a message too. So an entry that is new to us may need the revision of its
 * deletion, and the server is asked for that only then.
 */
#include "lib/kinds/cluster/bucket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/bucket_state.h"

/* How long the server may take to answer. */
#define PATIENCE (5 * CLOCK_S)
/* How long it may take to remove an object. The clocks of machines agree well enough for this. */
#define REMOVING_MOST (60 * CLOCK_S)

static void listener_changed(struct nats_listener *listener, bool is_up)
{
	struct bucket *bucket = CONTAINER_OF(listener, struct bucket, listener);

	bucket_watch_end(bucket);
	if (is_up)
		bucket_watch_begin(bucket);
}

int bucket_new(struct cluster *cluster, struct bucket **ret_bucket)
{
	struct bucket *bucket = calloc(1, sizeof(*bucket));

	if (!bucket)
		return -ENOMEM;
	bucket->cluster = cluster;
	bucket->again.ring = bucket_watch_again;
	bucket->listener.changed = listener_changed;
	nats_link_listen(cluster->link, &bucket->listener);
	if (nats_link_is_up(cluster->link))
		bucket_watch_begin(bucket);
	*ret_bucket = bucket;
	return 0;
}

void bucket_free(struct bucket *bucket)
{
	if (!bucket)
		return;
	bucket_watch_end(bucket);
	nats_link_unlisten(bucket->cluster->link, &bucket->listener);
	free(bucket);
}

bool bucket_is_known(const struct bucket *bucket)
{
	return bucket->is_known;
}

/* Changes. */

static int put_send(struct bucket_put *put, uint64_t revision);

static void put_done(struct bucket_put *put, int error, uint64_t revision)
{
	free(TAKE_PTR(put->text));
	put->done(put, error, revision);
}

/*
 * Whether the entry is that of an object which is being removed: -EAGAIN; or was, by a daemon that
 * has ended meanwhile: 0. Else -EEXIST.
 */
static int check_removing(const struct stored_message *stored)
{
	struct cluster_entry entry;
	struct timespec now;

	if (!stored->size || api_read_entry(stored->data, stored->size, &entry) < 0 ||
	    !entry.is_removing)
		return -EEXIST;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec - stored->time > REMOVING_MOST ? 0 : -EAGAIN;
}

static void put_found(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct bucket_put *put = CONTAINER_OF(ask, struct bucket_put, ask);
	struct stored_message stored = {0};
	int r = message ? api_read_stored(message, &stored) : error;

	if (r == 0 && !stored.is_deleted)
		r = check_removing(&stored);
	if (r == -ENODATA) {
		stored.sequence = 0;
		r = 0;
	}
	stored_message_fini(&stored);
	put->is_again = true;
	if (r == 0)
		r = put_send(put, stored.sequence);
	if (r < 0)
		put_done(put, r, 0);
}

/* Asks what the last revision is. */
static int put_find(struct bucket_put *put)
{
	CLEANUP_FREE char *text = api_get_last(put->subject);
	char subject[API_SUBJECT_SIZE];

	if (!text)
		return -ENOMEM;
	api_subject("STREAM.MSG.GET", CLUSTER_BUCKET_STREAM, NULL, subject);
	put->ask.answered = put_found;
	return nats_link_ask(
		put->cluster->link, &put->ask,
		&(struct nats_post){.subject = subject, .data = text, .size = strlen(text)},
		PATIENCE);
}

static void put_answered(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct bucket_put *put = CONTAINER_OF(ask, struct bucket_put, ask);
	uint64_t revision = 0;
	bool is_duplicate;
	unsigned code = 0;
	int r = message ? api_read_ack(message, &revision, &is_duplicate, &code) : error;

	if (code == API_WRONG_LAST_SEQUENCE) {
		r = put->is_again ? -EEXIST : put_find(put);
		if (r == 0)
			return;
	}
	put_done(put, r, revision);
}

static int put_send(struct bucket_put *put, uint64_t revision)
{
	char last[24];
	const struct nats_header headers[] = {
		{"Nats-Expected-Last-Subject-Sequence", last},
		{"KV-Operation", "DEL"},
	};

	snprintf(last, sizeof(last), "%" PRIu64, revision);
	put->ask.answered = put_answered;
	return nats_link_ask(put->cluster->link, &put->ask,
			     &(struct nats_post){.subject = put->subject,
						 .headers = headers,
						 .n_headers = put->text ? 1 : 2,
						 .data = put->text ? put->text : "",
						 .size = put->text ? strlen(put->text) : 0},
			     PATIENCE);
}

int bucket_put(struct bucket *bucket, struct bucket_put *put, enum cluster_sort sort,
	       const char *key, const char *text, uint64_t revision)
{
	int r;

	put->ask = (struct nats_ask){0};
	put->cluster = bucket->cluster;
	put->is_again = revision != 0;
	put->text = text ? strdup(text) : NULL;
	if (text && !put->text)
		return -ENOMEM;
	cluster_entry_subject(sort, key, put->subject);
	r = put_send(put, revision);
	if (r < 0)
		free(TAKE_PTR(put->text));
	return r;
}

void bucket_forget(struct bucket_put *put)
{
	nats_ask_forget(&put->ask);
	free(TAKE_PTR(put->text));
}
