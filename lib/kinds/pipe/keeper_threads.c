// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Work that the keeper gives to threads, and that no user waits for.
 */
#include "lib/kinds/pipe/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"

#define CLOSES_MOST 256

/*
 * Takes at most half of the threads that the user may have: work in the background must not keep
 * the user's next lookup from getting a thread.
 */
int keeper_start(struct host *host, uid_t uid, struct worker_task *task)
{
	size_t most = host->users.limits[USER_LOCKS] / 2;

	if (user_charged(&host->users, uid, USER_LOCKS) >= most)
		return -ENOBUFS;
	return host_lock(host, uid, task);
}

/* A descriptor that a thread closes, or will close once a thread is free. */
struct end_closing {
	struct worker_task task;
	struct keeper *keeper;
	uid_t uid;
	int fd;
	struct end_closing *prev, *next; /* keeper::closings */
};

static void closing_work(struct worker_task *task)
{
	close(CONTAINER_OF(task, struct end_closing, task)->fd);
}

static void closing_done(struct worker_task *task)
{
	struct end_closing *closing = CONTAINER_OF(task, struct end_closing, task);

	host_locked(closing->keeper->host, closing->uid);
	free(closing);
}

/*
 * Does not use host_close(), which calls fstat(2) on the descriptor: the kernel would pass that on
 * to the mount, which is this daemon.
 */
void keeper_close(struct keeper *keeper, uid_t uid, int fd)
{
	struct end_closing *closing = keeper->host->lockers ? malloc(sizeof(*closing)) : NULL;

	if (!closing) {
		close(fd);
		return;
	}
	*closing = (struct end_closing){.task = {.work = closing_work, .done = closing_done},
					.keeper = keeper,
					.uid = uid,
					.fd = fd};
	if (keeper_start(keeper->host, uid, &closing->task) == 0)
		return;
	DL_APPEND(keeper->closings, closing);
	keeper_wind(keeper);
}

void keeper_close_pending(struct keeper *keeper)
{
	struct end_closing *closing, *next;
	unsigned n = 0;

	DL_FOREACH_SAFE(keeper->closings, closing, next) {
		if (n++ == CLOSES_MOST)
			break;
		DL_DELETE(keeper->closings, closing);
		if (keeper_start(keeper->host, closing->uid, &closing->task) < 0)
			DL_APPEND(keeper->closings, closing);
	}
}

void keeper_close_all(struct keeper *keeper)
{
	struct end_closing *closing, *next;

	DL_FOREACH_SAFE(keeper->closings, closing, next) {
		DL_DELETE(keeper->closings, closing);
		close(closing->fd);
		free(closing);
	}
}

void keeper_drop(struct keeper *keeper, uid_t uid, const struct ends_opening *opening)
{
	struct fifo_hold *hold;

	HASH_FIND_INT(keeper->watched, &opening->watch, hold);
	if (!hold)
		inotify_rm_watch(keeper->inotify.fd, opening->watch);
	keeper_close(keeper, uid, opening->read_fd);
	if (opening->write_fd >= 0)
		keeper_close(keeper, uid, opening->write_fd);
}
