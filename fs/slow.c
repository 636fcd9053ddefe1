// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/slow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/reply.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"

int slow_allocate(struct slow *slow)
{
	return fallocate(slow->fd, slow->mode, slow->offset, slow->length) < 0 ? -errno : 0;
}

int slow_truncate(struct slow *slow)
{
	return ftruncate(slow->fd, slow->length) < 0 ? -errno : 0;
}

static void slow_work(struct worker_task *job)
{
	struct slow *slow = CONTAINER_OF(job, struct slow, job);

	slow->result = slow->call(slow);
	/* Here, not on the loop: it may be the last one, and then this frees the pages. */
	close(slow->fd);
}

static void slow_done(struct worker_task *job)
{
	struct slow *slow = CONTAINER_OF(job, struct slow, job);

	user_uncharge(&slow->session->host.users, fuse_req_ctx(slow->req)->uid, USER_HELD, 1);
	slow->done(slow, slow->result);
	free(slow);
}

static int slow_submit(const struct slow *from)
{
	struct session *session = fuse_req_userdata(from->req);
	struct user_table *users = &session->host.users;
	uid_t uid = fuse_req_ctx(from->req)->uid;
	CLEANUP_FREE struct slow *slow = malloc(sizeof(*slow));
	int r;

	if (!slow)
		return -ENOMEM;
	*slow = *from;
	slow->session = session;
	slow->job = (struct worker_task){.work = slow_work, .done = slow_done};
	r = user_charge(users, uid, USER_HELD, 1);
	if (r < 0)
		return r;
	r = workers_submit(session->host.workers, &slow->job);
	if (r < 0) {
		user_uncharge(users, uid, USER_HELD, 1);
		return r == -EAGAIN ? -ENOBUFS : r;
	}
	TAKE_PTR(slow);
	return 0;
}

void slow_start(const struct slow *slow)
{
	int r = slow_submit(slow);

	if (r < 0) {
		close(slow->fd);
		reply_result(slow->req, r);
	}
}
