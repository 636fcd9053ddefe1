// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the caller may know of a process is what /proc shows to the caller, so it is /proc that is
 * asked, as the caller: hidepid= hides there what it hides natively. (A thread may always look at
 * its own process, so the daemon itself is not hidden.) The daemon looks by itself only in order to
 * tell one process from another with the same number.
 */
#include "lib/kinds/signal/signal_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/ino.h"
#include "lib/channel/listed.h"
#include "lib/host/process_stat.h"
#include "lib/kinds/kinds.h"

/* The length of the longest pid: PID_MAX_LIMIT is 4194304. */
#define PID_DIGITS 7

/* Returns the pid that is written like this, or 0. */
static pid_t parse_pid(const char *name)
{
	size_t length = strspn(name, "0123456789");

	return name[length] || length > PID_DIGITS || name[0] == '0' ? 0 : atoi(name);
}

bool process_is_name(const char *name)
{
	return parse_pid(name) > 0;
}

int process_read(const struct process_space *space, pid_t pid, const char *name, char *text,
		 size_t size)
{
	CLEANUP_FD int fd = -1;
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(space->proc_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

bool process_is_there(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno != ESRCH;
}

int process_open(const struct process_space *space, pid_t pid,
		 struct process_identity *ret_identity)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct process_stat stat;
	struct stat attr;

	if (fd < 0) /* a thread: EINVAL, or ENOENT since Linux 6.13 */
		return errno == ESRCH || errno == EINVAL ? -ENOENT
		       : errno == EMFILE                 ? -ENFILE
							 : -errno;
	if (fstat(fd, &attr) < 0)
		return -errno;
	*ret_identity = (struct process_identity){0};
	if (features_has(&space->space.host->features, FEATURE_PIDFS))
		ret_identity->ino = attr.st_ino;
	if (process_stat_read(space->proc_fd, pid, &stat))
		ret_identity->started = stat.started;
	/* As long as the process has not been reaped, /proc/PID was about no other. */
	return process_is_there(fd) ? TAKE_FD(fd) : -ENOENT;
}

/* Gets the attributes of /proc/PID. That the caller may also look into it is part of the answer. */
static int look_as(const struct process_space *space, pid_t pid, struct caller *caller,
		   struct stat *ret_attr)
{
	char name[16], path[32];
	int r = caller_enter(caller);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%d", pid);
	snprintf(path, sizeof(path), "%d/stat", pid);
	if (fstatat(space->proc_fd, name, ret_attr, AT_SYMLINK_NOFOLLOW) < 0 ||
	    faccessat(space->proc_fd, path, R_OK, AT_EACCESS) < 0)
		r = -errno;
	caller_leave();
	return r == -ESRCH ? -ENOENT : r == -EACCES ? -EPERM : r;
}

/*
 * Returns when a process began that began so many ticks after the machine. The clock may have been
 * set since the last call; but as long as it was not, a process always has the same time.
 */
static struct timespec time_of(uint64_t ticks)
{
	static int64_t booted;
	const int64_t tick = CLOCK_S / sysconf(_SC_CLK_TCK);
	struct timespec now, up;
	int64_t at;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	at = (now.tv_sec - up.tv_sec) * CLOCK_S + now.tv_nsec - up.tv_nsec;
	if (llabs(at - booted) > CLOCK_S / 2)
		booted = at;
	at = booted + (int64_t)ticks * tick;
	return (struct timespec){at / CLOCK_S, at % CLOCK_S};
}

int process_new(struct process_space *space, pid_t pid, const struct process_identity *identity,
		struct process **ret_process)
{
	CLEANUP_FREE struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return -ENOMEM;
	process->pid = pid;
	process->identity = *identity;
	if (identity->started)
		process->started = time_of(identity->started);
	HASH_ADD_INT(space->processes, pid, process);
	if (!process->hh.tbl)
		return -ENOMEM;
	channel_init(&process->channel, signal_kind.channel, &space->space, CHANNEL_STREAM);
	readiness_init(&process->pidfd, &process->channel);
	space_ref(&space->space);
	*ret_process = TAKE_PTR(process);
	return 0;
}

void process_forget(struct process *process)
{
	if (process->hh.tbl)
		HASH_DEL(process_space_from(process->channel.space)->processes, process);
	process->hh.tbl = NULL;
}

/* Gives a reference to the process that has this pid now. */
static int get(struct process_space *space, pid_t pid, const struct process_identity *identity,
	       struct process **ret_process)
{
	struct process *process;

	HASH_FIND_INT(space->processes, &pid, process);
	if (process && process_is(process, identity)) {
		channel_ref(&process->channel);
		*ret_process = process;
		return 0;
	}
	if (process) /* it has ended; whoever has it open keeps it */
		process_forget(process);
	return process_new(space, pid, identity, ret_process);
}

int process_find(struct process_space *space, const char *name, struct caller *caller,
		 struct channel **ret_channel)
{
	struct process_identity identity;
	struct process *process = NULL;
	pid_t pid = parse_pid(name);
	CLEANUP_FD int fd = pid ? process_open(space, pid, &identity) : -ENOENT;
	struct stat attr;
	int r;

	if (fd < 0)
		return fd;
	r = look_as(space, pid, caller, &attr);
	if (r == 0)
		r = process_is_there(fd) ? get(space, pid, &identity, &process) : -ENOENT;
	if (r < 0)
		return r;
	process->uid = attr.st_uid;
	process->gid = attr.st_gid;
	*ret_channel = &process->channel;
	return 0;
}

static int list(DIR *dir, struct listed *listed)
{
	struct dirent *found;
	long place;
	pid_t pid;

	if (listed->next)
		seekdir(dir, listed->next);
	for (;;) {
		int r = 0;

		place = telldir(dir);
		errno = 0;
		found = readdir(dir);
		listed->next = 0;
		if (!found)
			return -errno;
		pid = parse_pid(found->d_name);
		if (pid)
			r = listed_add(listed, found->d_name, (ino_t)pid, S_IFREG);
		if (r == -E2BIG && listed->size) {
			listed->next = place;
			return 0;
		}
		if (r < 0)
			return r;
	}
}

/* What the job that lists /proc does, as the caller. */
static int list_act(void *data)
{
	CLEANUP_DIR DIR *dir = opendir("/proc");

	return listed_end(data, dir ? list(dir, data) : -errno);
}

int process_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct listed listed;

	memset(&listed, 0, sizeof(listed)); /* job_run() compares all of it */
	return listed_run(space->host, caller,
			  &(struct job_call){.place = JOB_THREAD,
					     .is_long = true,
					     .act = list_act,
					     .undo = listed_drop,
					     .data = &listed,
					     .size = sizeof(listed)},
			  &(struct listed_reader){entry, data});
}
