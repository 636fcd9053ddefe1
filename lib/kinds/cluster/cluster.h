/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of cluster/, which all machines of the cluster share.
 *
 * Each object is one stream of JetStream, and an entry in the bucket `ipcfs`: a name, an owner and
 * a group (by name, as each machine has its own numbers), a mode and the settings. The daemon
 * watches the bucket, so it knows all names at any time, and looking never waits for the network:
 * list, lookup and stat are answered from memory, also while the link is down. Everything else goes
 * to the server, as a job (JOB_ELSEWHERE) of the request that wants it.
 *
 * The rights that an entry names are enforced by each daemon upon its own users; the server knows
 * only the daemon's credentials. So every daemon that has them is trusted.
 */
#ifndef IPCFS_CLUSTER_H
#define IPCFS_CLUSTER_H

#include <uthash.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/host/job.h"
#include "lib/kinds/cluster/cluster_alarm.h"
#include "lib/kinds/cluster/cluster_api.h"
#include "lib/kinds/cluster/cluster_names.h"
#include "lib/kinds/cluster/nats_link.h"

struct accounts;
struct alarms;
struct cluster;
struct gone_name;
struct names_wait;
struct operations;
struct sender;

/* The most objects whose names a daemon knows; the rest is left out. */
#define CLUSTER_OBJECTS_MAX 100000

/* One object. A kind's own struct begins with it. */
struct cluster_object {
	struct channel channel;
	struct cluster *cluster;
	enum cluster_sort sort;
	char name[NAME_MAX + 1];
	char key[CLUSTER_KEY_SIZE];
	char stream[CLUSTER_STREAM_SIZE];
	char subject[CLUSTER_SUBJECT_SIZE];
	struct cluster_entry entry;
	struct attributes attributes; /* the owner and group as numbers of this machine */
	uint64_t revision;            /* of its entry in the bucket */
	struct stream_look look;      /* what the last cluster_object_measure() has found */
	int64_t looked;               /* when, as clock_now(); 0: never, or it was not there */
	struct sender *sender;        /* cluster_sender.h; NULL: nothing was ever written */
	uint64_t prefix;              /* of the ids of messages: random; 0: there is none yet */
	unsigned sweep;               /* the last in which it was seen: cluster_sweep_begin() */
	/* The name leads to it, and holds a reference; false: it was removed, or made anew. */
	bool is_named;
	/*
	 * It is from the former daemon, and the bucket has not told of it yet: the names of its
	 * owner and group are not known, but their numbers are, and the settings.
	 */
	bool is_adopted;
	UT_hash_handle hh; /* cluster_space::objects, by name */
};

/* What a sort of object adds to struct kind. */
struct cluster_kind {
	enum cluster_sort sort;
	size_t object_size; /* of the struct that begins with struct cluster_object */
	/* Sets up the rest of an object that is new to this daemon; nothing is sent. */
	void (*init)(struct cluster_object *object);
	/* Called when the name is gone: what waits ends with -EIDRM. NULL: nothing to do. */
	void (*unnamed)(struct cluster_object *object);
	/* Frees what init() and later calls have made. NULL: nothing. */
	void (*fini)(struct cluster_object *object);
	/* Takes what a line of ctl gives into the object's settings. Fails with -EINVAL. */
	int (*apply)(const struct settings *given, struct cluster_settings *settings);
};

struct cluster_space {
	struct space space;
	const struct cluster_kind *kind;
	struct cluster *cluster; /* a reference */
	struct cluster_object *objects;
};

/* All that the spaces of one mount share: host::cluster. */
struct cluster {
	struct host *host;
	struct nats_link *link;
	unsigned n_refs;                               /* one for each space */
	struct cluster_space *spaces[CLUSTER_N_SORTS]; /* borrowed; NULL: not open */
	struct bucket *bucket;
	struct accounts *accounts;     /* the owners and groups of entries: accounts.h */
	struct operations *operations; /* under way: operation.h */
	struct alarms *alarms;         /* cluster_alarm.h */
	size_t n_objects;              /* that have names */
	unsigned sweep;
	struct gone_name *gone; /* removed, as we know before the watch does */
	unsigned n_gone;
	bool is_full; /* there were more than CLUSTER_OBJECTS_MAX */
	/* Who waits until names are known: cluster_wait.c. */
	struct names_wait *waits;
	unsigned n_rounds;
	int64_t patience; /* until when it is worth waiting, as clock_now(); 0: nobody has waited */
	struct alarm impatience;
	struct loop_task answered; /* of accounts */
};

/* Asserts that the channel is an object of cluster/. */
struct cluster_object *cluster_object_from(struct channel *channel);

/*
 * For kind::open: opens the space, and with the first one the link and the bucket. Fails with
 * -ENOMEM or as nats_link_new() does.
 */
int cluster_space_open(struct space **ret_space, struct host *host, const struct kind *kind,
		       const struct cluster_kind *cluster_kind);

/*
 * For struct channel_ops::save and adopt; all sorts share them. An adopted object keeps its name
 * until the bucket has told of all objects: what is not among them, or is another one, is gone.
 */
void cluster_object_save(struct channel *channel, struct object_record *record);
int cluster_object_adopt(struct space *space, struct object_record *record,
			 struct channel **ret_channel);

/*
 * For channel_ops::adopt_file: whether the reader has been answered with what was lent to it, but
 * that is not taken yet. Once it is, position() says so, and nothing else has to be done.
 */
bool cluster_was_lent(const struct file *file);

