// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every lookup asks the kernel; only the channels in use are remembered, in a hash by inode number.
 */
#include "lib/channel/kernel_names.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/lease.h"
#include "lib/host/job.h"

struct named *named_from(struct channel *channel)
{
	assert(channel->space->ops->destroy == named_space_destroy);
	return CONTAINER_OF(channel, struct named, channel);
}

struct named_space *named_space_from(struct space *space)
{
	assert(space->ops->destroy == named_space_destroy);
	return CONTAINER_OF(space, struct named_space, space);
}

const char *named_path(const struct named_space *space, const char *name,
		       char path[static NAMED_PATH_SIZE])
{
	snprintf(path, NAMED_PATH_SIZE, "%s%s", space->prefix ? space->prefix : "", name);
	return path;
}

int named_open_at(struct named_space *space, const char *name, int flags, mode_t mode)
{
	char path[NAMED_PATH_SIZE];
	int fd = openat(space->space.dir_fd, named_path(space, name, path),
			flags | O_NOFOLLOW | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

int named_unlink_at(struct named_space *space, const char *name)
{
	char path[NAMED_PATH_SIZE];

	return unlinkat(space->space.dir_fd, named_path(space, name, path), 0) < 0 ? -errno : 0;
}

int named_link(struct named_space *space, const char *from, const char *name)
{
	char path[NAMED_PATH_SIZE];

	return linkat(AT_FDCWD, from, space->space.dir_fd, named_path(space, name, path),
		      AT_SYMLINK_FOLLOW) < 0
		       ? -errno
		       : 0;
}

/* What each entry adds to the size, "." and ".." too (linux/mm/shmem.c, linux/ipc/mqueue.c). */
#define DIRENT_SIZE 20

uint64_t named_count_entries(int dir_fd)
{
	struct stat attr;

	return fstat(dir_fd, &attr) < 0 ? 0 : (uint64_t)attr.st_size / DIRENT_SIZE - 2;
}

int named_open_directory(const struct host *host, const char *path)
{
	/* A symbolic link in another process's root must not lead out of that root. */
	const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT};
	CLEANUP_FD int root_fd =
		open(*host->root ? host->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int stat_name(struct named_space *space, const char *name, struct stat *ret_attr)
{
	CLEANUP_FD int fd = -1;
	char path[NAMED_PATH_SIZE];

	if (space->is_ours && !space->is_ours(name))
		return -ENOENT;
	if (space->space.dir_fd >= 0) {
		if (fstatat(space->space.dir_fd, named_path(space, name, path), ret_attr,
			    AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		return S_ISREG(ret_attr->st_mode) ? 0 : -ENOENT;
	}
	fd = space->open_name(space, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -EACCES)
		fd = space->open_name(space, name, O_WRONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	return fstat(fd, ret_attr) < 0 ? -errno : 0;
}

int named_open(struct named *named, int flags)
{
	struct named_space *space = named_space_from(named->channel.space);
	CLEANUP_FD int fd = space->open_name(space, named->name, flags | O_NONBLOCK, 0);
	struct stat attr;

	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : TAKE_FD(fd);
	if (fstat(fd, &attr) < 0)
		return -errno;
	return attr.st_ino == named->ino ? TAKE_FD(fd) : -ESTALE;
}

int named_stat(struct named *named, struct stat *ret_attr)
{
	int r = stat_name(named_space_from(named->channel.space), named->name, ret_attr);

	if (r < 0)
		return r == -ENOENT ? -ESTALE : r;
	return ret_attr->st_ino == named->ino ? 0 : -ESTALE;
}

static int change_times(int fd, const struct stat *attr, unsigned changes)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};

	if (changes & CHANGE_ATIME)
		times[0] = attr->st_atim;
	if (changes & CHANGE_MTIME)
		times[1] = attr->st_mtim;
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int change(int fd, const struct stat *attr, unsigned changes)
{
	uid_t uid = changes & CHANGE_UID ? attr->st_uid : (uid_t)-1;
	gid_t gid = changes & CHANGE_GID ? attr->st_gid : (gid_t)-1;

	if ((changes & (CHANGE_UID | CHANGE_GID)) && fchown(fd, uid, gid) < 0)
		return -errno;
	if ((changes & CHANGE_MODE) && fchmod(fd, attr->st_mode & 07777) < 0)
		return -errno;
	if ((changes & (CHANGE_ATIME | CHANGE_MTIME)))
		return change_times(fd, attr, changes);
	return 0;
}

/*
 * Opens the object with the daemon's rights, because a caller who may change an object need not be
 * allowed to open it. The change itself is made with the caller's rights, so the kernel decides.
 */
int named_change(struct named *named, int open_fd, const struct stat *attr, unsigned changes,
		 struct caller *caller)
{
	CLEANUP_FD int fd = open_fd >= 0 ? -1 : named_open(named, O_RDONLY);
	int r;

	if (fd == -EACCES)
		fd = named_open(named, O_WRONLY);
	if (fd < 0 && open_fd < 0)
		return fd;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = change(open_fd >= 0 ? open_fd : fd, attr, changes);
	caller_leave();
	return r;
}

void named_disuse(int fd, struct disuse *disuse)
{
	int r = fd < 0 ? fd : lease_take(fd);

	if (r == 0 || lease_is_impossible(r))
		disuse->why = "no process has it open or mapped";
	disuse->needs_scan = lease_is_impossible(r);
}

int named_reap(struct channel *channel, const char *name, const struct timespec *before,
	       struct caller *caller)
{
	struct named_space *space = named_space_from(channel->space);
	char path[NAMED_PATH_SIZE];

	/* While a job is under way, or its result is there, it is too late to refuse. */
	if (!(caller->waiter && caller->waiter->job) &&
	    (channel->n_files || channel_has_waiters(channel)))
		return -EBUSY;
	if (space->space.dir_fd < 0) /* without a directory there are only calls by name */
		return space_remove(&space->space, name, caller);
	return lease_remove(&space->space, named_path(space, name, path), named_from(channel)->ino,
			    before, caller);
}

void named_fini(struct named *named)
{
	HASH_DEL(named_space_from(named->channel.space)->named, named);
	free(named->name);
}

void named_space_init(struct named_space *space, const struct space_ops *ops, struct host *host,
		      const struct kind *kind, int dir_fd)
{
	space_init(&space->space, ops, host, kind->path);
	space->space.kind = kind;
	space->space.dir_fd = dir_fd;
}

void named_space_destroy(struct space *space_)
{
	struct named_space *space = named_space_from(space_);

	assert(!space->named);
	if (space_->dir_fd >= 0)
		close(space_->dir_fd);
	free(space);
}

int named_list(struct space *space_, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct named_space *space = named_space_from(space_);
	CLEANUP_FD int fd = -1;
	CLEANUP_DIR DIR *dir = NULL;
	size_t n_prefix = space->prefix ? strlen(space->prefix) : 0;
	struct dirent *found;

	if (space_->dir_fd < 0)
		return 0;
	fd = openat(space_->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	TAKE_FD(fd);
	while (errno = 0, (found = readdir(dir))) {
		const char *name = found->d_name + n_prefix;

		if (found->d_type != DT_REG || (space->is_ours && !space->is_ours(found->d_name)))
			continue;
		if (n_prefix && (strncmp(found->d_name, space->prefix, n_prefix) != 0 || !*name))
			continue;
		if (!entry(data, name, found->d_ino, S_IFREG))
			return 0;
	}
	return -errno;
}

static struct named *named_new(struct named_space *space, ino_t ino)
{
	struct named *named = calloc(1, space->named_size);

	if (!named)
		return NULL;
	channel_init(&named->channel, space->space.kind->channel, &space->space, CHANNEL_STREAM);
	named->ino = ino;
	HASH_ADD(hh, space->named, ino, sizeof(named->ino), named);
	if (!named->hh.tbl) {
		free(named);
		return NULL;
	}
	if (space->init)
		space->init(named);
	return named;
}

static int named_set_name(struct named *named, const char *name)
{
	char *copy;

	if (named->name && strcmp(named->name, name) == 0)
		return 0;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(named->name);
	named->name = copy;
	named_note_name(named);
	return 0;
}

int named_get(struct named_space *space, const char *name, ino_t ino, struct channel **ret_channel)
{
	struct named *named;
	int r;

	HASH_FIND(hh, space->named, &ino, sizeof(ino), named);
	if (named)
		channel_ref(&named->channel);
	else
		named = named_new(space, ino);
	if (!named)
		return -ENOMEM;
	r = named_set_name(named, name);
	if (r < 0) {
		channel_unref(&named->channel);
		return r;
	}
	*ret_channel = &named->channel;
	return 0;
}

int named_find(struct space *space_, const char *name, struct channel **ret_channel)
{
	struct named_space *space = named_space_from(space_);
	struct stat attr;
	int r = stat_name(space, name, &attr);

	return r < 0 ? r : named_get(space, name, attr.st_ino, ret_channel);
}

int named_find_made(struct space *space, const char *name, ino_t ino, struct channel **ret_channel)
{
	struct channel *found;
	int r = named_find(space, name, &found);

	if (r < 0)
		return r;
	if (named_from(found)->ino != ino) {
		channel_unref(found);
		return -ESTALE;
	}
	*ret_channel = found;
	return 0;
}

int named_lookup(struct space *space, const char *name, struct caller *caller,
		 struct entry *ret_entry)
{
	return named_find(space, name, &ret_entry->channel);
}

/* What is noted of a removal: no object's number. */
#define REMOVED UINT64_MAX

int named_remove(struct space *space_, const char *name, struct caller *caller)
{
	struct named_space *space = named_space_from(space_);
	const struct journal_note note = journal_note_of(space_->host);
	int r;

	/* The former daemon has done it; who has the name since is another. */
	if (journal_has_noted(&note, REMOVED))
		return 0;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = space->unlink_name(space, name);
	caller_leave();
	if (r == 0)
		journal_note(&note, REMOVED);
	return r;
}
