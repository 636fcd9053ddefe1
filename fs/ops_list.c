// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/ops.h"

#include <errno.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"
#include "lib/base/cleanup.h"

/* An open directory: its entries as they were when reading began, ready for the kernel. */
struct listing {
	struct listing_record *record; /* in session::listings */
	struct space *space;           /* the kernel keeps its inode for as long as this is open */
	struct user_table *users;
	size_t n_charged;
	bool is_made, is_cut; /* cut: there was no memory for all of it */
	bool is_unread;       /* made when it was opened, for the first to read it */
	int error;            /* which that one then gets */
	char *entries;        /* struct fuse_dirent one after the other */
	size_t size, n_allocated;
	size_t *starts; /* of each entry; the kernel's offset N is "after entry N" */
	size_t n_entries, n_starts;
	fuse_req_t req; /* while it is being made */
};

/* NULL: there is none of that number, and the answer given: -EBADF. */
static struct listing *op_listing(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct listing *listing = slots_object(&session->listings, fi->fh);

	if (!listing)
		reply_result(req, -EBADF);
	return listing;
}

static void listing_clear(struct listing *listing)
{
	user_uncharge(listing->users, listing->record->uid, USER_BYTES, listing->n_charged);
	free(TAKE_PTR(listing->entries));
	free(TAKE_PTR(listing->starts));
	listing->n_charged = 0;
	listing->size = listing->n_allocated = 0;
	listing->n_entries = listing->n_starts = 0;
	listing->is_made = listing->is_cut = listing->is_unread = false;
	listing->error = 0;
}

static void listing_free(struct session *session, struct listing *listing)
{
	listing_clear(listing);
	user_uncharge(listing->users, listing->record->uid, USER_FILES, 1);
	slots_remove(&session->listings, listing->record->fh);
	free(listing);
}

/* Charges the user for `size` bytes more. */
static bool listing_charge(struct listing *listing, size_t size)
{
	if (user_charge(listing->users, listing->record->uid, USER_BYTES, size) < 0)
		return false;
	listing->n_charged += size;
	return true;
}

/* Makes room for one more entry of `size` bytes. */
static bool listing_grow(struct listing *listing, size_t size)
{
	if (listing->size + size > listing->n_allocated) {
		size_t n = listing->n_allocated + size + 4096;
		char *grown;

		if (!listing_charge(listing, n))
			return false;
		grown = realloc(listing->entries, listing->n_allocated + n);
		if (!grown)
			return false;
		listing->entries = grown;
		listing->n_allocated += n;
	}
	if (listing->n_entries == listing->n_starts) {
		size_t n = listing->n_starts + 64;
		size_t *grown;

		if (!listing_charge(listing, n * sizeof(*grown)))
			return false;
		grown = realloc(listing->starts, (listing->n_starts + n) * sizeof(*grown));
		if (!grown)
			return false;
		listing->starts = grown;
		listing->n_starts += n;
	}
	return true;
}

static bool listing_entry(struct listing *listing, const char *name, ino_t ino, mode_t mode)
{
	struct stat attr = {.st_ino = ino, .st_mode = mode};
	size_t size = fuse_add_direntry(listing->req, NULL, 0, name, NULL, 0);

	listing->is_cut = listing->is_cut || !listing_grow(listing, size);
	if (listing->is_cut)
		return false;
	listing->starts[listing->n_entries++] = listing->size;
	fuse_add_direntry(listing->req, listing->entries + listing->size, size, name, &attr,
			  (off_t)listing->n_entries);
	listing->size += size;
	return true;
}

/* Its objects are links here, as inode_link() has them. */
static bool has_links(const struct space *space)
{
	return space->link_dir && !features_has(&space->host->features, FEATURE_PASSTHROUGH);
}

/* A space_entry_fn. */
static bool listing_add(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct listing *listing = data;

	/* Nobody could ask for it, and who lists has no room for it. */
	if (strlen(name) > NAME_MAX)
		return true;
	/* Directories have their numbers from where they are, objects from what they are in. */
	if (!S_ISDIR(mode))
		ino = space_ino(listing->space, ino);
	if (S_ISREG(mode) && has_links(listing->space))
		mode = S_IFLNK;
	return listing_entry(listing, name, ino, mode);
}

