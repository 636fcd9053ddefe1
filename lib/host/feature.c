// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each probe makes the very call that it asks about, in a way that leaves no trace.
 */
#include "lib/host/feature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/exit_status.h"

/* In <asm-generic/socket.h> from Linux 6.16 on. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* In <linux/magic.h> from Linux 6.9 on. */
#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/*
 * Whether open_by_handle_at(2) is permitted. The kernel checks the right (EPERM) before the handle,
 * which is invalid here.
 */
static bool may_open_by_handle(void)
{
	struct {
		struct file_handle head;
		char bytes[12];
	} handle = {.head = {.handle_bytes = sizeof(handle.bytes)}};
	CLEANUP_FD int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = open_by_handle_at(root, &handle.head, O_PATH | O_CLOEXEC);

	return fd >= 0 || errno != EPERM;
}

/*
 * Clones the mount of a file. Below a directory there may be mounts that a user namespace has
 * locked to it, so that the clone would fail; below a file there are none.
 */
static bool probe_open_tree(void)
{
	CLEANUP_FD int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev/null",
					 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = {.propagation = MS_PRIVATE};

	return fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0 &&
	       may_open_by_handle();
}

static bool probe_mqueue_mount(void)
{
	CLEANUP_FD int context = fsopen("mqueue", FSOPEN_CLOEXEC);
	CLEANUP_FD int fd = -1;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return false;
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd >= 0;
}

/* A mapped memfd stands in for a segment, because a memfd counts against nobody's limit. */
static bool probe_map_files(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	CLEANUP_FD int memory = memfd_create("ipcfs", MFD_CLOEXEC);
	CLEANUP_FD int fd = -1;
	char path[80];
	char *map;

	if (memory < 0 || ftruncate(memory, (off_t)size) < 0)
		return false;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (map == MAP_FAILED)
		return false;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)map,
		 (unsigned long)(map + size));
	fd = open(path, O_RDWR | O_CLOEXEC);
	munmap(map, size);
	return fd >= 0;
}

/* The kernel checks the flag before the identifier, which is invalid: ipc/msg.c, do_msgrcv(). */
static bool probe_msg_copy(void)
{
	struct msgbuf message;

	return msgrcv(INT_MAX, &message, 0, 0, MSG_COPY | IPC_NOWAIT) < 0 &&
	       (errno == EINVAL || errno == EIDRM);
}

static bool probe_passrights(void)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int)) == 0;
}

/*
 * Older kernels have the ioctl, but it fails once the process has been reaped. So the probe forks a
 * process and reaps it first.
 */
static bool probe_pidfd_info(void)
{
	CLEANUP_FD int fd = -1;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (pid == 0)
		_exit(7);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd >= 0 && exit_status(fd, &status) == 0 && WEXITSTATUS(status) == 7;
}

static bool probe_pidfs(void)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct statfs attr;

	return fd >= 0 && fstatfs(fd, &attr) == 0 && attr.f_type == PID_FS_MAGIC;
}

static const struct {
	const char *name;
	bool (*probe)(void); /* NULL: only the FUSE connection tells */
} features_known[N_FEATURES] = {
	[FEATURE_PASSTHROUGH] = {"passthrough", NULL},
	[FEATURE_RESEND] = {"resend", NULL},
	[FEATURE_PRUNE] = {"prune", NULL},
	[FEATURE_POSIX_ACL] = {"posix_acl", NULL},
	[FEATURE_OPEN_TREE] = {"open_tree", probe_open_tree},
	[FEATURE_MQUEUE_MOUNT] = {"mqueue_mount", probe_mqueue_mount},
	[FEATURE_MAP_FILES] = {"map_files", probe_map_files},
	[FEATURE_MSG_COPY] = {"msg_copy", probe_msg_copy},
	[FEATURE_PASSRIGHTS] = {"passrights", probe_passrights},
	[FEATURE_PIDFD_INFO] = {"pidfd_info", probe_pidfd_info},
	[FEATURE_PIDFS] = {"pidfs", probe_pidfs},
};

bool features_has(const struct features *features, enum feature feature)
{
	return features->there & ~features->off & 1U << feature;
}

bool features_is_off(const struct features *features, enum feature feature)
{
	return features->off & 1U << feature;
}

void features_probe(struct features *features)
{
	for (int i = 0; i < N_FEATURES; i++)
		if (features_known[i].probe)
			features_found(features, i, features_known[i].probe());
}

void features_found(struct features *features, enum feature feature, bool is_there)
{
	features->there &= ~(1U << feature);
	features->there |= (unsigned)is_there << feature;
}

static int feature_find(const char *name, size_t length)
{
	for (int i = 0; i < N_FEATURES; i++)
		if (strlen(features_known[i].name) == length &&
		    memcmp(features_known[i].name, name, length) == 0)
			return i;
	return -EINVAL;
}

int features_parse(const char *names, unsigned *set)
{
	unsigned more = 0;

	for (;;) {
		size_t length = strcspn(names, ":,");
		int i = feature_find(names, length);

		if (i < 0)
			return i;
		more |= 1U << i;
		if (!names[length])
			break;
		names += length + 1;
	}
	*set |= more;
	return 0;
}

void features_text(unsigned set, char between, char text[static FEATURES_TEXT])
{
	size_t length = 0;

	strcpy(text, "none");
	for (int i = 0; i < N_FEATURES; i++) {
		if (!(set & 1U << i))
			continue;
		if (length)
			text[length++] = between;
		length += (size_t)snprintf(text + length, FEATURES_TEXT - length, "%s",
					   features_known[i].name);
	}
}
