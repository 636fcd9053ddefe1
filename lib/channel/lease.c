// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lease takes the file's owner or CAP_LEASE, so what a caller may remove here is the caller's own
 * or, for root, anybody's.
 */
#include "lib/channel/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/channel.h"
#include "lib/channel/disuse.h"
#include "lib/channel/kernel_names.h"
#include "lib/host/job.h"

/* The file is not opened for writing: that would fail while a program runs from it. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC)

#define MQUEUE_MAGIC 0x19800202 /* linux/ipc/mqueue.c */

/* How often to look whether somebody waits for the lease, ns. */
#define LOOK_AGAIN (CLOCK_MS / 10)

int lease_take(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		return 0;
	return errno == EAGAIN ? -EBUSY : -errno;
}

struct lease_removal {
	int dir_fd;
	ino_t ino;
	struct timespec before;
	char name[NAMED_PATH_SIZE];
};

/* A name that another thread removes. */
struct unlinking {
	const struct lease_removal *removal;
	int result;
	_Atomic bool is_done;
};

static int check_file(const struct lease_removal *removal, int fd)
{
	struct stat attr, named;
	struct timespec last;

	if (fstat(fd, &attr) < 0 ||
	    fstatat(removal->dir_fd, removal->name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (attr.st_ino != removal->ino || named.st_ino != removal->ino)
		return -ESTALE;
	last = disuse_last(&attr);
	return disuse_is_recent(&last, &removal->before) ? -EBUSY : 0;
}

/*
 * The lease is on the file, not on the name, under which somebody may just have made another. So
 * the name is changed first, if the filesystem can do that (mqueue can't), and looked at again.
 */
static int remove_file(const struct lease_removal *removal)
{
	char name[48];
	struct stat attr;

	snprintf(name, sizeof(name), ".ipcfs-reap-%d", gettid());
	if (renameat2(removal->dir_fd, removal->name, removal->dir_fd, name, RENAME_NOREPLACE) < 0)
		return unlinkat(removal->dir_fd, removal->name, 0) < 0 ? -errno : 0;
	if (fstatat(removal->dir_fd, name, &attr, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (attr.st_ino == removal->ino)
		return unlinkat(removal->dir_fd, name, 0) < 0 ? -errno : 0;
	renameat2(removal->dir_fd, name, removal->dir_fd, removal->name, RENAME_NOREPLACE);
	return -ESTALE;
}

static void *unlink_name(void *data)
{
	struct unlinking *unlinking = data;
	const struct lease_removal *removal = unlinking->removal;

	unlinking->result = unlinkat(removal->dir_fd, removal->name, 0) < 0 ? -errno : 0;
	unlinking->is_done = true;
	return NULL;
}

/*
 * mq_open(3) waits for a lease with its directory locked (linux/ipc/mqueue.c, do_mq_open), and
 * unlink(2) waits for that lock. So a thread of its own unlinks, and the lease goes as soon as
 * somebody waits.
 */
static int remove_queue(const struct lease_removal *removal, int fd)
{
	const struct timespec again = {.tv_nsec = LOOK_AGAIN};
	struct unlinking unlinking = {.removal = removal};
	pthread_t thread;
	int r = pthread_create(&thread, NULL, unlink_name, &unlinking);

	if (r != 0)
		return -r;
	while (!unlinking.is_done) {
		if (fcntl(fd, F_GETLEASE) != F_WRLCK)
			fcntl(fd, F_SETLEASE, F_UNLCK);
		nanosleep(&again, NULL);
	}
	pthread_join(thread, NULL);
	return unlinking.result;
}

static bool is_queue(int fd)
{
	struct statfs attr;

	return fstatfs(fd, &attr) == 0 && attr.f_type == MQUEUE_MAGIC;
}

static int removal_act(void *data)
{
	const struct lease_removal *removal = data;
	CLEANUP_FD int fd = openat(removal->dir_fd, removal->name, OPEN_FLAGS);
	bool has_lease;
	int r;

	if (fd < 0)
		return errno == EAGAIN ? -EBUSY : -errno;
	r = lease_take(fd);
	has_lease = r == 0;
	if (r == 0 || lease_is_impossible(r)) /* then the scan that was made must do */
		r = check_file(removal, fd);
	if (r == 0 && has_lease && fcntl(fd, F_GETLEASE) != F_WRLCK)
		r = -EBUSY; /* somebody waits to open it */
	if (r < 0)
		return r;
	return has_lease && is_queue(fd) ? remove_queue(removal, fd) : remove_file(removal);
}

int lease_remove(struct space *space, const char *name, ino_t ino, const struct timespec *before,
		 struct caller *caller)
{
	struct lease_removal removal;

	memset(&removal, 0, sizeof(removal)); /* job_run() compares all of it */
	removal.dir_fd = space->dir_fd;
	removal.ino = ino;
	removal.before = *before;
	snprintf(removal.name, sizeof(removal.name), "%s", name);
	return job_run(space->host, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = removal_act,
					  .data = &removal,
					  .size = sizeof(removal)});
}
