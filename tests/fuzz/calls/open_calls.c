// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that open, duplicate, send and close descriptors. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/fuzz/calls/path.h"
#include "tests/fuzz/calls/user.h"

static const int open_flags[] = {
	O_CREAT, O_CREAT, O_EXCL,    O_TRUNC, O_APPEND,  O_DIRECT,    O_DIRECTORY, O_NOFOLLOW,
	O_PATH,  O_SYNC,  O_NOATIME, O_ASYNC, O_TMPFILE, O_LARGEFILE, O_CLOEXEC,   O_NOCTTY,
};

static int pick_flags(struct dice *dice)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_ACCMODE};
	int flags = dice_pick(dice, modes);

	if (dice_once_in(dice, 2))
		flags |= O_NONBLOCK;
	if (dice_once_in(dice, 3))
		flags |= O_CREAT;
	return flags | dice_flags(dice, open_flags, N_ELEMENTS(open_flags), 12);
}

static mode_t pick_mode(struct dice *dice)
{
	static const mode_t modes[] = {0666, 0666, 0600, 0, 0444, 0222, 07777, 0100666};

	return dice_pick(dice, modes);
}

static void open_path(struct thread *thread)
{
	struct dice *dice = &thread->dice;

	thread_keep(thread, (int)make_call(thread, SYS_openat, AT_FDCWD, path_pick(thread),
					   pick_flags(dice), pick_mode(dice)));
}

int thread_region(struct thread *thread)
{
	struct dice *dice = &thread->dice;
	const char *path = path_in(thread, dice_once_in(dice, 3) ? "sysv/shm" : "shm");

	return (int)make_call(thread, SYS_openat, AT_FDCWD, path,
			      O_CLOEXEC | (dice_once_in(dice, 4) ? O_RDONLY : O_RDWR), 0666);
}

static void open_resolved(struct thread *thread)
{
	static const int resolves[] = {
		RESOLVE_BENEATH,       RESOLVE_NO_XDEV, RESOLVE_NO_SYMLINKS,
		RESOLVE_NO_MAGICLINKS, RESOLVE_CACHED,
	};
	struct dice *dice = &thread->dice;
	struct open_how how = {.flags = (unsigned)pick_flags(dice)};

	if (how.flags & O_CREAT)
		how.mode = pick_mode(dice) & 07777;
	how.resolve = (unsigned)dice_flags(dice, resolves, N_ELEMENTS(resolves), 3);
	thread_keep(thread, (int)make_call(thread, SYS_openat2, AT_FDCWD, path_pick(thread), &how,
					   sizeof(how)));
}

static void open_again(struct thread *thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fd/%d",
		 dice_once_in(&thread->dice, 2) ? "self" : "thread-self",
		 thread_descriptor(thread));
	thread_keep(thread, (int)make_call(thread, SYS_openat, AT_FDCWD, path,
					   pick_flags(&thread->dice), 0666));
}

/* Opens by file handle. open_by_handle_at(2) has to refuse that to an unprivileged user. */
static void open_handle(struct thread *thread)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} name = {.handle.handle_bytes = dice_once_in(&thread->dice, 4) ? 0 : MAX_HANDLE_SZ};
	int fd = thread_descriptor(thread), mount_id;

	if (dice_once_in(&thread->dice, 2))
		make_call(thread, SYS_name_to_handle_at, AT_FDCWD, path_pick(thread), &name,
			  &mount_id, dice_once_in(&thread->dice, 2) ? AT_SYMLINK_FOLLOW : 0);
	else
		make_call(thread, SYS_name_to_handle_at, fd, "", &name, &mount_id, AT_EMPTY_PATH);
	thread_keep(thread, (int)make_call(thread, SYS_open_by_handle_at, fd, &name, O_RDWR));
}

static void close_one(struct thread *thread)
{
	atomic_int *place = &thread->user->descriptors[dice_roll(&thread->dice, N_DESCRIPTORS)];
	int fd = atomic_exchange(place, -1);

	if (fd >= 0)
		make_call(thread, SYS_close, fd);
}

static void duplicate(struct thread *thread)
{
	thread_keep(thread, (int)make_call(thread, SYS_dup, thread_descriptor(thread)));
}

/* Sends one byte with a descriptor of ours. */
static long send_descriptor(struct thread *thread, int socket, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return make_call(thread, SYS_sendmsg, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int receive_descriptor(struct thread *thread, int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd = -1;

	if (make_call(thread, SYS_recvmsg, socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

static void pass(struct thread *thread)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	send_descriptor(thread, ends[0], thread_descriptor(thread));
	thread_keep(thread, receive_descriptor(thread, ends[1]));
	/* Half of the time the descriptor is closed in flight, perhaps as the last of its file. */
	if (dice_once_in(&thread->dice, 2))
		send_descriptor(thread, ends[0], thread_descriptor(thread));
	close(ends[0]);
	close(ends[1]);
}

/* A native client of a server in the mount. It sends its buffer. */
static void connect_natively(struct thread *thread)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct dice *dice = &thread->dice;
	int type = dice_once_in(dice, 3) ? SOCK_SEQPACKET : SOCK_STREAM;
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char name = (char)('a' + dice_roll(dice, 6));

	if (dice_once_in(dice, 2))
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/sockets/%c",
			 thread->user->place->dir, name);
	else
		snprintf(address.sun_path, sizeof(address.sun_path), "/run/ipcfs/%c", name);
	if (make_call(thread, SYS_connect, fd, &address, sizeof(address)) == 0) {
		make_call(thread, SYS_sendto, fd, thread->buffer, thread_fill(thread),
			  MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
		send_descriptor(thread, fd, thread_descriptor(thread));
	}
	thread_keep(thread, fd);
}

const struct call open_calls[] = {
	{"open", open_path, 4},
	{"openat2", open_resolved, 1},
	{"open /proc/self/fd", open_again, 2},
	{"open_by_handle_at", open_handle, 1},
	{"close", close_one, 1},
	{"dup", duplicate, 1},
	{"SCM_RIGHTS", pass, 1},
	{"connect, send", connect_natively, 1},
	{NULL, NULL, 0},
};
