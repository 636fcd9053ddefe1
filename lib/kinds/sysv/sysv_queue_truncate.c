// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emptying a queue: receives its messages, as many as there were at the beginning.
 */
#include "lib/kinds/sysv/sysv_queue_wait.h"

#include <errno.h>
#include <sys/epoll.h>

/*
 * Takes away what is there now, without looking at it. Even a queue of the usual size may hold
 * sixteen thousand messages, so a thread does it, as the caller.
 */
static int empty_act(void *data)
{
	struct {
		long type;
		char text[1];
	} message;
	const struct sysv_identity *queue = data;
	union sysv_data found;
	int r = sysv_verify(&sysv_queue_calls, queue, &found);

	if (r < 0)
		return r;
	/* Checks the right even if there is nothing to take. */
	if (msgctl((int)queue->id, IPC_STAT, &found.queue) < 0)
		return sysv_error(-errno);
	for (unsigned long i = 0; i < found.queue.msg_qnum; i++)
		if (msgrcv((int)queue->id, &message, 0, 0, IPC_NOWAIT | MSG_NOERROR) < 0)
			return errno == ENOMSG ? 0 : sysv_error(-errno);
	return 0;
}

/*
 * Emptying a queue means receiving from it: as the opener of a file that reads, or as the caller.
 */
int sysv_queue_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	struct sysv_queue *queue = sysv_queue_from(channel);
	const struct job_call call = {.place = JOB_THREAD,
				      .act = empty_act,
				      .data = &queue->sysv.identity,
				      .size = sizeof(queue->sysv.identity)};
	struct caller opener;
	int r;

	if (size != 0)
		return -EINVAL;
	if (file && file_reads(file)) {
		opener = sysv_opener(file);
		opener.waiter = caller->waiter;
		caller = &opener;
	}
	r = job_run(channel->space->host, caller, &call);
	if (!job_is_awaited(r))
		channel_wake(channel, EPOLLOUT);
	return r;
}
