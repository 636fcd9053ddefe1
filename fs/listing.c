// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries are kept in the form that READDIR sends; the offset of each is its number plus one. */
#include "fs/listing.h"

#include <errno.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inode.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"

static void listing_clear(struct listing *listing)
{
	listing->record->entries = 0;
	STATE_ORDER();
	user_uncharge(listing->users, listing->record->uid, USER_BYTES, listing->n_charged);
	state_release(listing->state, TAKE_PTR(listing->entries), listing->n_allocated);
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

/* Moves the entries to a block that is `n` bytes longer. */
static bool entries_grow(struct listing *listing, size_t n)
{
	char *grown;

	if (!listing_charge(listing, n))
		return false;
	grown = state_alloc(listing->state, listing->n_allocated + n);
	if (!grown)
		return false;
	if (listing->size)
		memcpy(grown, listing->entries, listing->size);
	state_release(listing->state, listing->entries, listing->n_allocated);
	listing->entries = grown;
	listing->n_allocated += n;
	return true;
}

/* Makes room for one more entry of `size` bytes. */
static bool listing_grow(struct listing *listing, size_t size)
{
	if (listing->size + size > listing->n_allocated &&
	    !entries_grow(listing, listing->n_allocated + size + 4096))
		return false;
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
	listing_save(listing);
	return listing->is_cut ? -ENOBUFS : r;
}

void listing_save(struct listing *listing)
{
	struct listing_record *record = listing->record;

	record->n_allocated = listing->n_allocated;
	record->size = listing->size;
	record->n_entries = listing->n_entries;
	record->error = listing->error;
	record->is_unread = listing->is_unread;
	STATE_ORDER();
	record->entries = listing->is_made ? state_offset(listing->state, listing->entries) : 0;
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
	listing->state = session->host.state;
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
	*listing->record = (struct listing_record){
		.fh = fh, .nodeid = ino, .uid = uid, .opened = session->host.journal->request};
	*ret_listing = TAKE_PTR(listing);
	return 0;
}

void listing_free_all(struct session *session)
{
	uint64_t fh = 0;

	while ((fh = slots_next(&session->listings, fh)) != 0) {
		struct listing *listing = slots_object(&session->listings, fh);

		if (listing)
			listing_free(session, listing);
		else
			slots_remove(&session->listings, fh);
	}
}

/* Finds the entries again. Returns false if they can't be right. */
static bool entries_adopt(struct listing *listing)
{
	const struct listing_record *record = listing->record;
	size_t offset = 0;

	if (record->size > record->n_allocated ||
	    record->n_entries > record->size / FUSE_NAME_OFFSET)
		return false;
	listing->entries = state_claim(listing->state, record->entries, record->n_allocated);
	if (!listing->entries)
		return false;
	listing->n_allocated = record->n_allocated;
	listing->starts = calloc(record->n_entries + 1, sizeof(*listing->starts));
	if (!listing->starts || !listing_charge(listing, record->n_allocated))
		return false;
	while (listing->n_entries < record->n_entries) {
		const struct fuse_dirent *dirent = (const void *)(listing->entries + offset);

		if (record->size - offset < FUSE_NAME_OFFSET || dirent->namelen > NAME_MAX ||
		    record->size - offset < FUSE_DIRENT_SIZE(dirent))
			return false;
		listing->starts[listing->n_entries++] = offset;
		offset += FUSE_DIRENT_SIZE(dirent);
	}
	listing->n_starts = listing->n_entries;
	listing->size = offset;
	listing->error = record->error;
	listing->is_unread = record->is_unread;
	listing->is_made = true;
	return true;
}

/* Returns false if the record is of no use. Without its entries, they are made anew. */
static bool listing_adopt(struct session *session, struct listing_record *record)
{
	bool is_again = journal_is_again(&session->host, record->opened);
	struct listing *listing = is_again ? NULL : calloc(1, sizeof(*listing));

	if (!listing || inode_space(session, record->nodeid, &listing->space) < 0) {
		free(listing);
		return false;
	}
	listing->users = &session->host.users;
	listing->state = session->host.state;
	listing->record = record;
	user_charge(listing->users, record->uid, USER_FILES, 1);
	if (record->entries && !entries_adopt(listing))
		listing_clear(listing);
	slots_set_object(&session->listings, record->fh, listing);
	return true;
}

void listings_adopt(struct session *session)
{
	uint64_t id = 0;

	while ((id = slots_next(&session->listings, id)) != 0) {
		struct listing_record *record = slots_record(&session->listings, id);

		record->fh = id;
		if (!listing_adopt(session, record))
			slots_remove(&session->listings, id);
	}
}

size_t listing_end(const struct listing *listing, size_t i)
{
	return i + 1 < listing->n_entries ? listing->starts[i + 1] : listing->size;
}
