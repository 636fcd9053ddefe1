// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The opener of a file of a queue or a set.
 *
 * msgrcv(2), msgsnd(2) and semop(2) check the caller's rights each time, so that a chmod also takes
 * them from processes that have used the object before. An open file, like any descriptor, can be
 * used by whoever holds it, with the rights that the user who opened it had then.
 *
 * Becoming another user costs system calls, and learning about a process costs a look at /proc:
 * each takes some tenths of the time of a whole message. The kernel does not look at the groups of
 * an owner or creator, or of anybody with CAP_IPC_OWNER (ipc/util.c, ipcperms). So an owner is
 * entered without groups. A creator stays one for life, and an opener keeps CAP_IPC_OWNER: their
 * groups are never needed, and not even read.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/channel/opener.h"
#include "lib/kinds/sysv/sysv.h"

struct sysv_opener {
	struct caller caller;
	bool is_daemon; /* so there is no need to become anybody */
};

static int learn(const struct sysv *sysv, struct caller *caller, struct caller *ret_known)
{
	uint64_t capabilities = caller_look_at_capabilities(caller);

	if (caller->uid != sysv->identity.cuid && !(capabilities >> CAP_IPC_OWNER & 1))
		return caller_copy(ret_known, caller);
	*ret_known = (struct caller){
		.uid = caller->uid,
		.gid = caller->gid,
		.is_loaded = true,
		.capabilities = capabilities,
	};
	return 0;
}

static void set_opener(struct file *file, struct sysv_opener *opener)
{
	opener->is_daemon = caller_is_daemon(&opener->caller);
	file->state = opener;
}

int sysv_open(struct file *file, struct caller *caller)
{
	struct sysv_opener *opener = calloc(1, sizeof(*opener));
	int r;

	if (!opener)
		return -ENOMEM;
	r = learn(sysv_from(file->channel), caller, &opener->caller);
	if (r < 0)
		caller_fini(&opener->caller);
	else
		r = opener_keep(file, &opener->caller);
	if (r < 0) {
		free(opener);
		return r;
	}
	set_opener(file, opener);
	return 0;
}

int sysv_adopt_file(struct file *file)
{
	struct sysv_opener *opener = calloc(1, sizeof(*opener));
	int r = opener ? opener_adopt(file, &opener->caller) : -ENOMEM;

	if (r < 0) {
		free(opener);
		return r;
	}
	set_opener(file, opener);
	return 0;
}

void sysv_release(struct file *file)
{
	struct sysv_opener *opener = file->state;

	opener_forget(file, &opener->caller);
	free(opener);
	file->state = NULL;
}

struct caller sysv_opener(const struct file *file)
{
	struct caller caller = ((const struct sysv_opener *)file->state)->caller;

	caller.waiter = file->waiter;
	return caller;
}

int sysv_enter(const struct file *file, const union sysv_data *data)
{
	const struct sysv_opener *opener = file->state;
	struct caller caller = opener->caller;

	if (opener->is_daemon)
		return 0;
	if (caller.uid == data->perm.uid || caller.uid == data->perm.cuid) {
		caller.gid = getegid();
		caller.groups = NULL;
		caller.n_groups = 0;
	}
	return caller_enter(&caller);
}

/* IPC_STAT requires the right to read, too. */
int sysv_check_read(struct channel *channel, struct caller *caller)
{
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;
	int r = sysv_data(sysv, &data);

	if (r == 0)
		r = caller_enter(caller);
	if (r < 0)
		return r;
	r = sysv_space_from(channel->space)->calls->control(sysv->id, IPC_STAT, &data);
	caller_leave();
	return sysv_error(r);
}
