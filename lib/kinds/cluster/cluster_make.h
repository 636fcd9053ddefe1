/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operations that make, mend and remove an object have in common. Private to
 * cluster_make.c, cluster_remove.c, cluster_change.c and cluster_ask.c.
 */
#ifndef IPCFS_CLUSTER_MAKE_H
#define IPCFS_CLUSTER_MAKE_H

#include "lib/kinds/cluster/accounts.h"
#include "lib/kinds/cluster/operation.h"

/* The bytes that all objects of a user who is not root may hold, replicas counted. */
#define CLUSTER_USER_BYTES (UINT64_C(4) << 30)

/* The bits of a mode that an entry keeps: the others mean nothing to an object that no one runs. */
#define CLUSTER_MODE 0777

/* The order of each of these operations: no padding, and what one does not need is zero. */
struct make_order {
	enum cluster_sort sort;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char name[NAME_MAX + 1];
	struct cluster_settings settings;
};

struct cluster_making {
	struct cluster_operation operation;
	struct make_order order;
	char key[CLUSTER_KEY_SIZE];
	char stream[CLUSTER_STREAM_SIZE];
	struct cluster_entry entry;
	uint64_t revision; /* of the entry; 0: it was not stored */
	struct accounts_ask names;
	struct stream_look look;
	struct cluster_operation *made_by; /* makes the object that is to be removed */
	bool is_counted;                   /* among the objects of its owner */
	bool is_doubtful;                  /* there is an entry, which may be ours */
	bool is_taken;                     /* there is an entry, which is not ours */
	bool is_foreign;                   /* there is a stream with other settings */
	bool has_old;                      /* the stream was there, with messages */
	int64_t marked;  /* when the entry said that the object is being removed, clock_now() */
	int64_t missing; /* since when the stream is missing, as clock_now(); 0: it is not */
};

struct cluster_making *making_from(struct cluster_operation *operation);
/* operation_kind::init: takes over a struct make_order. Fails with -ENAMETOOLONG. */
int making_init(struct cluster_operation *operation, const void *order);
/* Takes the entry that the object has now. Fails with -ENOENT if there is no such object. */
int making_refresh(struct cluster_making *making);

/* Whether the name still leads to the same object. */
bool making_is_there(const struct cluster_making *making);

/*
 * Steps. If an entry was stored, but no answer came, and now there is one (is_doubtful): finds out
 * whether it is our own. Fails with -EEXIST if it is not; then nothing has begun.
 */
int making_confirm_begin(struct cluster_operation *operation);
int making_confirm_answered(struct cluster_operation *operation, const struct nats_message *answer,
			    int error);
/* Make the stream that the entry describes, and, for a queue, the consumer for its readers. */
int making_stream_begin(struct cluster_operation *operation);
int making_consumer_begin(struct cluster_operation *operation);
int making_consumer_answered(struct cluster_operation *operation, const struct nats_message *answer,
			     int error);
/* Deletes the stream, which may be missing. */
int making_unstream_begin(struct cluster_operation *operation);
int making_unstream_answered(struct cluster_operation *operation, const struct nats_message *answer,
			     int error);
/* Deletes the entry, which may have changed since, if it is still that of the same object. */
int making_unentry_begin(struct cluster_operation *operation);
int making_unentry_stored(struct cluster_operation *operation, int error, uint64_t revision);

/* Makes an object. */
extern const struct operation_kind cluster_create_kind;

/*
 * Whether the user with this name may have an object with these settings besides all others;
 * `besides` NULL: a new object; else the object that gets them. Fails with -EMFILE or -EDQUOT, or
 * with -ENOSPC if there are too many objects in all.
 */
int cluster_check_room(const struct cluster *cluster, const char *owner,
		       const struct cluster_settings *settings,
		       const struct cluster_object *besides);

#endif
