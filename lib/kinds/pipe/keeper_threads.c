// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the keeper has threads do behind the backs of users.
 */
#include "lib/kinds/pipe/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/*
 * Half of the threads that the user may have: what is done behind a user's back is not to keep the
 * next look-up from getting one.
 */
int keeper_start(struct host *host, uid_t uid, struct worker_task *task)
{
	size_t most = host->users.limits[USER_SLEEPS] / 2;

	if (user_charged(&host->users, uid, USER_SLEEPS) >= most)
		return -ENOBUFS;
	return host_sleep(host, host->walkers, uid, task);
}

/* A descriptor that a thread closes. */
struct end_closing {
	struct worker_task task;
	struct host *host;
	uid_t uid;
	int fd;
	bool is_charged;
};

static void closing_work(struct worker_task *task)
{
	close(CONTAINER_OF(task, struct end_closing, task)->fd);
}

static void closing_done(struct worker_task *task)
{
	struct end_closing *closing = CONTAINER_OF(task, struct end_closing, task);

	if (closing->is_charged)
		host_slept(closing->host, closing->uid);
	free(closing);
}

static int closing_start(struct end_closing *closing)
{
	struct host *host = closing->host;

	closing->is_charged = keeper_start(host, closing->uid, &closing->task) == 0;
	if (closing->is_charged)
		return 0;
	closing->task.owner = closing->uid;
	return host->workers ? workers_submit(host->workers, &closing->task) : -EAGAIN;
}

/* Not by host_close(), which looks at what it closes: here that would ask the mount. */
void keeper_close(struct host *host, uid_t uid, int fd)
{
	struct end_closing *closing = malloc(sizeof(*closing));

	if (closing) {
		*closing =
			(struct end_closing){.task = {.work = closing_work, .done = closing_done},
					     .host = host,
					     .uid = uid,
					     .fd = fd};
		if (closing_start(closing) == 0)
			return;
	}
	free(closing);
	close(fd);
}

void keeper_drop(struct keeper *keeper, uid_t uid, const struct ends_opening *opening)
{
	struct fifo_hold *hold;

	HASH_FIND_INT(keeper->watched, &opening->watch, hold);
	if (!hold)
		inotify_rm_watch(keeper->inotify.fd, opening->watch);
	keeper_close(keeper->host, uid, opening->read_fd);
	if (opening->write_fd >= 0)
		keeper_close(keeper->host, uid, opening->write_fd);
}
