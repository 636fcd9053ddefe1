// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Removes a file that was made for a caller that no longer waits for it. Removing takes the
 * directory's lock, just as making did, so it is a job too. Nobody waits for that job, so it brings
 * its own waiter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/posix/region.h"

struct unmaking {
	struct waiter waiter;
	struct host *host;
	struct caller caller;
	struct region_made made;
};

static int unmake_act(void *data)
{
	const struct region_made *made = data;
	struct stat attr, found;
	int r = 0;

	if (fstat(made->fd, &attr) == 0 &&
	    fstatat(made->dir_fd, made->name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    attr.st_ino == found.st_ino && unlinkat(made->dir_fd, made->name, 0) < 0)
		r = -errno;
	close(made->fd);
	return r;
}

static int unmaking_run(struct unmaking *unmaking)
{
	return job_run(unmaking->host, &unmaking->caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = unmake_act,
					  .data = &unmaking->made,
					  .size = sizeof(unmaking->made)});
}

static void unmaking_free(struct unmaking *unmaking)
{
	waiter_fini(&unmaking->waiter);
	caller_fini(&unmaking->caller);
	free(unmaking);
}

/* The job is done, or the mount ends. */
static void unmaking_resume(struct waiter *waiter)
{
	unmaking_free(CONTAINER_OF(waiter, struct unmaking, waiter));
}

void region_unmake(struct host *host, struct caller *caller, const struct region_made *made)
{
	struct unmaking *unmaking = calloc(1, sizeof(*unmaking));

	if (unmaking && caller_copy(&unmaking->caller, caller) == 0) {
		unmaking->waiter.resume = unmaking_resume;
		unmaking->caller.waiter = &unmaking->waiter;
		unmaking->host = host;
		unmaking->made = *made;
		if (unmaking_run(unmaking) == -EINPROGRESS)
			return;
	}
	host_close(host, caller->uid, made->fd);
	if (unmaking)
		unmaking_free(unmaking);
}
