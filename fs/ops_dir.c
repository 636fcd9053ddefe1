// SPDX-License-Identifier: GPL-2.0-or-later
/* LOOKUP, and the requests that make, remove and rename objects. */
#include "fs/ops.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/inode.h"
#include "fs/names.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/show.h"
#include "fs/step.h"
#include "fs/way.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"

void op_reply_inode(fuse_req_t req, struct inode *inode)
{
	struct session *session = fuse_req_userdata(req);
	struct fuse_entry_param entry;
	int r = inode_entry(inode, &entry);

	/* The object has gone since the lookup, so the name is reported as missing. */
	if (r < 0)
		reply_result(req, r == -ESTALE ? -ENOENT : r);
	if (r < 0 || !reply_entry(req, &entry))
		inode_forget(session, inode, 1);
}

/*
 * Finds an inode by its number, for a LOOKUP of ".". open_by_handle_at(2) sends that for an inode
 * that the kernel does not know.
 */
static int find_self(fuse_req_t req, const struct step *step, struct inode **ret_inode)
{
	struct inode *inode = inode_from(fuse_req_userdata(req), step->ino);

	if (!inode)
		return -ESTALE;
	inode->record->n_lookups++;
	inode->record->looked = ((struct session *)fuse_req_userdata(req))->host.journal->request;
	*ret_inode = inode;
	return 0;
}

static int find(fuse_req_t req, const struct step *step, struct caller *caller,
		struct inode **ret_inode)
{
	struct session *session = fuse_req_userdata(req);
	struct space *space;
	struct found found;
	int r = inode_space(session, step->ino, &space);

	if (r == 0)
		r = space_lookup(space, step->name, caller, &found.entry, &found.selector);
	if (r == 0)
		r = inode_get(session, &found, caller, ret_inode);
	if (r < 0)
		return r;
	way_note(session, *ret_inode, step->ino, step->name);
	r = inode_link(*ret_inode, step->name);
	if (r < 0)
		inode_forget(session, *ret_inode, 1);
	return r;
}

/* A FIFO or socket must be ready before the kernel learns of it. */
static void reply_found(fuse_req_t req, const struct step *step, struct inode *inode)
{
	if (inode_is_node(inode))
		show_begin(req, step, inode);
	else
		op_reply_inode(req, inode);
}

static void reply_looked_up(fuse_req_t req, const struct step *step, struct inode *inode)
{
	show_was_told(req, step); /* if the sender was told to look again, it now has */
	reply_found(req, step, inode);
}

static void take_lookup(fuse_req_t req, const struct step *step, struct caller *caller)
{
	bool is_self = strcmp(step->name, ".") == 0;
	struct inode *inode = NULL;
	int r = is_self ? find_self(req, step, &inode) : find(req, step, caller, &inode);

	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0)
		reply_result(req, r);
	else if (is_self)
		op_reply_inode(req, inode);
	else
		reply_looked_up(req, step, inode);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	step_begin(req, &(struct step){
				.take = take_lookup, .ino = parent, .name = name, .shares = true});
}

int op_exists(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct space *space;
	struct selector selector;
	struct entry entry;
	int r = inode_space(fuse_req_userdata(req), step->ino, &space);

	if (r == 0)
		r = space_lookup(space, step->name, caller, &entry, &selector);
	if (r == 0)
		entry_unref(&entry);
	return r;
}

int op_make(fuse_req_t req, const struct step *step, struct caller *caller,
	    struct inode **ret_inode)
{
	struct session *session = fuse_req_userdata(req);
	struct space *space;
	struct found found = {0};
	int r = inode_space(session, step->ino, &space);

	/* Checked first: an object that got no inode would stay, although the call failed. */
	if (r == 0)
		r = names_check(session, caller->uid);
	if (r == 0)
		r = space_create(space, step->name, step->mode, NULL, caller, &found.entry,
				 &found.selector);
	if (r == 0)
		r = inode_get(session, &found, caller, ret_inode);
	if (r == 0)
		way_note(session, *ret_inode, step->ino, step->name);
	return r;
}

/* Whether a former daemon may have done what the request asks for, and then died. */
static bool is_again(fuse_req_t req)
{
	const struct session *session = fuse_req_userdata(req);

	return session->host.journal->is_again;
}

/*
 * The kind knows what the former daemon has made for this request, and noted. If that was killed
 * before the note, nobody can tell whether the object is another's. So the caller is asked to try
 * once more.
 */
int op_settle_made(fuse_req_t req, int result)
{
	return result == -EEXIST && is_again(req) ? -EINTR : result;
}

static void take_mknod(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct inode *inode = NULL;
	int r = op_make(req, step, caller, &inode);

	if (step_waits(req, &r, step, caller))
		return;
	r = op_settle_made(req, r);
	if (r == 0 && S_ISREG(step->mode) && inode_is_node(inode)) {
		r = show_as_regular(inode);
		if (r < 0)
			inode_forget(fuse_req_userdata(req), inode, 1);
	}
	if (r < 0)
		reply_result(req, r);
	else
		reply_found(req, step, inode);
}

mode_t op_masked(fuse_req_t req, fuse_ino_t parent, mode_t mode)
{
	struct space *space;

	if (inode_space(fuse_req_userdata(req), parent, &space) == 0 && space_inherits(space))
		return mode;
	return mode & ~fuse_req_ctx(req)->umask;
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	step_begin(req, &(struct step){.take = take_mknod,
				       .ino = parent,
				       .name = name,
				       .mode = op_masked(req, parent, mode)});
}

/*
 * Notes that the request takes a name away, and returns whether the former daemon had begun to. Of
 * names that the daemon keeps, lib/channel/kept_names.c itself knows more exactly; and a job that
 * has been done since (the step has a waiter) knows of the former daemon's job.
 */
static bool begin_unnaming(const struct session *session, const struct space *space,
			   const struct caller *caller)
{
	struct journal *journal = session->host.journal;
	bool has_begun = journal->is_again && journal->unnamed == journal->request;

	if (space->is_own || caller->waiter)
		return false;
	journal->unnamed = journal->request;
	STATE_ORDER();
	return has_begun;
}

static void take_unlink(fuse_req_t req, const struct step *step, struct caller *caller)
{
	const struct session *session = fuse_req_userdata(req);
	struct space *space;
	bool has_begun = false;
	int r = inode_space(session, step->ino, &space);

	if (r == 0) {
		has_begun = begin_unnaming(session, space, caller);
		r = space_remove(space, step->name, caller);
	}
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r == -ENOENT && has_begun ? 0 : r);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	step_begin(req, &(struct step){.take = take_unlink, .ino = parent, .name = name});
}

static void take_rename(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct session *session = fuse_req_userdata(req);
	struct space *space, *new_space;
	bool has_begun = false;
	int r = inode_space(session, step->ino, &space);

	if (r == 0)
		r = inode_space(session, step->new_ino, &new_space);
	/* Not EXDEV: mv(1) would then begin to copy, and consume bytes that it can't put back. */
	if (r == 0 && space != new_space)
		r = -EPERM;
	if (r == 0) {
		has_begun = begin_unnaming(session, space, caller);
		r = space_rename(space, step->name, step->new_name, step->flags, caller);
	}
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r == -ENOENT && has_begun ? 0 : r);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned flags)
{
	step_begin(req, &(struct step){.take = take_rename,
				       .ino = parent,
				       .name = name,
				       .new_ino = new_parent,
				       .new_name = new_name,
				       .flags = flags});
}