static int listing_make(struct listing *listing, struct caller *caller)
{
	struct space *space = listing->space;
	int r;

	listing_entry(listing, ".", space->ino, S_IFDIR);
	listing_entry(listing, "..", space->ino, S_IFDIR);
	r = space_list(space, caller, listing_add, listing);
	if (job_is_awaited(r))
		return r;
	listing->is_made = true;
	return listing->is_cut ? -ENOBUFS : r;
}

static int listing_new(fuse_req_t req, fuse_ino_t ino, struct listing **ret_listing)
{
	struct session *session = fuse_req_userdata(req);
	CLEANUP_FREE struct listing *listing = calloc(1, sizeof(*listing));
	uid_t uid = fuse_req_ctx(req)->uid;
	uint64_t fh;
	int r;

	if (!listing)
		return -ENOMEM;
	listing->users = &session->host.users;
	r = inode_space(session, ino, &listing->space);
	if (r == 0)
		r = user_charge(listing->users, uid, USER_FILES, 1);
	if (r < 0)
		return r;
	r = slots_add(&session->listings, listing, &fh);
	if (r < 0) {
		user_uncharge(listing->users, uid, USER_FILES, 1);
		return r;
	}
	listing->record = slots_record(&session->listings, fh);
	*listing->record = (struct listing_record){.fh = fh, .nodeid = ino, .uid = uid};
	*ret_listing = TAKE_PTR(listing);
	return 0;
}

/*
 * What has to wait for its entries does so when it is opened: during READDIR the kernel holds the
 * directory's lock.
 */
static int listing_open(fuse_req_t req, const struct step *step, struct caller *caller,
			struct listing **ret_listing)
{
	struct listing *listing;
	int r = listing_new(req, step->ino, &listing);

	if (r < 0)
		return r;
	if (listing->space->ops->lists_by_job) {
		listing->req = req;
		r = listing_make(listing, caller);
		listing->is_unread = true;
		listing->error = r;
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

/* Where entry `i` ends. */
static size_t listing_end(const struct listing *listing, size_t i)
{
	return i + 1 < listing->n_entries ? listing->starts[i + 1] : listing->size;
}

/* Makes the entries if they are not there yet. May have to wait. */
static int listing_begin(struct listing *listing, fuse_req_t req, const struct step *step,
			 struct caller *caller)
{
	if (listing->is_made && (step->offset != 0 || listing->is_unread)) {
		listing->is_unread = false;
		return listing->error;
	}
	listing_clear(listing);
	listing->req = req;
	return listing_make(listing, caller);
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
				       .size = size,
				       .offset = offset,
				       .fi = *fi,
				       .locks = true,
				       .shares = true});
}

/* What is found under the name, counted as looked up; NULL if it is not to be remembered. */
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
	caller_fini(&caller);
	if (r < 0)
		return NULL;
	if (inode_entry_listed(inode, ret_entry) < 0) {
		inode_forget(session, inode, 1);
		inode = NULL;
	}
	return inode;
}

/* Adds entry `i` with its attributes: the number of bytes, 0 if they are more than `room`. */
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

/* The kernel has not got these. */
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
 * For those who will ask for each entry's attributes next, as ls -l does. Only names that the
 * kernel has to hear of from us alone are worth it: others it may not remember even that long.
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
	if (!reply_data(req, session->host.scratch, (ssize_t)done))
		forget_plus(session, session->host.scratch, done);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_readdirplus,
				       .size = size,
				       .offset = offset,
				       .fi = *fi,
				       .locks = true,
				       .shares = true});
}

void listing_free_all(struct session *session)
{
	uint64_t fh = 0;

	while ((fh = slots_next(&session->listings, fh)) != 0)
		listing_free(session, slots_object(&session->listings, fh));
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = op_listing(req, fi);

	if (!listing)
		return;
	listing_free(fuse_req_userdata(req), listing);
	reply_result(req, 0);
}
