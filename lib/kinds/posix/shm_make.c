// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A region that can't be given its size is removed again in the same job, still as the caller.
 */
#include "lib/kinds/posix/shm_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

void shm_making_init(struct shm_making *making, struct space *space, const char *name, mode_t mode)
{
	memset(making, 0, sizeof(*making)); /* job_run() compares all of it */
	making->dir_fd = space->dir_fd;
	making->mode = mode;
	making->is_served = !features_has(&space->host->features, FEATURE_PASSTHROUGH);
	making->fd = -1;
	making->note = journal_note_of(space->host);
	named_path(named_space_from(space), name, making->name);
}

/* Opens what the former daemon has made for the same request. */
static int open_made(const struct shm_making *making)
{
	CLEANUP_FD int fd =
		openat(making->dir_fd, making->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat attr;

	if (fd < 0 || fstat(fd, &attr) < 0 || !S_ISREG(attr.st_mode) ||
	    !journal_has_noted(&making->note, attr.st_ino))
		return -EEXIST;
	return TAKE_FD(fd);
}

/* Returns a descriptor or -errno. */
static int open_new(const struct shm_making *making)
{
	int fd = openat(making->dir_fd, making->name,
			O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, making->mode);
	struct stat attr;

	if (fd < 0)
		return errno == EEXIST && journal_has_noted(&making->note, 0) ? open_made(making)
									      : -errno;
	if (fstat(fd, &attr) == 0)
		journal_note(&making->note, attr.st_ino);
	return fd;
}

static int make(void *data)
{
	struct shm_making *making = data;
	CLEANUP_FD int fd = open_new(making);
	int r = 0;

	if (fd < 0)
		return fd;
	if (making->size && ftruncate(fd, making->size) < 0)
		r = -errno;
	else if (making->is_served)
		making->fd = TAKE_FD(fd);
	else
		r = making->fd = region_reopen(fd, O_PATH);
	/* Still as the caller: by now the name may belong to someone else. */
	if (r < 0)
		unlinkat(making->dir_fd, making->name, 0);
	return r < 0 ? r : 0;
}

static void undo(struct host *host, struct caller *caller, void *data)
{
	const struct shm_making *making = data;
	struct region_made made = {.dir_fd = making->dir_fd, .fd = making->fd};

	strcpy(made.name, making->name);
	region_unmake(host, caller, &made);
}

int shm_make(struct space *space, struct caller *caller, struct shm_making *making)
{
	return region_run(space, caller,
			  &(struct job_call){.place = JOB_THREAD,
					     .act = make,
					     .undo = undo,
					     .data = making,
					     .size = sizeof(*making)});
}
