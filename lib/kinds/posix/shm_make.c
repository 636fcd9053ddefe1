// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/posix/shm_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

void shm_making_init(struct shm_making *making, struct space *space, const char *name, mode_t mode)
{
	memset(making, 0, sizeof(*making)); /* job_run() compares all of it */
	making->dir_fd = space->dir_fd;
	making->mode = mode;
	making->is_served = !features_has(&space->host->features, FEATURE_PASSTHROUGH);
	making->fd = -1;
	named_path(named_space_from(space), name, making->name);
}

static int make(void *data)
{
	struct shm_making *making = data;
	CLEANUP_FD int fd =
		openat(making->dir_fd, making->name,
		       O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, making->mode);
	int r = 0;

	if (fd < 0)
		return -errno;
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

static int unmake(void *data)
{
	struct shm_making *making = data;
	struct stat made, found;
	int r = 0;

	if (fstat(making->fd, &made) == 0 &&
	    fstatat(making->dir_fd, making->name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    made.st_ino == found.st_ino && unlinkat(making->dir_fd, making->name, 0) < 0)
		r = -errno;
	close(making->fd);
	return r;
}

/* What takes away again, with nobody to wait for it. */
struct shm_undoing {
	struct waiter waiter;
	struct host *host;
	struct caller caller;
	struct shm_making making;
};

static int undoing_run(struct shm_undoing *undoing)
{
	return job_run(undoing->host, &undoing->caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = unmake,
					  .data = &undoing->making,
					  .size = sizeof(undoing->making)});
}

static void undoing_free(struct shm_undoing *undoing)
{
	waiter_fini(&undoing->waiter);
	caller_fini(&undoing->caller);
	free(undoing);
}

/* Done; or the mount ends. */
static void undoing_resume(struct waiter *waiter)
{
	undoing_free(CONTAINER_OF(waiter, struct shm_undoing, waiter));
}

static void undo(struct host *host, struct caller *caller, void *data)
{
	const struct shm_making *making = data;
	struct shm_undoing *undoing = calloc(1, sizeof(*undoing));

	if (undoing && caller_copy(&undoing->caller, caller) == 0) {
		undoing->waiter.resume = undoing_resume;
		undoing->caller.waiter = &undoing->waiter;
		undoing->host = host;
		undoing->making = *making;
		if (undoing_run(undoing) == -EINPROGRESS)
			return;
	}
	host_close(host, caller->uid, making->fd);
	if (undoing)
		undoing_free(undoing);
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
