// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A node's inode is counted before the kernel learns of it. So if the step is given up, it forgets
 * the inode.
 */
#include "fs/show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"
#include "lib/base/cleanup.h"

static uint32_t hash(const char *name)
{
	uint32_t value = 2166136261U; /* FNV-1a */

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * 16777619U;
	return value;
}

static struct show_told told_of(fuse_req_t req, const struct step *step)
{
	return (struct show_told){fuse_req_ctx(req)->pid, step->ino, hash(step->name)};
}

bool show_was_told(fuse_req_t req, const struct step *step)
{
	struct session *session = fuse_req_userdata(req);
	struct show_told told;

	if (session->n_told == 0)
		return false;
	told = told_of(req, step);
	for (unsigned i = 0; i < SHOW_TOLD_MOST; i++) {
		struct show_told *one = &session->told[i];

		if (told.pid == 0 || one->pid != told.pid || one->directory != told.directory ||
		    one->name != told.name)
			continue;
		*one = (struct show_told){0};
		session->n_told--;
		return true;
	}
	return false;
}

static void tell(fuse_req_t req, const struct step *step)
{
	struct session *session = fuse_req_userdata(req);
	struct show_told *oldest = &session->told[session->next_told++ % SHOW_TOLD_MOST];

	session->n_told += oldest->pid == 0;
	*oldest = told_of(req, step);
}

int show_as_regular(struct inode *inode)
{
	struct channel *channel = inode->entry.channel, *door;
	int r = channel_door(channel, O_RDWR, &door);

	if (r == 0)
		channel_unref(door);
	return r;
}

/*
 * An inode with a counted lookup that the kernel does not have yet. It is forgotten if the request
 * is given up.
 */
struct counted {
	struct session *session;
	fuse_ino_t nodeid;
};

static void forget(struct session *session, fuse_ino_t nodeid)
{
	inode_forget(session, inode_from(session, nodeid), 1);
}

static void forget_counted(void *memory)
{
	struct counted *counted = memory;

	forget(counted->session, counted->nodeid);
	free(counted);
}

/* From now until settle(), a held step that is given up forgets the inode. Fails with -ENOMEM. */
static int remember(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct counted *counted;

	if (!caller->waiter || caller->waiter->memory)
		return 0;
	counted = malloc(sizeof(*counted));
	if (!counted)
		return -ENOMEM;
	*counted = (struct counted){fuse_req_userdata(req), step->new_ino};
	caller->waiter->memory = counted;
	caller->waiter->forget = forget_counted;
	return 0;
}

static void settle(struct caller *caller)
{
	if (caller->waiter)
		free(TAKE_PTR(caller->waiter->memory));
}

/* Opens the door for a CREATE with O_EXCL, and answers with its inode and handle. */
static void take_door(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode = inode_from(session, step->new_ino);
	struct fuse_file_info fi = step->fi;
	struct handle *handle = NULL;
	int r = remember(req, step, caller);

	if (r == 0)
		r = handle_new(req, inode, fi.flags & ~O_TRUNC, caller, &handle);
	if (step_waits(req, &r, step, caller))
		return;
	settle(caller);
	if (r == 0)
		r = op_reply_made(req, inode, handle, &fi);
	if (r < 0) {
		forget(session, step->new_ino);
		reply_result(req, r);
	}
}

static int door_get(fuse_req_t req, const struct step *step, struct caller *caller,
		    struct inode **ret_door)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode = inode_from(session, step->new_ino);
	struct found found = {0};
	int r = channel_door(inode->entry.channel, step->fi.flags, &found.entry.channel);

	return r < 0 ? r : inode_get(session, &found, caller, ret_door);
}

static void answer_create(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct step next = *step;
	struct inode *door = NULL;
	int r = step->fi.flags & O_EXCL ? door_get(req, step, caller, &door) : -ESTALE;

	if (r == -ESTALE)
		tell(req, step);
	forget(fuse_req_userdata(req), step->new_ino);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	next.take = take_door;
	next.new_ino = door->record->nodeid;
	step_begin(req, &next);
}

static void take_show(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode = inode_from(session, step->new_ino);
	int r = remember(req, step, caller);

	if (r == 0)
		r = channel_show(inode->entry.channel, step->new_ino, caller);
	if (step_waits(req, &r, step, caller))
		return;
	settle(caller);
	if (r < 0) {
		forget(session, step->new_ino);
		reply_result(req, r);
	} else if (step->has_fi) {
		answer_create(req, step, caller);
	} else {
		op_reply_inode(req, inode);
	}
}

void show_begin(fuse_req_t req, const struct step *step, struct inode *inode)
{
	step_begin(req, &(struct step){.take = take_show,
				       .ino = step->ino,
				       .name = step->name,
				       .new_ino = inode->record->nodeid,
				       .fi = step->fi,
				       .has_fi = step->has_fi,
				       .shares = step->shares});
}
