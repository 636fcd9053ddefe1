// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/mqueue is used only if an mqueue is mounted there: without a mount it may be any directory.
 */
#include "lib/kinds/posix/mqueues.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/blank.h"

#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c */

static void make_path(char path[static NAME_MAX + 2], const char *name)
{
	snprintf(path, NAME_MAX + 2, "/%s", name);
}

static int mount_detached(void)
{
	CLEANUP_FD int context = fsopen("mqueue", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

static int open_mounted(const struct host *host)
{
	CLEANUP_FD int fd = named_open_directory(host, "/dev/mqueue");
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != MQUEUE_MAGIC)
		return -1;
	return TAKE_FD(fd);
}

int mqueue_open_directory(const struct host *host)
{
	int fd = features_has(&host->features, FEATURE_MQUEUE_MOUNT) ? mount_detached() : -1;

	return fd >= 0 ? fd : open_mounted(host);
}

int mqueue_open_name(struct named_space *space, const char *name, int flags, mode_t mode)
{
	char path[NAME_MAX + 2];
	mqd_t fd;

	make_path(path, name);
	fd = mq_open(path, flags, mode, NULL);
	return fd < 0 ? -errno : fd;
}

int mqueue_unlink_name(struct named_space *space, const char *name)
{
	/* Not mq_unlink(3): glibc turns the kernel's EPERM into EACCES. */
	return syscall(SYS_mq_unlink, name) < 0 ? -errno : 0;
}

void mqueue_creation_init(struct mqueue_creation *creation, struct space *space, const char *name,
			  mode_t mode)
{
	memset(creation, 0, sizeof(*creation)); /* job_run() compares all of it */
	creation->mode = mode & 07777;
	creation->dir_fd = space->dir_fd;
	creation->note = journal_note_of(space->host);
	make_path(creation->path, name);
}

/* The queue exists. A caller who may neither read nor write it is not told that it is theirs. */
static int find_made(struct mqueue_creation *creation)
{
	CLEANUP_FD int fd = mq_open(creation->path, O_RDONLY | O_NONBLOCK);
	struct stat attr;

	if (fd < 0)
		fd = mq_open(creation->path, O_WRONLY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &attr) < 0 || !journal_has_noted(&creation->note, attr.st_ino))
		return -EEXIST;
	creation->ino = attr.st_ino;
	return 0;
}

int mqueue_create(void *data)
{
	struct mqueue_creation *creation = data;
	CLEANUP_FD int fd = mq_open(creation->path, O_CREAT | O_EXCL | O_RDWR, creation->mode,
				    creation->has_attr ? &creation->attr : NULL);
	struct stat attr;

	if (fd < 0)
		return errno == EEXIST ? find_made(creation) : -errno;
	if (fstat(fd, &attr) < 0) {
		int r = -errno;

		mq_unlink(creation->path);
		return r;
	}
	creation->ino = attr.st_ino;
	journal_note(&creation->note, attr.st_ino);
	return 0;
}

/*
 * Whether the name still leads to the queue. If the directory of all queues is open, this does not
 * open the queue, because even its maker may lack the right to.
 */
static bool is_made(const struct mqueue_creation *creation)
{
	CLEANUP_FD int fd = -1;
	struct stat attr;

	if (creation->dir_fd >= 0)
		return fstatat(creation->dir_fd, creation->path + 1, &attr, AT_SYMLINK_NOFOLLOW) ==
			       0 &&
		       attr.st_ino == creation->ino;
	fd = mq_open(creation->path, O_RDONLY | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &attr) == 0 && attr.st_ino == creation->ino;
}

void mqueue_uncreate(struct host *host, struct caller *caller, void *data)
{
	const struct mqueue_creation *creation = data;

	if (caller_enter(caller) < 0)
		return;
	if (is_made(creation))
		mq_unlink(creation->path);
	caller_leave();
}

const char *mqueue_explain(struct channel *channel, const char *name,
			   const struct settings *settings, int error)
{
	if (channel)
		return NULL;
	if (error == -EINVAL && settings->given)
		return "maxmsg= or msgsize= is above the limit in /proc/sys/fs/mqueue";
	if (error == -EMFILE)
		return "above the limit of bytes in queues, RLIMIT_MSGQUEUE (ulimit -q)";
	if (error == -ENOSPC)
		return "above the limit in /proc/sys/fs/mqueue/queues_max";
	return NULL;
}

bool mqueue_is_open(int fd, ino_t ino, int access)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat attr;
	struct statfs fs;

	return flags >= 0 && (flags & O_NONBLOCK) &&
	       ((flags & O_ACCMODE) == access || (flags & O_ACCMODE) == O_RDWR) &&
	       fstat(fd, &attr) == 0 && attr.st_ino == ino && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == MQUEUE_MAGIC;
}

int mqueue_attributes(int fd, struct mq_attr *ret_attr)
{
	return mq_getattr(fd, ret_attr) < 0 ? -errno : 0;
}

int mqueue_empty(int fd, struct host *host)
{
	struct mq_attr attr;
	int r = mqueue_attributes(fd, &attr);

	if (r == 0)
		r = host_reserve(host, (size_t)attr.mq_msgsize);
	if (r == 0)
		blank_used(host, (size_t)attr.mq_msgsize);
	for (long i = 0; r == 0 && i < attr.mq_curmsgs; i++)
		if (mq_receive(fd, host->scratch, host->scratch_size, NULL) < 0)
			r = -errno;
	return r == -EAGAIN ? 0 : r;
}

int mqueue_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	CLEANUP_FD int fd = named_open(named_from(channel), O_RDONLY);
	struct mq_attr attr;

	if (fd >= 0 && mqueue_attributes(fd, &attr) == 0 && attr.mq_curmsgs == 0)
		named_disuse(fd, disuse);
	return fd == -ESTALE ? fd : 0;
}

long mqueue_default(const char *name)
{
	char path[64];
	long value = 1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/fs/mqueue/%s", name);
	file = fopen(path, "re");
	if (!file)
		return value;
	if (fscanf(file, "%ld", &value) != 1)
		value = 1;
	fclose(file);
	return value;
}

uint64_t mqueue_count(const struct space *space)
{
	return space->dir_fd < 0 ? 0 : named_count_entries(space->dir_fd);
}

void mqueue_room(const struct space *space, const struct caller *caller, struct statvfs *room)
{
	if (space->dir_fd >= 0)
		room_set_files(room, (uint64_t)mqueue_default("queues_max"), mqueue_count(space));
}
