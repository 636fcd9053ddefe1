// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/held_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "lib/cleanup.h"

struct held_make {
	struct host_waiter waiter;
	struct session *session;
	fuse_req_t req;
	uid_t uid; /* whom it is charged to */
	fuse_ino_t parent;
	mode_t mode;
	bool is_create;
	struct fuse_file_info fi;
	struct held_make *prev, *next; /* session::held_makes */
	char name[];
};

/* Takes it off all lists; the request is the caller's again. */
static fuse_req_t held_make_take(struct held_make *make)
{
	host_unwait(&make->session->host, &make->waiter);
	DL_DELETE(make->session->held_makes, make);
	user_uncharge(&make->session->host.users, make->uid, USER_HELD, 1);
	return make->req;
}

static void held_make_interrupt(fuse_req_t req, void *data)
{
	reply_result(held_make_take(data), -EINTR);
	free(data);
}

static void held_make_run(struct host_waiter *waiter)
{
	struct held_make *make = CONTAINER_OF(waiter, struct held_make, waiter);
	fuse_req_t req = held_make_take(make);

	fuse_req_interrupt_func(req, NULL, NULL);
	if (make->is_create)
		op_create(req, make->parent, make->name, make->mode, &make->fi);
	else
		op_mknod(req, make->parent, make->name, make->mode, 0);
	free(make);
}

static int held_make_prepare(struct session *session, uid_t uid, size_t name_size,
			     struct held_make **ret_make)
{
	CLEANUP_FREE struct held_make *make = calloc(1, sizeof(*make) + name_size);
	int r;

	if (session->is_ending)
		return -ENOTCONN;
	if (!make)
		return -ENOMEM;
	r = user_charge(&session->host.users, uid, USER_HELD, 1);
	if (r < 0)
		return r;
	make->session = session;
	make->uid = uid;
	*ret_make = TAKE_PTR(make);
	return 0;
}

void held_make_new(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		   const struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct held_make *make;
	int r = held_make_prepare(session, fuse_req_ctx(req)->uid, strlen(name) + 1, &make);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	make->waiter.run = held_make_run;
	make->req = req;
	make->parent = parent;
	make->mode = mode;
	make->is_create = fi != NULL;
	if (fi)
		make->fi = *fi;
	strcpy(make->name, name);
	DL_APPEND(session->held_makes, make);
	host_wait(&session->host, &make->waiter);
	if (fuse_req_interrupted(req))
		held_make_interrupt(req, make);
	else
		fuse_req_interrupt_func(req, held_make_interrupt, make);
}

void held_make_end_all(struct session *session)
{
	while (session->held_makes) {
		struct held_make *make = session->held_makes;

		reply_result(held_make_take(make), -ENOTCONN);
		free(make);
	}
}
