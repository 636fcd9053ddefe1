// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls on names and attributes, and lines of ctl.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "tests/fuzz/calls/path.h"
#include "tests/fuzz/calls/user.h"

static mode_t pick_mode(struct dice *dice)
{
	static const mode_t modes[] = {0666, 0600, 0, 0444, 0777, 06777, 01777, 0640};

	return dice_pick(dice, modes);
}

static void look_at(struct thread *thread)
{
	const char *path = path_pick(thread);
	struct statx attr;
	char target[4096];

	make_call(thread, SYS_statx, AT_FDCWD, path,
		  dice_once_in(&thread->dice, 2) ? AT_SYMLINK_NOFOLLOW : AT_STATX_FORCE_SYNC,
		  STATX_ALL, &attr);
	make_call(thread, SYS_readlink, path, target, sizeof(target));
	make_call(thread, SYS_faccessat2, AT_FDCWD, path, dice_roll(&thread->dice, 8),
		  dice_once_in(&thread->dice, 2) ? AT_EACCESS : 0);
	make_call(thread, SYS_statfs, path, thread->buffer);
}

static void look_at_descriptor(struct thread *thread)
{
	make_call(thread, SYS_fstat, thread_descriptor(thread), thread->buffer);
	make_call(thread, SYS_fstatfs, thread_descriptor(thread), thread->buffer);
}

static void make_directory(struct thread *thread)
{
	const char *path = dice_once_in(&thread->dice, 2) ? path_pick(thread)
							  : path_in(thread, "sockets/servers");

	make_call(thread, SYS_mkdir, path, pick_mode(&thread->dice));
}

static void remove_directory(struct thread *thread)
{
	make_call(thread, SYS_rmdir, path_pick(thread));
}

static void remove_name(struct thread *thread)
{
	make_call(thread, SYS_unlink, path_pick(thread));
}

static void rename_path(struct thread *thread)
{
	static const char *const directories[] = {"pipes", "shm", "sems", "events",
						  "sockets/servers"};
	struct dice *dice = &thread->dice;
	const char *directory = dice_once_in(dice, 2) ? NULL : dice_pick(dice, directories);
	const char *from = directory ? path_in(thread, directory) : path_pick(thread);
	const char *to = directory ? path_in(thread, directory) : path_pick(thread);

	make_call(thread, SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to,
		  dice_once_in(dice, 2) ? 0 : dice_roll(dice, 8));
}

static void link_path(struct thread *thread)
{
	const char *from = path_pick(thread);
	char fd[32];

	make_call(thread, SYS_linkat, AT_FDCWD, from, AT_FDCWD, path_pick(thread), 0);
	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", thread_descriptor(thread));
	make_call(thread, SYS_linkat, AT_FDCWD, fd, AT_FDCWD, path_pick(thread), AT_SYMLINK_FOLLOW);
}

/* Makes links. Their targets are only names in the same directory. */
static void link_symbolically(struct thread *thread)
{
	static const char *const targets[] = {"a", "b", "c", "sem.a", "no/such"};

	make_call(thread, SYS_symlink, dice_pick(&thread->dice, targets), path_pick(thread));
}

static void make_node(struct thread *thread)
{
	static const mode_t types[] = {S_IFIFO, S_IFIFO, S_IFREG, S_IFSOCK,
				       S_IFCHR, S_IFBLK, S_IFDIR, 0};
	mode_t mode = dice_pick(&thread->dice, types) | pick_mode(&thread->dice);

	make_call(thread, SYS_mknod, path_pick(thread), mode,
		  dice_once_in(&thread->dice, 2) ? 0 : 0x103);
}

static void change_mode(struct thread *thread)
{
	if (dice_once_in(&thread->dice, 2))
		make_call(thread, SYS_chmod, path_pick(thread), pick_mode(&thread->dice));
	else
		make_call(thread, SYS_fchmod, thread_descriptor(thread), pick_mode(&thread->dice));
}

static void change_owner(struct thread *thread)
{
	static const int ids[] = {-1, -1, 0, FIRST_USER, SECOND_USER, 4294967294U};
	int uid = dice_pick(&thread->dice, ids), gid = dice_pick(&thread->dice, ids);

	if (dice_once_in(&thread->dice, 2))
		make_call(thread, SYS_lchown, path_pick(thread), uid, gid);
	else
		make_call(thread, SYS_fchown, thread_descriptor(thread), uid, gid);
}

static void change_times(struct thread *thread)
{
	static const long parts[] = {0, UTIME_NOW, UTIME_OMIT, 999999999, -1};
	struct dice *dice = &thread->dice;
	struct timespec times[2] = {
		{.tv_sec = thread_offset(thread), .tv_nsec = dice_pick(dice, parts)},
		{.tv_sec = 1, .tv_nsec = dice_pick(dice, parts)},
	};

	make_call(thread, SYS_utimensat, AT_FDCWD, path_pick(thread),
		  dice_once_in(dice, 3) ? NULL : times,
		  dice_once_in(dice, 2) ? AT_SYMLINK_NOFOLLOW : 0);
}

