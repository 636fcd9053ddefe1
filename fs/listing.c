// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries are kept in the form that READDIR sends; the offset of each is its number plus one. */
#include "fs/listing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inode.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"

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

void listing_free(struct session *session, struct listing *listing)
{
	listing_clear(listing);
	user_uncharge(listing->users, listing->record->uid, USER_FILES, 1);
	slots_remove(&session->listings, listing->record->fh);
	free(listing);
}

/* Charges `size` more bytes to the user. */
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

/* Whether the objects are listed as links, which inode_link() makes of them. */
static bool has_links(const struct space *space)
{
	return space->link_dir && !features_has(&space->host->features, FEATURE_PASSTHROUGH);
}

/* A space_entry_fn. */
static bool listing_add(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct listing *listing = data;

	/* Nobody could look up a longer name, and listing_add_plus() has no room for one. */
	if (strlen(name) > NAME_MAX)
		return true;
	ino = space_ino(listing->space, ino);
	if (S_ISREG(mode) && has_links(listing->space))
		mode = S_IFLNK;
	return listing_entry(listing, name, ino, mode);
}

int listing_make(struct listing *listing, fuse_req_t req, struct caller *caller)
{
	struct space *space = listing->space;
	int r;

	listing_clear(listing);
	listing->req = req;
	listing_entry(listing, ".", space->ino, S_IFDIR);
	listing_entry(listing, "..", space->ino, S_IFDIR);
	r = space_list(space, caller, listing_add, listing);
	if (job_is_awaited(r))
		return r;
	listing->is_made = true;
	return listing->is_cut ? -ENOBUFS : r;
}

int listing_new(fuse_req_t req, fuse_ino_t ino, struct listing **ret_listing)
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

void listing_free_all(struct session *session)
{
	uint64_t fh = 0;

	while ((fh = slots_next(&session->listings, fh)) != 0)
		listing_free(session, slots_object(&session->listings, fh));
}

size_t listing_end(const struct listing *listing, size_t i)
{
	return i + 1 < listing->n_entries ? listing->starts[i + 1] : listing->size;
}
