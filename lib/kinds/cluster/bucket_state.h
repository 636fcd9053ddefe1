/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bucket's watch, for bucket.c and bucket_watch.c alone.
 */
#ifndef IPCFS_BUCKET_STATE_H
#define IPCFS_BUCKET_STATE_H

#include "lib/kinds/cluster/bucket.h"

struct bucket {
	struct cluster *cluster;
	struct nats_listener listener;
	struct alarm again; /* the next try, after one that has failed */
	struct nats_ask ask;
	struct nats_feed feed; /* open: the watch is under way */
	unsigned replicas;     /* with which the bucket is to be made */
	char consumer[32];
	uint64_t position; /* the last revision that the watch has told of */
	uint64_t n_told;   /* messages of this consumer */
	uint64_t n_there;  /* how many there were when it was made */
	bool is_sweeping;  /* the watch has still to tell of all that there is */
	bool is_known;
	bool has_complained; /* of entries that can't be read */
};

/* The link is up: makes the bucket, if need be, and watches it from its beginning. */
void bucket_watch_begin(struct bucket *bucket);
/* Ends whatever the watch waits for. */
void bucket_watch_end(struct bucket *bucket);
/* For bucket::again. */
void bucket_watch_again(struct alarm *alarm);

#endif
