/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bucket `ipcfs`: the entries of all objects, and the watch that tells of each change to them.
 *
 * It is a key-value store as other clients of NATS know them: the stream KV_ipcfs, in which the
 * last message of a subject is the value of a key, and one with the header KV-Operation: DEL means
 * that there is none. It has three replicas where the cluster has that many servers, else one.
 */
#ifndef IPCFS_BUCKET_H
#define IPCFS_BUCKET_H

#include "lib/kinds/cluster/cluster.h"

struct bucket;

/*
 * Makes the bucket and watches it as soon as the link is up, and again whenever it is: an ephemeral
 * consumer with the last message of each subject, and then all that comes. It calls
 * cluster_entry_seen() and cluster_entry_gone(), also, after a break, for what has gone meanwhile.
 * Fails with -ENOMEM.
 */
int bucket_new(struct cluster *cluster, struct bucket **ret_bucket);
void bucket_free(struct bucket *bucket); /* NULL: does nothing */

/* Whether all entries have been seen at least once. */
bool bucket_is_known(const struct bucket *bucket);

/*
 * Stores an entry; `text` NULL: deletes it. `revision`: what the last one must be, 0: there must be
 * none, or a deleted one. Ends with the new revision; with -EEXIST if the last one is another; or,
 * where there must be none, with -EAGAIN while the object of the last one is being removed.
 * The ask belongs to the caller; done() may free it, and is not called after bucket_forget().
 */
struct bucket_put {
	void (*done)(struct bucket_put *put, int error, uint64_t revision);
	/* From here on the bucket's own. */
	struct nats_ask ask;
	struct cluster *cluster;
	char subject[CLUSTER_SUBJECT_SIZE];
	char *text;    /* owned */
	bool is_again; /* the revision is not to be asked for */
};
int bucket_put(struct bucket *bucket, struct bucket_put *put, enum cluster_sort sort,
	       const char *key, const char *text, uint64_t revision);
void bucket_forget(struct bucket_put *put);

#endif
