// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/host/errands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/host/child.h"
#include "lib/base/cleanup.h"
#include "lib/base/workers.h"

struct errand {
	struct host *host;
	bool is_orphan; /* host::errands has ended before it */
	char *key;
	struct errand_call call;  /* name and data are the errand's own; data as it went in */
	void *result_data;        /* as it came out */
	bool is_done, is_offered; /* offered: those who waited have been told of the result */
	int result;
	struct loop_task drop;

	struct child child;
	struct worker_task job;
	struct caller caller;
	bool is_working;   /* the job is the workers' */
	UT_hash_handle hh; /* host::errands, by key */
};

static void errand_free(struct errand *errand)
{
	if (errand->hh.tbl)
		HASH_DEL(errand->host->errands, errand);
	loop_cancel(errand->host->loop, &errand->drop);
	child_fini(&errand->child);
	caller_fini(&errand->caller);
	if (errand->call.way == ERRAND_THREAD)
		free(errand->result_data);
	free(errand->call.data);
	free((char *)errand->call.name);
	free(errand->key);
	free(errand);
}

static void errand_drop(struct errand *errand)
{
	if (errand->is_done && errand->call.drop)
		errand->call.drop(errand->host, &errand->caller, errand->result_data);
	errand_free(errand);
}

/* Whoever it was for was interrupted, if nobody has taken the result by now. */
static void errand_run_drop(struct loop_task *task)
{
	struct errand *errand = CONTAINER_OF(task, struct errand, drop);
	struct host *host = errand->host;

	if (!errand->is_offered) {
		errand->is_offered = true;
		host_retry(host);
		loop_defer(host->loop, &errand->drop);
		return;
	}
	errand_drop(errand);
	host_retry(host);
}

static void errand_done(struct errand *errand, int result)
{
	errand->is_done = true;
	errand->result = result;
	if (errand->is_orphan)
		errand_drop(errand);
	else
		loop_defer(errand->host->loop, &errand->drop);
}

static void child_done(struct child *child, int result)
{
	struct errand *errand = CONTAINER_OF(child, struct errand, child);

	errand->result_data = child->shared;
	errand_done(errand, result);
}

static void errand_work(struct worker_task *job)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);

	errand->result = caller_enter(&errand->caller);
	if (errand->result < 0)
		return;
	errand->result = errand->call.act(errand->result_data);
	caller_leave();
}

static void work_done(struct worker_task *job)
{
	struct errand *errand = CONTAINER_OF(job, struct errand, job);

	errand->is_working = false;
	host_slept(errand->host, errand->caller.uid);
	errand_done(errand, errand->result);
}

/*
 * Is it one of our own threads that calls, by way of the mount, and would wait for another? The
 * loop's never does.
 */
static bool is_own(const struct caller *caller)
{
	return caller->pid && caller->pid != getpid() &&
	       syscall(SYS_tgkill, getpid(), caller->pid, 0) == 0;
}

static int start_thread(struct errand *errand, struct caller *caller)
{
	int r = is_own(caller) ? -ELOOP : caller_copy(&errand->caller, caller);

	errand->result_data = malloc(errand->call.size);
	if (r == 0 && !errand->result_data)
		r = -ENOMEM;
	if (r < 0)
		return r;
	memcpy(errand->result_data, errand->call.data, errand->call.size);
	errand->job = (struct worker_task){.work = errand_work, .done = work_done};
	r = host_sleep(errand->host, errand->host->walkers, caller->uid, &errand->job);
	errand->is_working = r == 0;
	return r;
}

static int errand_start(struct errand *errand, struct caller *caller)
{
	const struct errand_call *call = &errand->call;

	if (call->way == ERRAND_THREAD)
		return start_thread(errand, caller);
	return child_start(&errand->child, errand->host->loop, caller, call->act, call->data,
			   call->size);
}

/* Whose it is, and as far as one can have several, which. NULL: no memory. */
static char *make_key(const struct caller *caller, const struct errand_call *call)
{
	char *key;
	int n;

	if (call->way == ERRAND_PROCESS)
		n = asprintf(&key, "%u", caller->uid);
	else
		n = asprintf(&key, "%u %u %d %s", caller->uid, caller->gid, caller->pid,
			     call->name);
	return n < 0 ? NULL : key;
}

/* Takes over `key`. */
static int errand_new(struct host *host, char *key, const struct errand_call *call,
		      struct errand **ret_errand)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (!errand) {
		free(key);
		return -ENOMEM;
	}
	errand->host = host;
	errand->key = key;
	errand->child.end.fd = -1;
	errand->child.loop = host->loop;
	errand->child.done = child_done;
	errand->drop.run = errand_run_drop;
	errand->call = *call;
	errand->call.name = strdup(call->name);
	errand->call.data = malloc(call->size);
	if (errand->call.name && errand->call.data)
		HASH_ADD_KEYPTR(hh, host->errands, errand->key, strlen(errand->key), errand);
	if (!errand->hh.tbl) {
		errand_free(errand);
		return -ENOMEM;
	}
	memcpy(errand->call.data, call->data, call->size);
	*ret_errand = errand;
	return 0;
}

/* Is this the call that the errand was started for? */
static bool is_same(const struct errand *errand, const struct errand_call *call)
{
	return errand->call.act == call->act && strcmp(errand->call.name, call->name) == 0 &&
	       errand->call.size == call->size &&
	       memcmp(errand->call.data, call->data, call->size) == 0;
}

static int errand_take(struct errand *errand, void *ret_data)
{
	struct host *host = errand->host;
	int r = errand->result;

	memcpy(ret_data, errand->result_data, errand->call.size);
	errand_free(errand);
	host_retry(host);
	return r;
}

int errands_run(struct host *host, struct caller *caller, const struct errand_call *call)
{
	struct errand *errand;
	char *key;
	int r;

	if (geteuid() != 0 && caller->uid != geteuid())
		return -EPERM;
	if (child_is_needless(caller) && (call->way == ERRAND_PROCESS || !host->is_serving))
		return call->act(call->data);
	key = make_key(caller, call);
	if (!key)
		return -ENOMEM;
	HASH_FIND_STR(host->errands, key, errand);
	if (errand) {
		free(key);
		return errand->is_done && is_same(errand, call) ? errand_take(errand, call->data)
								: -EAGAIN;
	}
	r = errand_new(host, key, call, &errand);
	if (r < 0)
		return r;
	r = errand_start(errand, caller);
	if (r < 0)
		errand_free(errand);
	return r < 0 ? r : -EAGAIN;
}

void errands_end(struct host *host)
{
	struct errand *errand, *next;

	HASH_ITER(hh, host->errands, errand, next) {
		HASH_DEL(host->errands, errand);
		errand->hh.tbl = NULL;
		errand->is_orphan = true;
		/* A job on a thread ends in its own time, and then goes. */
		if (!errand->is_working || workers_cancel(host->walkers, &errand->job)) {
			if (errand->is_working)
				host_slept(host, errand->caller.uid);
			errand_drop(errand);
		}
	}
}
