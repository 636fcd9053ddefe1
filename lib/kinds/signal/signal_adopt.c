// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of a process's file: which process it is, and the pidfd that holds it.
 * How it ended, the kernel tells by the pidfd for as long as that is open.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/channel/record.h"
#include "lib/kinds/signal/signal_process.h"

/* The words of the record. */
enum {
	STARTED, /* the process's identity */
	INO,
	OWNER,  /* its owner, and above that the group */
	OPENER, /* channel::descriptors_uid */
	PID     /* never 0; written last */
};

void process_save(struct channel *channel, struct object_record *record)
{
	const struct process *process = process_from(channel);

	record->words[STARTED] = process->identity.started;
	record->words[INO] = process->identity.ino;
	record->words[OWNER] = (uint64_t)process->gid << 32 | process->uid;
	record->words[OPENER] = channel->descriptors_uid;
	record->fds[0] = process->pidfd.source.fd;
	STATE_ORDER();
	record->words[PID] = (uint64_t)process->pid;
}

/* Whether this is a pidfd of the process. A signal 0 only fails for want of rights, or of it. */
static bool is_pidfd_of(const struct process *process, int fd)
{
	struct stat attr;

	return fd >= 0 && fstat(fd, &attr) == 0 &&
	       (!process->identity.ino || attr.st_ino == process->identity.ino) &&
	       (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0 || errno == ESRCH ||
		errno == EPERM);
}

int process_adopt(struct space *space_, struct object_record *record, struct channel **ret_channel)
{
	struct process_space *space = process_space_from(space_);
	const struct process_identity identity = {record->words[STARTED], record->words[INO]};
	pid_t pid = (pid_t)record->words[PID];
	struct process *other, *process;
	int r;

	if (pid <= 0 || (uint64_t)pid != record->words[PID])
		return -EPROTO;
	HASH_FIND_INT(space->processes, &pid, other);
	r = process_new(space, pid, &identity, &process);
	if (r < 0)
		return r;
	process->uid = (uid_t)record->words[OWNER];
	process->gid = (gid_t)(record->words[OWNER] >> 32);
	if (is_pidfd_of(process, record->fds[0]) &&
	    channel_charge_descriptors(&process->channel, (uid_t)record->words[OPENER], 1) == 0)
		process->pidfd.source.fd = record->fds[0];
	else
		record->fds[0] = -1;
	/* Of two with the same pid, one has ended. Whoever has it open keeps it. */
	if (other)
		process_forget(process->pidfd.source.fd >= 0 &&
					       process_is_there(process->pidfd.source.fd)
				       ? other
				       : process);
	*ret_channel = &process->channel;
	return 0;
}
