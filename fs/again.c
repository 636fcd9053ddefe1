// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/again.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/reply.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"

struct held_again {
	struct host_waiter waiter;
	struct session *session;
	fuse_req_t req;
	uid_t uid; /* whom it is charged to */
	struct again again;
	struct fuse_file_info fi;
	struct held_again *prev, *next; /* session::held_again */
	char name[];
};

/* Takes it off all lists; the request is the caller's again. */
static fuse_req_t held_take(struct held_again *held)
{
	host_unwait(&held->session->host, &held->waiter);
	DL_DELETE(held->session->held_again, held);
	user_uncharge(&held->session->host.users, held->uid, USER_HELD, 1);
	return held->req;
}

static void held_interrupt(fuse_req_t req, void *data)
{
	reply_result(held_take(data), -EINTR);
	free(data);
}

static void held_run(struct host_waiter *waiter)
{
	struct held_again *held = CONTAINER_OF(waiter, struct held_again, waiter);
	fuse_req_t req = held_take(held);

	fuse_req_interrupt_func(req, NULL, NULL);
	held->again.begin(req, &held->again);
	free(held);
}

static int held_new(struct session *session, uid_t uid, const struct again *again,
		    struct held_again **ret_held)
{
	size_t name_size = again->name ? strlen(again->name) + 1 : 0;
	CLEANUP_FREE struct held_again *held = calloc(1, sizeof(*held) + name_size);
	int r;

	if (session->is_ending)
		return -ENOTCONN;
	if (!held)
		return -ENOMEM;
	r = user_charge(&session->host.users, uid, USER_HELD, 1);
	if (r < 0)
		return r;
	held->session = session;
	held->uid = uid;
	held->again = *again;
	if (again->name)
		held->again.name = memcpy(held->name, again->name, name_size);
	if (again->fi) {
		held->fi = *again->fi;
		held->again.fi = &held->fi;
	}
	*ret_held = TAKE_PTR(held);
	return 0;
}

void again_hold(fuse_req_t req, const struct again *again)
{
	struct session *session = fuse_req_userdata(req);
	struct held_again *held;
	int r = held_new(session, fuse_req_ctx(req)->uid, again, &held);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	held->waiter.run = held_run;
	held->req = req;
	DL_APPEND(session->held_again, held);
	host_wait(&session->host, &held->waiter);
	if (fuse_req_interrupted(req))
		held_interrupt(req, held);
	else
		fuse_req_interrupt_func(req, held_interrupt, held);
}

void again_end_all(struct session *session)
{
	while (session->held_again) {
		struct held_again *held = session->held_again;

		reply_result(held_take(held), -ENOTCONN);
		free(held);
	}
}
