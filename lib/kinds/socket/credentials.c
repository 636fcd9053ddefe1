// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A receiver with SO_PASSCRED is told who wrote each message, and believes it: a service manager
 * lets a service speak for itself by that alone. Where we say nothing the kernel names us, with
 * our real uid, which is root's; so nothing is written without saying who.
 *
 * uid and gid are those of who opened, because that is whose right to connect was checked; a
 * process that has the descriptor from another speaks for that one. The pid only tells which
 * process it was. The kernel takes another's only of who has CAP_SYS_ADMIN, and only while that
 * process is there, so it may refuse; then it is ours, which is true as well.
 *
 * What FUSE tells is a thread. A process's first thread has the process's number; of others /proc
 * knows the process, but no look at /proc is needed while a thread still belongs to the process
 * that was found last: to ask that (tgkill(2) without a signal) is to check both, so a number
 * that has been given away again is never taken for the one before.
 */
#include "lib/kinds/socket/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"

/* Is it a thread of that process? */
static bool is_thread_of(pid_t process, pid_t thread)
{
	return process && syscall(SYS_tgkill, process, thread, 0) == 0;
}

/* By /proc/TID/status; 0: it can't be seen. */
static pid_t find_process(pid_t thread)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	pid_t process = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!process && getline(&line, &size, file) > 0)
		if (strncmp(line, "Tgid:", 5) == 0)
			process = (pid_t)strtol(line + 5, NULL, 10);
	fclose(file);
	return is_thread_of(process, thread) ? process : 0;
}

/* The process of a thread that writes; 0: unknown. */
static pid_t process_of(pid_t thread, pid_t last)
{
	if (!thread || is_thread_of(last, thread))
		return thread ? last : 0;
	return is_thread_of(thread, thread) ? thread : find_process(thread);
}

static ssize_t send_as(int fd, const struct ucred *who, const void *data, size_t size)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(*who))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(*who)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_CREDENTIALS}};
	struct iovec bytes = {.iov_base = (void *)data, .iov_len = size};
	const struct msghdr message = {.msg_iov = &bytes,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control)};
	ssize_t n;

	memcpy(CMSG_DATA(&control.header), who, sizeof(*who));
	n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

/* The kernel looks at these before it does anything, so what it refuses has not been sent. */
static bool is_refused(ssize_t result)
{
	return result == -EPERM || result == -ESRCH;
}

ssize_t credentials_send(const struct file *file, int fd, const void *data, size_t size,
			 pid_t *writer)
{
	struct ucred who = {.uid = file->uid, .gid = file->gid};
	ssize_t n = -ESRCH;

	who.pid = *writer = process_of(file->pid, *writer);
	if (who.pid)
		n = send_as(fd, &who, data, size);
	if (is_refused(n)) {
		who.pid = getpid();
		n = send_as(fd, &who, data, size);
	}
	/* Of our own user the kernel says so by itself, but for a group that we are not in. */
	if (is_refused(n) && file->uid == getuid()) {
		n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	return n;
}
