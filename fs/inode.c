// SPDX-License-Identifier: GPL-2.0-or-later
/* Decides which inode answers a LOOKUP, and for how long the kernel may trust that answer. */
#include "fs/inode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/names.h"
#include "fs/session.h"
#include "fs/way.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/*
 * The shortest time that the kernel counts, one jiffy: long enough that the permission check after
 * a LOOKUP does not ask for the attributes again.
 */
#define TIMEOUT_JIFFY     0.001
#define TIMEOUT_DIRECTORY 1.0
/*
 * ls -l asks again for the attributes that it was just given, for some hundred entries at a time
 * and with several calls for each. The kernel answers those calls itself for this long.
 */
#define TIMEOUT_LISTED  0.01
#define TIMEOUT_LASTING 3600.0

static bool is_shown_once(const struct channel *channel)
{
	return channel_has_backing(channel) || channel->service == CHANNEL_NODE;
}

struct inode *inode_from(const struct session *session, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? session->root : slots_object(&session->inodes, ino);
}

int inode_space(const struct session *session, fuse_ino_t ino, struct space **ret_space)
{
	const struct inode *inode = inode_from(session, ino);

	if (!inode)
		return -ESTALE;
	if (!inode->entry.space)
		return -ENOTDIR;
	*ret_space = inode->entry.space;
	return 0;
}

bool inode_is_node(const struct inode *inode)
{
	return inode->entry.channel && inode->entry.channel->service == CHANNEL_NODE;
}

void **inode_place(const struct entry *entry, bool is_listed)
{
	if (entry->space)
		return &entry->space->inode;
	return is_listed ? &entry->channel->listed : &entry->channel->inode;
}

/*
 * Whether this inode may stand for what was looked up. The kernel looks a name up again before each
 * use. If the answer is the inode that it already has, one LOOKUP is enough; else it takes two.
 */
static bool inode_serves(const struct inode *inode, const struct selector *selector, pid_t pid)
{
	const struct channel *channel = inode->entry.channel;
	const struct inode_record *record = inode->record;

	if (!channel || is_shown_once(channel))
		return true;
	return channel->service == CHANNEL_STREAM && record->n_handles == 0 && pid != 0 &&
	       record->pid == pid && record->has_number == selector->is_set &&
	       record->number == selector->value;
}

bool inode_is_charged(const struct entry *entry)
{
	return !entry->space || !entry->space->is_lasting;
}

static int inode_make(struct session *session, const struct entry *entry,
		      const struct caller *caller, struct inode **ret_inode)
{
	CLEANUP_FREE struct inode *inode = calloc(1, sizeof(*inode));
	uint64_t id;
	int r = inode ? slots_add(&session->inodes, inode, &id) : -ENOMEM;

	if (r < 0)
		return r;
	inode->record = slots_record(&session->inodes, id);
	inode->record->nodeid = id;
	inode->record->n_lookups = 1;
	inode->record->looked = session->host.journal->request;
	inode->record->is_directory = entry->space;
	if (entry->channel)
		inode->record->object = entry->channel->id;
	else if (entry->space->is_lasting)
		inode->record->object = entry->space->ino;
	r = inode_is_charged(entry) ? names_add(session, inode->record, caller->uid) : 0;
	if (r < 0) {
		slots_remove(&session->inodes, id);
		return r;
	}
	inode->entry = *entry;
	*ret_inode = TAKE_PTR(inode);
	return 0;
}

/* Makes a new inode. Takes over the reference in `entry`. */
static int inode_new(struct session *session, const struct entry *entry,
		     const struct caller *caller, struct inode **ret_inode)
{
	int r = inode_make(session, entry, caller, ret_inode);

	if (r < 0)
		entry_unref(entry);
	return r;
}

static int inode_again(struct session *session, struct inode *inode, const struct entry *entry,
		       struct inode **ret_inode)
{
	inode->record->n_lookups++;
	inode->record->looked = session->host.journal->request;
	names_renew(session, inode->record);
	recent_add(&session->recent, inode->record->nodeid);
	entry_unref(entry);
	*ret_inode = inode;
	return 0;
}

/*
 * An object may be opened after the daemon that has looked it up was killed. The kernel would look
 * it up again only once. Without memory for the record that has to do.
 */
static void remember(struct channel *channel)
{
	if (channel && channel->space->kind && channel_remember(channel) == 0)
		channel_save(channel);
}

int inode_get(struct session *session, const struct found *found, const struct caller *caller,
	      struct inode **ret_inode)
{
	const struct selector *selector = &found->selector;
	void **place = inode_place(&found->entry, false);
	struct inode *inode = *place;
	int r;

	if (inode && inode_serves(inode, selector, caller->pid))
		return inode_again(session, inode, &found->entry, ret_inode);
	remember(found->entry.channel);
	r = inode_new(session, &found->entry, caller, &inode);
	if (r < 0)
		return r;
	inode->record->has_number = selector->is_set;
	inode->record->number = selector->value;
	inode->record->pid = caller->pid;
	*place = *ret_inode = inode;
	recent_add(&session->recent, inode->record->nodeid);
	return 0;
}

