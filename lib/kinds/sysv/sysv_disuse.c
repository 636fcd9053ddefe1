// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel gives pids as this process's namespace has them, and 0 for a process outside it.
 */
#include "lib/kinds/sysv/sysv_disuse.h"

#include <string.h>

#include "lib/host/job.h"
#include "lib/host/processes.h"
#include "lib/kinds/sysv/sysv.h"

/* The largest set whose semaphores are looked at on the loop, with three calls for each. */
#define QUICK_MAX 32

/*
 * Whether the process that did something at the time `then` has ended, or none ever did. One of
 * which the kernel gives no number is in another namespace, and may live.
 */
static bool has_ended(pid_t pid, time_t then, const struct disuse *disuse)
{
	return pid == 0 ? then == 0 : process_has_ended(pid, disuse->since.tv_sec);
}

static void ask_owners(const union sysv_data *data, struct disuse *disuse)
{
	disuse->asks_owners = true;
	disuse->owners[0] = data->perm.uid;
	disuse->owners[1] = disuse->owners[2] = data->perm.cuid;
}

/*
 * A receiver that has always found the queue empty leaves no trace, however long it has waited. It
 * may be any process of the owner; or of others, if they may receive, and any process receives.
 */
int sysv_queue_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	union sysv_data data;
	int r = sysv_data(sysv_from(channel), &data);

	if (r < 0)
		return r;
	if (data.queue.msg_qnum || !has_ended(data.queue.msg_lspid, data.queue.msg_stime, disuse) ||
	    !has_ended(data.queue.msg_lrpid, data.queue.msg_rtime, disuse))
		return 0;
	disuse->why = "empty, and who used it has ended";
	ask_owners(&data, disuse);
	disuse->is_any_age = true;
	disuse->asks_receivers = data.perm.mode & 0044;
	return 0;
}

int sysv_segment_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	union sysv_data data;
	int r = sysv_data(sysv_from(channel), &data);

	if (r < 0)
		return r;
	if (data.segment.shm_nattch == 0 &&
	    process_has_ended(data.segment.shm_cpid, disuse->since.tv_sec) &&
	    has_ended(data.segment.shm_lpid, data.segment.shm_atime, disuse))
		disuse->why = "its maker has ended, and nobody is attached";
	return 0;
}

struct set_look {
	long id, count;
	struct disuse disuse;
	bool is_used; /* the result */
};

/* Looks at each semaphore: who performed the last operation on it, and who waits. */
static int set_look(void *data)
{
	struct set_look *look = data;
	pid_t last = 0;

	look->is_used = true;
	for (long i = 0; i < look->count; i++) {
		pid_t pid = semctl((int)look->id, (int)i, GETPID);

		if (pid < 0 || sysv_sem_sleepers((int)look->id, (int)i) != 0)
			return 0;
		/* 0: nobody; where others can't be seen, the owners are unknown as well. */
		if (pid != last && !has_ended(pid, 0, &look->disuse))
			return 0;
		last = pid;
	}
	look->is_used = false;
	return 0;
}

int sysv_set_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	struct set_look look;
	union sysv_data data;
	int r = sysv_data(sysv_from(channel), &data);

	if (r < 0)
		return r;
	memset(&look, 0, sizeof(look)); /* job_run() compares all of it */
	look.id = sysv_from(channel)->id;
	look.count = (long)data.set.sem_nsems;
	look.disuse.since = disuse->since;
	if (look.count <= QUICK_MAX)
		set_look(&look);
	else
		r = job_run(channel->space->host, caller,
			    &(struct job_call){.place = JOB_WORKER,
					       .act = set_look,
					       .data = &look,
					       .size = sizeof(look)});
	if (r < 0 || look.is_used)
		return r;
	disuse->why = "nobody waits, and who used it has ended";
	ask_owners(&data, disuse);
	/* An operation of a later process hides that of an earlier one, which may undo it yet. */
	if (data.perm.mode & 0022)
		disuse->owners[2] = PROCESSES_ANYBODY;
	return 0;
}

/* It has no padding: job_run() compares all of it. */
struct sysv_reaping {
	const struct sysv_calls *calls;
	struct sysv_identity identity;
	struct timespec before;
};

/* Whether the kernel's present data show that the object is in use. */
static bool is_in_use(const struct sysv_reaping *reaping, const union sysv_data *data)
{
	struct stat attr = {0};
	struct timespec last;

	reaping->calls->fill(data, &attr);
	last = disuse_last(&attr);
	if (disuse_is_recent(&last, &reaping->before))
		return true;
	if (reaping->calls->stat_any == MSG_STAT_ANY)
		return data->queue.msg_qnum;
	return reaping->calls->stat_any == SHM_STAT_ANY && data->segment.shm_nattch;
}

static int reap_act(void *data)
{
	const struct sysv_reaping *reaping = data;
	union sysv_data found;
	int r = sysv_verify(reaping->calls, &reaping->identity, &found);

	if (r == 0 && is_in_use(reaping, &found))
		r = -EBUSY;
	return r < 0 ? r
		     : sysv_error(reaping->calls->control((int)reaping->identity.id, IPC_RMID,
							  &found));
}

int sysv_reap(struct channel *channel, const char *name, const struct timespec *before,
	      struct caller *caller)
{
	struct sysv_reaping reaping = {.calls = sysv_space_from(channel->space)->calls,
				       .identity = sysv_from(channel)->identity,
				       .before = *before};

	return job_run(channel->space->host, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = reap_act,
					  .data = &reaping,
					  .size = sizeof(reaping)});
}
