// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/inode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/session.h"

/*
 * The least that the kernel counts in, one jiffy: enough for the permission check that follows a
 * LOOKUP not to ask for the attributes again.
 */
#define TIMEOUT_JIFFY     0.001
#define TIMEOUT_DIRECTORY 1.0
#define TIMEOUT_LASTING   3600.0

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

/* Where the object or directory remembers its one inode, or the newest of its many. */
static void **inode_place(const struct entry *entry, bool is_listed)
{
	if (entry->space)
		return &entry->space->inode;
	return is_listed ? &entry->channel->listed : &entry->channel->inode;
}

/*
 * May this inode stand for what was looked up? The kernel looks a name up again before each use. If
 * that gives the inode that it has, one LOOKUP is enough; else it takes two.
 */
static bool inode_serves(const struct inode *inode, const struct selector *selector, pid_t pid)
{
	const struct channel *channel = inode->entry.channel;
	const struct inode_record *record = inode->record;

	if (!channel || is_shown_once(channel))
		return true;
	return channel->service == CHANNEL_STREAM && record->n_handles == 0 && pid != 0 &&
	       record->pid == pid && record->selector.is_set == selector->is_set &&
	       record->selector.value == selector->value;
}

/* A new one, which the place remembers. Takes over the reference in `entry`. */
static struct inode *inode_new(struct session *session, const struct entry *entry, void **place)
{
	struct inode *inode = calloc(1, sizeof(*inode));
	uint64_t id;

	if (!inode || slots_add(&session->inodes, inode, &id) < 0) {
		entry_unref(entry);
		free(inode);
		return NULL;
	}
	inode->record = slots_record(&session->inodes, id);
	inode->record->nodeid = id;
	inode->record->n_lookups = 1;
	inode->entry = *entry;
	*place = inode;
	return inode;
}

static struct inode *inode_again(struct inode *inode, const struct entry *entry)
{
	inode->record->n_lookups++;
	entry_unref(entry);
	return inode;
}

struct inode *inode_get(struct session *session, const struct entry *entry,
			const struct selector *selector, pid_t pid)
{
	void **place = inode_place(entry, false);
	struct inode *inode = *place;

	if (inode && inode_serves(inode, selector, pid))
		return inode_again(inode, entry);
	inode = inode_new(session, entry, place);
	if (inode) {
		inode->record->selector = *selector;
		inode->record->pid = pid;
	}
	return inode;
}

struct inode *inode_get_listed(struct session *session, const struct entry *entry)
{
	bool is_listed = entry->channel && entry->channel->service == CHANNEL_STREAM;
	void **place = inode_place(entry, is_listed);
	struct inode *inode = *place;

	if (inode)
		return inode_again(inode, entry);
	inode = inode_new(session, entry, place);
	if (inode)
		inode->record->is_listed = is_listed;
	return inode;
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
	slots_remove(&session->inodes, record->nodeid);
	entry_unref(&inode->entry);
	free(inode->link);
	free(inode);
}

void inode_forget_all(struct session *session)
{
	uint64_t id = 0;

	while ((id = slots_next(&session->inodes, id)) != 0) {
		struct inode *inode = slots_object(&session->inodes, id);

		inode_forget(session, inode, inode->record->n_lookups);
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
	r = channel_stat(channel, ret_attr);
	if (r < 0)
		return r;
	ret_attr->st_ino = space_ino(channel->space, ret_attr->st_ino);
	if (inode->link) {
		ret_attr->st_mode = S_IFLNK | 0777;
		ret_attr->st_size = (off_t)strlen(inode->link);
		ret_attr->st_blocks = 0;
	}
	return 0;
}

double inode_attr_timeout(const struct inode *inode)
{
	if (inode->entry.space)
		return space_is_changing(inode->entry.space) ? TIMEOUT_JIFFY : TIMEOUT_DIRECTORY;
	switch (inode->entry.channel->service) {
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

	ret_entry->entry_timeout = TIMEOUT_JIFFY;
	return r;
}