int inode_get_listed(struct session *session, const struct found *found,
		     const struct caller *caller, struct inode **ret_inode)
{
	const struct channel *channel = found->entry.channel;
	bool is_listed = channel && channel->service == CHANNEL_STREAM;
	void **place = inode_place(&found->entry, is_listed);
	struct inode *inode = *place;
	int r;

	if (inode)
		return inode_again(session, inode, &found->entry, ret_inode);
	r = inode_new(session, &found->entry, caller, &inode);
	if (r < 0)
		return r;
	inode->record->is_listed = is_listed;
	*place = *ret_inode = inode;
	return 0;
}

void inode_forget(struct session *session, struct inode *inode, uint64_t n)
{
	struct inode_record *record = inode->record;
	void **place = inode_place(&inode->entry, record->is_listed);

	assert(record->n_lookups >= n);
	record->n_lookups -= n;
	if (record->n_lookups > 0)
		return;
	if (*place == inode)
		*place = NULL;
	names_remove(session, record);
	way_forget(session, record);
	slots_remove(&session->inodes, record->nodeid);
	entry_unref(&inode->entry);
	free(inode->link);
	free(inode);
}

void inode_forget_lost(struct session *session, fuse_ino_t ino, uint64_t n)
{
	struct inode_record *record = slots_record(&session->inodes, ino);

	if (!record)
		return;
	record->n_lookups -= n < record->n_lookups ? n : record->n_lookups;
	if (record->n_lookups > 0)
		return;
	way_forget(session, record);
	slots_remove(&session->inodes, ino);
}

void inode_forget_all(struct session *session)
{
	uint64_t id = 0;

	while ((id = slots_next(&session->inodes, id)) != 0) {
		struct inode *inode = slots_object(&session->inodes, id);

		if (inode)
			inode_forget(session, inode, inode->record->n_lookups);
		else
			slots_remove(&session->inodes, id);
	}
}

int inode_link(struct inode *inode, const char *name)
{
	const struct channel *channel = inode->entry.channel;

	if (channel && channel->service == CHANNEL_LINK) {
		inode->link = strdup(channel->link);
		return inode->link ? 0 : -ENOMEM;
	}
	if (!channel || !channel->space->link_dir || channel->service != CHANNEL_FILE)
		return 0;
	if (asprintf(&inode->link, "%s/%s", channel->space->link_dir, name) < 0) {
		inode->link = NULL;
		return -ENOMEM;
	}
	return 0;
}

int inode_stat(struct inode *inode, struct stat *ret_attr)
{
	struct channel *channel = inode->entry.channel;
	int r;

	if (inode->entry.space) {
		space_stat(inode->entry.space, ret_attr);
		return 0;
	}
	/*
	 * fstat(2) doesn't say which open file it asks about, and inode->file is the one opened
	 * last. For a text that is the right one: each open has an inode of its own.
	 */
	r = inode->file ? file_stat(inode->file, ret_attr) : channel_stat(channel, ret_attr);
	if (r < 0)
		return r;
	ret_attr->st_ino = space_ino(channel->space, ret_attr->st_ino);
	if (inode->link) {
		ret_attr->st_mode = S_IFLNK | 0777;
		ret_attr->st_size = (off_t)strlen(inode->link);
		ret_attr->st_blocks = 0;
	}
	inode->record->told_size = (uint64_t)ret_attr->st_size;
	return 0;
}

double inode_attr_timeout(const struct inode *inode)
{
	const struct channel *channel = inode->entry.channel;

	if (inode->entry.space)
		return space_is_changing(inode->entry.space) ? TIMEOUT_JIFFY : TIMEOUT_DIRECTORY;
	/*
	 * Never trusted while a file is open: the next LOOKUP, or an unlink(2), uses another inode,
	 * so the kernel does not learn that the open file's attributes have changed.
	 */
	if ((channel->traits & CHANNEL_CHANGES_BY_OPEN) || inode->record->n_handles > 0)
		return 0;
	switch (channel->service) {
	case CHANNEL_NODE:
	case CHANNEL_STREAM:
		return TIMEOUT_JIFFY;
	default:
		return 0; /* its size changes outside the mount */
	}
}

int inode_entry(struct inode *inode, struct fuse_entry_param *ret_entry)
{
	bool is_lasting = inode->entry.space && inode->entry.space->is_lasting;

	*ret_entry = (struct fuse_entry_param){
		.ino = inode->record->nodeid,
		.attr_timeout = inode_attr_timeout(inode),
		.entry_timeout = is_lasting ? TIMEOUT_LASTING : 0,
	};
	return inode_stat(inode, &ret_entry->attr);
}

int inode_entry_listed(struct inode *inode, struct fuse_entry_param *ret_entry)
{
	int r = inode_entry(inode, ret_entry);

	ret_entry->entry_timeout = TIMEOUT_LISTED;
	if (ret_entry->attr_timeout == TIMEOUT_JIFFY)
		ret_entry->attr_timeout = TIMEOUT_LISTED;
	return r;
}
