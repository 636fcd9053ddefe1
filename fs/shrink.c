// SPDX-License-Identifier: GPL-2.0-or-later
/* A remount by fspick(2) and fsconfig(2), on a worker, if the path still leads to this mount. */
#include "fs/shrink.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs/session.h"
#include "lib/base/cleanup.h"

/* The least time between two remounts, microseconds. */
#define SHRINK_PAUSE 100000

/* Whether the mount point still leads to our mount. */
static bool is_ours(const struct session *session)
{
	struct statx attr;

	return statx(AT_FDCWD, session->options->mount_point, AT_STATX_DONT_SYNC, STATX_INO,
		     &attr) == 0 &&
	       makedev(attr.stx_dev_major, attr.stx_dev_minor) == session->host.dev;
}

static void shrink_work(struct worker_task *task)
{
	const struct shrink *shrink = CONTAINER_OF(task, struct shrink, task);
	CLEANUP_FD int fd = -1;

	if (!is_ours(shrink->session))
		return;
	fd = fspick(AT_FDCWD, shrink->session->options->mount_point,
		    FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
	/* If this fails the user will be refused more names. */
	if (fd >= 0 && fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return;
}

static void shrink_done(struct worker_task *task)
{
	CONTAINER_OF(task, struct shrink, task)->is_running = false;
}

void shrink_begin(struct session *session, uid_t uid)
{
	struct shrink *shrink = &session->shrink;
	uint64_t now = lock_time_now();

	if (shrink->is_running || now < shrink->last + SHRINK_PAUSE || !session->host.workers)
		return;
	shrink->session = session;
	shrink->task = (struct worker_task){.work = shrink_work, .done = shrink_done, .owner = uid};
	shrink->is_running = workers_submit(session->host.workers, &shrink->task) == 0;
	shrink->last = now;
}
