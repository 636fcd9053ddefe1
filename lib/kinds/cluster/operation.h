/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What takes one or more questions to the servers, as one job of the request that wants it.
 *
 * An operation is a list of steps. Each asks a question, or stores an entry in the bucket, and the
 * answer decides what comes next. While the link is down, an operation waits for it, as long as
 * -o cluster_timeout= allows, and asks again what may not have arrived; so each step can be done
 * twice. Errors that pass are tried again, more and more slowly.
 *
 * A request may give up at any time, because of a signal or of the clock of fs/step.h, and is
 * answered at once. If the operation has changed something by then, it goes on without the request:
 * there should be no stream without an entry, and no entry without a stream.
 *
 * An operation keeps no pointer to an object, only its name: objects come and go meanwhile.
 */
#ifndef IPCFS_OPERATION_H
#define IPCFS_OPERATION_H

#include "lib/kinds/cluster/bucket.h"
#include "lib/kinds/cluster/cluster.h"

struct cluster_operation;

/* What the functions of a step return, besides 0 for the next step, and -errno. */
enum {
	OPERATION_ASKED = 1, /* begin(): the answer will come */
	OPERATION_AGAIN,     /* this step once more */
	OPERATION_LATER,     /* this step once more, after a pause */
	OPERATION_DONE,      /* no other step is needed */
};

struct operation_step {
	/*
	 * Calls operation_ask() or operation_store(), and returns their result. Or waits for
	 * something else: returns OPERATION_ASKED, and operation_go_on() follows.
	 */
	int (*begin)(struct cluster_operation *operation);
	/* After operation_ask(): `error` is that of api_check(), but none that passes. */
	int (*answered)(struct cluster_operation *operation, const struct nats_message *answer,
			int error);
	/* After operation_store(): the entry's new revision, or -EEXIST. */
	int (*stored)(struct cluster_operation *operation, int error, uint64_t revision);
};

struct operation_kind {
	size_t size; /* of the struct that begins with struct cluster_operation */
	const struct operation_step *steps; /* ends with a step of all zeroes */
	/* The steps that follow a failure, if `has_begun`. NULL: there is nothing to undo. */
	const struct operation_step *undo;
	/* Takes over the order (operation_call). NULL: nothing to do. */
	int (*init)(struct cluster_operation *operation, const void *order);
	/*
	 * The steps are done. Returns the job's result. `result` is all zeroes, to be filled in;
	 * NULL: the request has given up.
	 */
	int (*finish)(struct cluster_operation *operation, void *result);
	void (*fini)(struct cluster_operation *operation); /* NULL: nothing to free */
	void (*drop)(void *result); /* frees a result that nobody takes; NULL: nothing to free */
	int (*act)(void *data);     /* any function, of this kind alone: job_call::act */
};

struct cluster_operation {
	const struct operation_kind *kind;
	struct cluster *cluster;
	uid_t uid;       /* who wants it */
	struct job *job; /* NULL: the request has given up */
	void *result;
	const struct operation_step *step;
	bool has_begun;     /* something was changed that should not stay as it is: set by steps */
	bool is_unsure;     /* this step was tried before, and may have been done */
	bool is_asked;      /* waits for an answer */
	bool is_stored;     /* of the bucket */
	int error;          /* why it is undone; 0: it is not */
	unsigned code;      /* of the last answer, as api_check() tells it */
	struct alarm late;  /* when the request ends with -ETIMEDOUT */
	struct alarm again; /* when a pause ends */
	int64_t pause, patience; /* the last pause; until when errors count as passing */
	struct nats_ask ask;
	struct bucket_put put;
	struct loop_task turn;
	struct cluster_operation *prev, *next; /* operations::all */
};

/* What operation_run() starts. */
struct operation_call {
	struct cluster *cluster;
	const struct operation_kind *kind;
	/* Tells one call from another, with zeroes as padding, and is given to init(). */
	const void *order;
	size_t order_size;
	void *result; /* filled in if the call succeeds */
	size_t result_size;
	int64_t most; /* how long it may take, nanoseconds; 0: as -o cluster_timeout= says */
};

/* Runs an operation as a job: fails as job_run() does, or with the operation's error. */
int operation_run(struct caller *caller, const struct operation_call *call);

/* Whether the waiter's job was an operation of this kind, which has ended. Takes its result. */
bool operation_take(const struct caller *caller, const struct operation_kind *kind,
		    int *ret_result);

/* Whether an earlier step of the request has started a job, whose result has to be taken. */
static inline bool operation_is_under_way(const struct caller *caller)
{
	return caller->waiter && caller->waiter->job;
}

/* For begin(): asks. `text` NULL: -ENOMEM. */
int operation_ask(struct cluster_operation *operation, const char *subject, const char *text);
/* For begin(): stores an entry (bucket_put()); `entry` NULL: deletes it. */
struct operation_entry {
	enum cluster_sort sort;
	const char *key;
	const struct cluster_entry *entry;
	uint64_t revision;
};
int operation_store(struct cluster_operation *operation, const struct operation_entry *entry);

/* Ends a wait that begin() has told of, with what a step may return. May free the operation. */
void operation_go_on(struct cluster_operation *operation, int result);

/* Ends the operation without finishing it: for one whose request has gone. */
void operation_free(struct cluster_operation *operation);

/* Finds the object with this name, or returns NULL. */
struct cluster_object *operation_object(const struct cluster_operation *operation,
					enum cluster_sort sort, const char *name);

/* Calls `visit` for each operation of this kind that is under way. */
void operations_visit(const struct cluster *cluster, const struct operation_kind *kind,
		      void (*visit)(const struct cluster_operation *operation, void *data),
		      void *data);

/*
 * All operations of a cluster: cluster::operations. They are made after its link, and freed before
 * it: what has not ended by then is dropped, and jobs end with -ENOTCONN. Fails with -ENOMEM.
 */
struct operations;
int operations_new(struct cluster *cluster, struct operations **ret_operations);
void operations_free(struct operations *operations); /* NULL: does nothing */

#endif
