// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A receiver with SO_PASSCRED learns who wrote each message, and believes it: a service manager
 * lets a service speak for itself on that alone. If we say nothing, the kernel names us, with our
 * real uid, which is root's. So every write says whose it is.
 *
 * uid and gid are the opener's, because it was the opener's right to connect that was checked. A
 * process that got the descriptor from another speaks for that other process. The pid only tells
 * which process it was. The kernel accepts a foreign pid only from a sender with CAP_SYS_ADMIN, and
 * only while that process exists. If it refuses, we send our own pid, which is true as well.
 */
#include "lib/kinds/socket/credentials.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel/channel.h"
#include "lib/host/thread.h"

static ssize_t send_as(const struct ucred *who, int fd, struct iovec *bytes, struct tally *tally)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(*who))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(*who)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_CREDENTIALS}};
	const struct msghdr message = {.msg_iov = bytes,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), who, sizeof(*who));
	return tally_send(tally, fd, &message);
}

/* The kernel checks credentials before anything else, so what it refuses has not been sent. */
static bool is_refused(ssize_t result)
{
	return result == -EPERM || result == -ESRCH;
}

ssize_t credentials_send(const struct file *file, int fd, struct iovec *bytes, struct tally *tally,
			 pid_t *writer)
{
	struct ucred who = {.uid = file->uid, .gid = file->gid};
	ssize_t n = -ESRCH;

	who.pid = *writer = thread_process(file->pid, *writer);
	if (who.pid)
		n = send_as(&who, fd, bytes, tally);
	if (is_refused(n)) {
		who.pid = getpid();
		n = send_as(&who, fd, bytes, tally);
	}
	/* For our own user the kernel says the same by itself, except for a group we are not in. */
	if (is_refused(n) && file->uid == getuid())
		n = tally_send(tally, fd, &(struct msghdr){.msg_iov = bytes, .msg_iovlen = 1});
	return n;
}
