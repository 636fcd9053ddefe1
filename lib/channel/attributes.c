// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All changes of a request are checked before any of them is made.
 */
#include "lib/channel/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <time.h>
#include <unistd.h>

#include "lib/channel/channel.h"

#define PERMISSIONS 07777

bool timespec_is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

void attributes_touch(struct timespec *time)
{
	clock_gettime(CLOCK_REALTIME, time);
}

void attributes_init(struct attributes *attributes, ino_t ino, mode_t mode, struct caller *caller)
{
	struct timespec now;

	attributes_touch(&now);
	*attributes = (struct attributes){
		.ino = ino,
		.mode = mode,
		.uid = caller->uid,
		.gid = caller->gid,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
	};
}

void attributes_stat(const struct attributes *attributes, struct stat *ret_attr)
{
	ret_attr->st_ino = attributes->ino;
	ret_attr->st_mode = attributes->mode;
	ret_attr->st_uid = attributes->uid;
	ret_attr->st_gid = attributes->gid;
	ret_attr->st_atim = attributes->atime;
	ret_attr->st_mtim = attributes->mtime;
	ret_attr->st_ctim = attributes->ctime;
}

int attributes_check(const struct stat *now, const struct stat *attr, unsigned changes,
		     struct caller *caller)
{
	bool is_owner = caller->uid == now->st_uid;
	bool owns = is_owner || caller_owns(caller, now->st_uid);

	if ((changes & CHANGE_UID) && !(is_owner && attr->st_uid == now->st_uid) &&
	    !caller_has(caller, CAP_CHOWN))
		return -EPERM;
	if ((changes & CHANGE_GID) &&
	    !(is_owner && (attr->st_gid == now->st_gid || caller_in_group(caller, attr->st_gid))) &&
	    !caller_has(caller, CAP_CHOWN))
		return -EPERM;
	if ((changes & CHANGE_MODE) && !owns)
		return -EPERM;
	if (!(changes & (CHANGE_ATIME | CHANGE_MTIME)) || owns)
		return 0;
	if (!(changes & CHANGE_NOW))
		return -EPERM;
	return caller_may(caller, now, W_OK) ? 0 : -EACCES;
}

static void set_time(struct timespec *time, const struct timespec *wanted)
{
	if (wanted->tv_nsec == UTIME_NOW)
		attributes_touch(time);
	else
		*time = *wanted;
}

/* Drops the set-ID bits, as chown(2) does, even for root (linux/fs/open.c, chown_common). */
static void drop_set_id(struct attributes *attributes)
{
	attributes->mode &= ~(mode_t)S_ISUID;
	if (attributes->mode & S_IXGRP)
		attributes->mode &= ~(mode_t)S_ISGID;
}

int attributes_change(struct attributes *attributes, const struct stat *attr, unsigned changes,
		      struct caller *caller)
{
	struct stat now = {0};
	int r;

	attributes_stat(attributes, &now);
	r = attributes_check(&now, attr, changes, caller);
	if (r < 0)
		return r;
	if (changes & CHANGE_UID)
		attributes->uid = attr->st_uid;
	if (changes & CHANGE_GID)
		attributes->gid = attr->st_gid;
	if (changes & (CHANGE_UID | CHANGE_GID))
		drop_set_id(attributes);
	if (changes & CHANGE_MODE)
		attributes->mode = (attributes->mode & S_IFMT) | (attr->st_mode & PERMISSIONS);
	if (changes & CHANGE_ATIME)
		set_time(&attributes->atime, &attr->st_atim);
	if (changes & CHANGE_MTIME)
		set_time(&attributes->mtime, &attr->st_mtim);
	attributes_touch(&attributes->ctime);
	return 0;
}

void attributes_set_times(struct stat *attr, const struct timespec *made,
			  const struct timespec *since)
{
	if (made)
		attr->st_mtim = *made;
	else
		attributes_touch(&attr->st_mtim);
	attr->st_atim = attr->st_mtim;
	attr->st_ctim = *since;
}

void attributes_set_size(struct stat *attr, size_t size)
{
	attr->st_size = (off_t)size;
	attr->st_blocks = (blkcnt_t)((size + 511) / 512);
}

void attributes_set_memory(struct stat *attr, size_t bytes)
{
	attr->st_blocks = (blkcnt_t)((bytes + HOST_PAGE - 1) / HOST_PAGE * (HOST_PAGE / 512));
}
