// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A list is first tried without waiting, as the opener. Only if it has to wait does a job do it.
 *
 * A wait that was granted is not granted twice: right after semop(2), the journal is told that the
 * write has been done, also by the job's thread. When the daemon is killed, the next one answers
 * such a write without the kernel. A window is left: from when the kernel performs a list until the
 * thread that asked for it runs again, nobody but the kernel knows. After a wait that is a wake-up,
 * some tens of microseconds; without one, the way out of a system call; on a busy machine, either
 * may become a time slice. For a daemon that is killed then, the next one performs the list again.
 * (SEM_UNDO would close that window and open another: what it undoes, others may have acted on.)
 */
#include "lib/kinds/sysv/sysv_sem_list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/host/job.h"

#define BLANKS " \t\r\n"

/* A list to perform. It has no padding: job_run() compares it, up to its last operation. */
struct operation {
	struct sysv_identity set;
	size_t n;
	/* The write that it comes from: journal_accept(). */
	struct journal *journal;
	uint64_t request;
	struct sembuf list[SYSV_SEM_LIST_MAX];
};

/* Whether the word is one whole number within bounds, and nothing else. */
static bool parse_number(const char *word, long min, long max, short *ret_number)
{
	const char *digits = word + (*word == '-' || *word == '+');
	long number;
	char *end;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	number = strtol(word, &end, 10);
	*ret_number = (short)number;
	return !errno && !*end && number >= min && number <= max;
}

int sysv_sem_list_parse(const char *data, size_t size, struct sembuf *list)
{
	CLEANUP_FREE char *text = strndup(data, size);
	char *rest, *word;
	short number;
	int n = 0;

	if (!text)
		return -ENOMEM;
	if (strlen(text) != size)
		return -EINVAL;
	for (word = strtok_r(text, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest)) {
		if (n == SYSV_SEM_LIST_MAX)
			return -E2BIG;
		if (*word == '-' || *word == '+' || !parse_number(word, 0, SHRT_MAX, &number))
			return -EINVAL;
		word = strtok_r(NULL, BLANKS, &rest);
		list[n].sem_num = (unsigned short)number;
		list[n].sem_flg = 0;
		if (!word || !parse_number(word, SHRT_MIN, SHRT_MAX, &list[n].sem_op))
			return -EINVAL;
		n++;
	}
	return n;
}

static int operate(struct operation *operation)
{
	if (semop((int)operation->set.id, operation->list, operation->n) < 0)
		return sysv_error(-errno);
	journal_accept(operation->journal, operation->request);
	return 0;
}

static int operation_act(void *data)
{
	struct operation *operation = data;
	union sysv_data unused;
	int r = sysv_verify(&sysv_sem_calls, &operation->set, &unused);

	return r < 0 ? r : operate(operation);
}

static void set_flags(struct operation *operation, short flags)
{
	for (size_t i = 0; i < operation->n; i++)
		operation->list[i].sem_flg = flags;
}

static int operate_now(struct sysv *set, const struct file *file, struct operation *operation)
{
	union sysv_data data;
	int r = sysv_data(set, &data);

	if (r == 0)
		r = sysv_enter(file, &data);
	if (r < 0)
		return r;
	set_flags(operation, IPC_NOWAIT);
	r = operate(operation);
	caller_leave();
	set_flags(operation, 0);
	return r;
}

int sysv_sem_list_run(struct sysv *set, struct file *file, const char *data, size_t size)
{
	struct operation operation = {.set = set->identity};
	struct caller opener = sysv_opener(file);
	struct job_call call = {
		.place = JOB_SLEEPER, .as_caller = true, .act = operation_act, .data = &operation};
	int r = sysv_sem_list_parse(data, size, operation.list);

	if (r <= 0)
		return r;
	operation.n = (size_t)r;
	operation.journal = set->channel.space->host->journal;
	operation.request = operation.journal->request;
	r = -EAGAIN;
	/* A job may have performed it already: its result comes first. */
	if (!file->waiter || !file->waiter->job)
		r = operate_now(set, file, &operation);
	if (r != -EAGAIN || !file->waiter)
		return r;
	call.size = offsetof(struct operation, list) + operation.n * sizeof(*operation.list);
	return job_run(set->channel.space->host, &opener, &call);
}