/* In cluster_make.c, for struct space_ops. */
int cluster_create(struct space *space, const char *name, mode_t mode,
		   const struct settings *settings, struct caller *caller, struct entry *ret_entry);
int cluster_remove(struct space *space, const char *name, struct caller *caller);

/* The object with this name, borrowed; NULL: there is none, as far as is known. */
struct cluster_object *cluster_find(const struct cluster_space *space, const char *name);
/*
 * Waits, as a job, until all names are known, for as long as that may take soon. Fails as job_run()
 * does, or with -EHOSTDOWN if they are still not known: the link has not come up yet.
 */
int cluster_await_names(struct cluster *cluster, struct caller *caller);
/* The same for what needs the entry of this object: of one that is not adopted, it is known. */
int cluster_await_entry(struct cluster_object *object, struct caller *caller);
/* Whether there can be one more object. */
bool cluster_has_room(const struct cluster *cluster);

/* For struct channel_ops; all sorts share them. */
void cluster_object_destroy(struct channel *channel);
int cluster_object_stat(struct channel *channel, struct stat *ret_attr);
int cluster_object_change(struct channel *channel, struct file *file, const struct stat *attr,
			  unsigned changes, struct caller *caller);
/* With size 0: STREAM.PURGE, for a caller who may read the object (else -EACCES). */
int cluster_object_truncate(struct channel *channel, struct file *file, off_t size,
			    struct caller *caller);
/* Changes settings (STREAM.UPDATE and the entry). -EPERM: the caller is not the owner. */
int cluster_object_set(struct channel *channel, const struct settings *settings,
		       struct caller *caller);
/*
 * For channel_ops::measure and status: asks for STREAM.INFO and keeps what it tells with the job's
 * waiter; status() then adds messages, bytes, consumers, leader, replicas, current. What is not
 * known because the link is down is left out, and `link` says so.
 */
int cluster_object_measure(struct channel *channel, struct caller *caller, const struct row *row);
void cluster_object_status(struct channel *channel, struct caller *caller, struct row *row);
/* For kind::explain: `replicas` is the index of that parameter. */
const char *cluster_explain(const struct settings *settings, unsigned replicas, int error);
/* Prints what waits: the first messages of the stream, without taking them. */
int cluster_object_peek(struct channel *channel, struct caller *caller, FILE *out);

/*
 * Sends one question of `caller`'s request and waits for the answer, as a job, which also waits for
 * the link to come up. Returns -EAGAIN/-EINPROGRESS as job_run() does; -ETIMEDOUT; -EBUSY or
 * -EHOSTDOWN if the servers have not been able to answer for a while; or what `read` returned,
 * which is called on the loop with the answer and may write to `result`. The subject and the text
 * tell one call from another, so they must be the same when the step is repeated. `result` (of
 * `result_size` bytes at most, plain data) is copied to the caller when the job's result is taken.
 */
#define CLUSTER_TEXT_MAX 4096
struct cluster_question {
	char subject[API_SUBJECT_SIZE];
	char text[CLUSTER_TEXT_MAX]; /* or "" */
	int (*read)(const struct nats_message *answer, void *result);
	int64_t most; /* how long it may take, nanoseconds; 0: as -o cluster_timeout= says */
};
int cluster_ask(struct cluster *cluster, struct caller *caller,
		const struct cluster_question *question, void *result, size_t result_size);

/*
 * The object's STREAM.INFO, as a job. A stream that is still missing after a while is made again
 * from the entry. Fails with -EIDRM if the object was removed.
 */
int cluster_look(struct cluster_object *object, struct caller *caller, struct stream_look *ret);

/* Whether all names have been known at some time. After that they are answered from memory. */
bool cluster_is_known(const struct cluster *cluster);

/* For bucket.c, of the watch of the bucket. All run on the loop. */
/* An entry is new or has changed. Unknown ones own it as ACCOUNTS_UNKNOWN. */
void cluster_entry_seen(struct cluster *cluster, enum cluster_sort sort, const char *name,
			const char *key, const struct cluster_entry *entry, uint64_t revision);
void cluster_entry_gone(struct cluster *cluster, enum cluster_sort sort, const char *name,
			uint64_t revision);
/* The watch has told of all that happened up to this revision. */
void cluster_passed(struct cluster *cluster, uint64_t revision);
/*
 * The watch begins anew, and tells of all entries that there are. The bucket may be another one,
 * whose revisions begin at 1 again.
 */
void cluster_sweep_begin(struct cluster *cluster);
/* It has told of them all: what it has not told of is gone. Now all names are known. */
void cluster_sweep_end(struct cluster *cluster);

/* For cluster.c and the like. */
struct cluster_space *cluster_space_from(struct space *space);
/*
 * Makes an object that has no entry yet, and gives it the name unless that is "". The name holds
 * the one reference; without it, the caller does. NULL: no memory.
 */
struct cluster_object *cluster_object_new(struct cluster_space *space, const char *name,
					  const char *key);
/* Takes an entry that anybody may have written. */
void cluster_object_take_entry(struct cluster_object *object, const struct cluster_entry *entry,
			       uint64_t revision);
/* Takes the name away from the object. */
void cluster_object_unname(struct cluster_object *object);
/* Looks up the numbers of the owner and the group, which may have changed. */
void cluster_object_refresh(struct cluster_object *object);
/* Waits a moment, as a job, for the numbers of owners and groups that are new to this machine. */
int cluster_await_owner(struct cluster_object *object, struct caller *caller);
/* Makes all who wait look again. */
void cluster_end_waits(struct cluster *cluster);

#endif
