// SPDX-License-Identifier: GPL-2.0-or-later
/* Open directories: READDIR, and READDIRPLUS where it pays. */
#include "fs/ops.h"

#include <errno.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inode.h"
#include "fs/listing.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"
#include "lib/channel/blank.h"

/*
 * Returns the open directory with the number in `fi`. If there is none, answers -EBADF and returns
 * NULL.
 */
static struct listing *op_listing(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct listing *listing = slots_object(&session->listings, fi->fh);

	if (!listing)
		reply_result(req, -EBADF);
	return listing;
}

/*
 * Opens a directory. If a job has to make its entries, that is done now: during READDIR the kernel
 * holds the directory's lock.
 */
static int listing_open(fuse_req_t req, const struct step *step, struct caller *caller,
			struct listing **ret_listing)
{
	struct listing *listing;
	int r = listing_new(req, step->ino, &listing);

	if (r < 0)
		return r;
	if (listing->space->ops->lists_by_job) {
		r = listing_make(listing, req, caller);
		listing->is_unread = true;
		listing->error = r;
		listing_save(listing);
	}
	if (job_is_awaited(r)) {
		listing_free(fuse_req_userdata(req), listing);
		return r;
	}
	*ret_listing = listing;
	return 0;
}

static void take_opendir(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct fuse_file_info fi = step->fi;
	struct listing *listing = NULL;
	int r = listing_open(req, step, caller, &listing);

	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	fi.fh = listing->record->fh;
	if (fuse_reply_open(req, &fi) < 0)
		listing_free(fuse_req_userdata(req), listing);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_opendir, .ino = ino, .fi = *fi});
}

/* Makes the entries, unless they have been made for this reader. May have to wait. */
static int listing_begin(struct listing *listing, fuse_req_t req, const struct step *step,
			 struct caller *caller)
{
	if (listing->is_made && (step->offset != 0 || listing->is_unread)) {
		listing->is_unread = false;
		listing_save(listing);
		return listing->error;
	}
	return listing_make(listing, req, caller);
}

static void take_readdir(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct listing *listing = op_listing(req, &step->fi);
	size_t first = (size_t)step->offset;
	size_t start, end;
	int r;

	if (!listing)
		return;
	r = listing_begin(listing, req, step, caller);
	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0 || first >= listing->n_entries) {
		reply_data(req, NULL, r);
		return;
	}
	start = end = listing->starts[first];
	for (size_t i = first; i < listing->n_entries; i++) {
		size_t next = listing_end(listing, i);

		if (next - start > step->size)
			break;
		end = next;
	}
	reply_data(req, listing->entries + start, (ssize_t)(end - start));
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_readdir,
				       .ino = ino,
				       .size = size,
				       .offset = offset,
				       .fi = *fi,
				       .locks = true,
				       .shares = true});
}

/*
 * Returns the inode found under the name, counted as looked up; NULL if the kernel should not
 * remember it.
 */
static struct inode *find_listed(fuse_req_t req, struct space *space, const char *name,
				 struct fuse_entry_param *ret_entry)
{
	struct session *session = fuse_req_userdata(req);
	struct caller caller = op_caller(req);
	struct found found;
	struct inode *inode;
	int r = -ENOENT;

	if (space->is_own)
		r = space_lookup(space, name, &caller, &found.entry, &found.selector);
	if (r == 0)
		r = inode_get_listed(session, &found, &caller, &inode);
	if (r < 0) {
		caller_fini(&caller);
		return NULL;
	}
	r = inode_entry_listed(inode, ret_entry);
	/* A node that is not ready needs a LOOKUP before it is used. */
	if (r == 0 && inode_is_node(inode) &&
	    channel_show(inode->entry.channel, inode->record->nodeid, &caller) < 0)
		ret_entry->entry_timeout = 0;
	caller_fini(&caller);
	if (r < 0) {
		inode_forget(session, inode, 1);
		inode = NULL;
	}
	return inode;
}

/* Adds entry `i` with its attributes. Returns the number of bytes, 0 if they exceed `room`. */
static size_t listing_add_plus(struct listing *listing, fuse_req_t req, size_t i, char *buffer,
			       size_t room)
{
	const struct fuse_dirent *dirent = (const void *)(listing->entries + listing->starts[i]);
	struct fuse_entry_param entry = {
		.attr = {.st_ino = dirent->ino, .st_mode = (mode_t)dirent->type << 12},
	};
	char name[NAME_MAX + 1];

	memcpy(name, dirent->name, dirent->namelen);
	name[dirent->namelen] = '\0';
	if (fuse_add_direntry_plus(req, NULL, 0, name, NULL, 0) > room)
		return 0;
	if (!find_listed(req, listing->space, name, &entry))
		entry.ino = 0;
	return fuse_add_direntry_plus(req, buffer, room, name, &entry, (off_t)i + 1);
}

/* The kernel has not received these entries: forgets the lookups that were counted for them. */
static void forget_plus(struct session *session, const char *buffer, size_t size)
{
	for (size_t done = 0; done < size;) {
		const struct fuse_direntplus *plus = (const void *)(buffer + done);

		if (plus->entry_out.nodeid)
			inode_forget(session, inode_from(session, plus->entry_out.nodeid), 1);
		done += FUSE_DIRENTPLUS_SIZE(plus);
	}
}

/*
 * Lists entries with their attributes, for readers that ask for those next, as ls -l does. This
 * pays only for names that nobody but the daemon makes or removes: the kernel must not remember any
 * other name, not even until the reader asks for its attributes.
 */
static void take_readdirplus(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct session *session = fuse_req_userdata(req);
	struct listing *listing = op_listing(req, &step->fi);
	size_t done = 0, n;
	int r;

	if (!listing)
		return;
	r = listing_begin(listing, req, step, caller);
	if (step_waits(req, &r, step, caller))
		return;
	if (r == 0)
		r = host_reserve(&session->host, step->size);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	for (size_t i = (size_t)step->offset; i < listing->n_entries; i++) {
		n = listing_add_plus(listing, req, i, session->host.scratch + done,
				     step->size - done);
		if (n == 0)
			break;
		done += n;
	}
	blank_used(&session->host, done);
	if (!reply_data(req, session->host.scratch, (ssize_t)done))
		forget_plus(session, session->host.scratch, done);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_readdirplus,
				       .ino = ino,
				       .size = size,
				       .offset = offset,
				       .fi = *fi,
				       .locks = true,
				       .shares = true});
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = op_listing(req, fi);

	if (!listing)
		return;
	listing_free(fuse_req_userdata(req), listing);
	reply_result(req, 0);
}