static void use_attributes(struct thread *thread)
{
	static const char *const names[] = {
		"user.a",
		"security.capability",
		"system.posix_acl_access",
		"system.posix_acl_default",
		"trusted.a",
		"security.selinux",
		"",
		"x",
		"user.",
	};
	const char *path = path_pick(thread), *name = dice_pick(&thread->dice, names);
	size_t size = thread_size(thread) % 65537;

	make_call(thread, SYS_getxattr, path, name, thread->buffer, size);
	make_call(thread, SYS_listxattr, path, thread->buffer, size);
	thread_fill(thread);
	/* Makes an access control list of version 2: the kernel itself would refuse any other. */
	memcpy(thread->buffer,
	       "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\4\0\4\0\xff\xff\xff\xff\40\0\4\0\xff\xff\xff\xff",
	       28);
	make_call(thread, SYS_setxattr, path, name, thread->buffer,
		  dice_once_in(&thread->dice, 2) ? 28 : size, dice_roll(&thread->dice, 3));
	make_call(thread, SYS_fsetxattr, thread_descriptor(thread), name, thread->buffer, 28, 0);
	make_call(thread, SYS_removexattr, path, name);
}

static void use_socket(struct thread *thread)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct dice *dice = &thread->dice;
	int fd = socket(AF_UNIX, dice_pick(dice, types) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_pick(thread));
	if (dice_once_in(dice, 2)) {
		make_call(thread, SYS_bind, fd, &address, sizeof(address));
		make_call(thread, SYS_listen, fd, 2);
	} else {
		make_call(thread, SYS_connect, fd, &address, sizeof(address));
	}
	thread_keep(thread, fd);
}

static void watch(struct thread *thread)
{
	int fd = (int)make_call(thread, SYS_inotify_init1, IN_NONBLOCK | IN_CLOEXEC);

	make_call(thread, SYS_inotify_add_watch, fd, path_pick(thread), IN_ALL_EVENTS);
	thread_keep(thread, fd);
}

static void add_word(struct thread *thread, char *line, size_t size)
{
	static const char *const keys[] = {
		"capacity", "mode",     "owner", "group",  "eof",  "maxmsg",  "msgsize",
		"value",    "size",     "count", "listen", "type", "backlog", "keep",
		"full",     "nonsense", "",      "idle",   "dry",
	};
	static const char *const values[] = {
		"1",
		"0",
		"-1",
		"1K",
		"64K",
		"1M",
		"2G",
		"99999999999999999999",
		"0666",
		"0600",
		"8888",
		"never",
		"auto",
		"semaphore",
		"normal",
		"stream",
		"seqpacket",
		"65534",
		"65533",
		"root",
		"nobody",
		"no-such-group",
		"tcp:127.0.0.1:5001",
		"tcp:*:0",
		"tcp:[::1]:5002",
		"abstract:a",
		"abstract:\xff\x1b[31m",
		"abstract:",
		"unix:relative",
		"yes",
		"",
	};
	struct dice *dice = &thread->dice;
	size_t length = strlen(line);

	if (dice_once_in(dice, 6))
		snprintf(line + length, size - length, " listen=unix:%s/sockets/%c",
			 thread->user->place->dir, 'a' + (int)dice_roll(dice, 6));
	else
		snprintf(line + length, size - length, " %s%s%s", dice_pick(dice, keys),
			 dice_once_in(dice, 20) ? "" : "=", dice_pick(dice, values));
}

static void command(struct thread *thread)
{
	static const char *const verbs[] = {"create", "create", "create", "set", "remove",
					    "empty",  "reap",   "#",      ""};
	char line[1024], text[4096] = "";
	struct dice *dice = &thread->dice;
	int fd = (int)make_call(thread, SYS_openat, AT_FDCWD, "ctl", O_RDWR | O_CLOEXEC);

	for (unsigned n = 1 + dice_roll(dice, 3); n > 0; n--) {
		snprintf(line, sizeof(line), "%s ", dice_pick(dice, verbs));
		path_channel(thread, line + strlen(line), sizeof(line) - strlen(line));
		for (unsigned words = dice_roll(dice, 4); words > 0; words--)
			add_word(thread, line, sizeof(line));
		strcat(text, line);
		strcat(text, "\n");
	}
	make_call(thread, SYS_write, fd, text, strlen(text) - dice_roll(dice, 2));
	make_call(thread, SYS_pread64, fd, thread->buffer, BUFFER_SIZE, 0);
	thread_keep(thread, fd);
}

const struct call name_calls[] = {
	{"stat", look_at, 2},
	{"fstat", look_at_descriptor, 1},
	{"mkdir", make_directory, 1},
	{"rmdir", remove_directory, 1},
	{"unlink", remove_name, 1},
	{"rename", rename_path, 1},
	{"link", link_path, 1},
	{"symlink", link_symbolically, 1},
	{"mknod", make_node, 1},
	{"chmod", change_mode, 1},
	{"chown", change_owner, 1},
	{"utimensat", change_times, 1},
	{"xattr", use_attributes, 1},
	{"bind, connect", use_socket, 1},
	{"inotify", watch, 1},
	{"ctl", command, 4},
	{NULL, NULL, 0},
};
