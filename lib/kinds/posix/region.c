// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On the loop a name is looked up with RESOLVE_CACHED, which does not take the directory's lock. A
 * lookup or an open that might have to wait fails with -EAGAIN, and a job then does it.
 */
#include "lib/kinds/posix/region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

const char *region_link(int fd, char path[static REGION_LINK_SIZE])
{
	snprintf(path, REGION_LINK_SIZE, "/proc/self/fd/%d", fd);
	return path;
}

void region_target_init(struct region_target *target, struct named *named, int fd)
{
	struct space *space = named->channel.space;

	target->fd = fd;
	target->dir_fd = space->dir_fd;
	target->ino = named->ino;
	named_path(named_space_from(space), named->name, target->name);
}

/*
 * Whether the descriptor is of the regular file with this inode number in the directory. The
 * kernel's own segments have such inode numbers too, but are on another device.
 */
static bool is_it(int fd, int dir_fd, ino_t ino)
{
	struct stat attr, dir;

	return fstat(fd, &attr) == 0 && attr.st_ino == ino && S_ISREG(attr.st_mode) &&
	       fstat(dir_fd, &dir) == 0 && attr.st_dev == dir.st_dev;
}

/*
 * By the time the job runs, the daemon may have closed the descriptor. So this checks that it is
 * still the file's.
 */
int region_target_open(const struct region_target *target)
{
	int fd = target->fd >= 0 ? fcntl(target->fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (fd >= 0 && is_it(fd, target->dir_fd, target->ino))
		return fd;
	if (fd >= 0)
		close(fd);
	fd = openat(target->dir_fd, target->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (is_it(fd, target->dir_fd, target->ino))
		return fd;
	close(fd);
	return -ESTALE;
}

int region_reopen(int fd, int flags)
{
	char path[REGION_LINK_SIZE];
	int opened = open(region_link(fd, path), flags | O_CLOEXEC | O_NOCTTY);

	return opened < 0 ? -errno : opened;
}

int region_run(struct space *space, struct caller *caller, const struct job_call *call)
{
	int r;

	if (space->host->is_serving)
		return job_run(space->host, caller, call);
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = call->act(call->data);
	caller_leave();
	return r;
}

bool region_is_in_memory(int dir_fd)
{
	struct statfs fs;

	return fstatfs(dir_fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

void region_room(const struct space *space_, const struct caller *caller, struct statvfs *room)
{
	const struct named_space *space = (const struct named_space *)space_;
	struct statvfs fs;

	/* Another filesystem may ask a server, which may never answer. */
	if (space->is_in_memory && fstatvfs(space_->dir_fd, &fs) == 0)
		*room = fs;
}

uint64_t region_count(const struct space *space)
{
	return ((const struct named_space *)space)->is_in_memory
		       ? named_count_entries(space->dir_fd)
		       : 0;
}

/*
 * Opens the name with O_PATH, without the directory's lock. -EAGAIN: the name is not found that
 * way.
 */
static int find_cached(int dir_fd, const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				     .resolve = RESOLVE_CACHED};
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	if (fd >= 0)
		return fd;
	/* On another filesystem a name that is not in the dentry cache may exist all the same. */
	if ((errno == EAGAIN && region_is_in_memory(dir_fd)) ||
	    (errno != EAGAIN && errno != EINVAL))
		return -errno;
	fd = openat(dir_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * The descriptor may be the last of a removed file, and the last close frees the file, which is
 * slow if the file is large.
 */
void region_let_go(struct host *host, int fd)
{
	struct stat attr;

	if (fd < 0)
		return;
	if (fstat(fd, &attr) == 0 && attr.st_blocks > (1 << 20) / 512)
		host_close(host, attr.st_uid, fd);
	else
		close(fd);
}

int region_look(struct space *space, const char *path, struct stat *ret_attr)
{
	int fd = find_cached(space->dir_fd, path);
	int r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, ret_attr) < 0)
		r = -errno;
	else if (!S_ISREG(ret_attr->st_mode))
		r = -ENOENT;
	region_let_go(space->host, fd);
	return r;
}

int region_find(struct named *named)
{
	struct space *space = named->channel.space;
	char path[NAMED_PATH_SIZE];
	int fd = -EAGAIN;

	named_path(named_space_from(space), named->name, path);
	/*
	 * A rename of another file at that moment can hide the name from a lookup without the lock.
	 */
	for (int i = 0; i < 4 && fd == -EAGAIN; i++)
		fd = find_cached(space->dir_fd, path);
	if (fd < 0)
		return fd == -EAGAIN || fd == -ENOENT ? -ESTALE : fd;
	if (is_it(fd, space->dir_fd, named->ino))
		return fd;
	region_let_go(space->host, fd);
	return -ESTALE;
}

bool region_is(const struct named *named, int fd)
{
	return is_it(fd, named->channel.space->dir_fd, named->ino);
}

int region_stat(struct named *named, int fd, struct stat *ret_attr)
{
	int found = fd >= 0 ? -1 : region_find(named);
	int r = 0;

	if (fd < 0 && found < 0)
		return found;
	if (fstat(fd >= 0 ? fd : found, ret_attr) < 0)
		r = -errno;
	region_let_go(named->channel.space->host, found);
	return r;
}

/* Opens the file as the caller, who must also be able to reach it by its path. */
static int open_as(struct named *named, int fd, int flags)
{
	if (faccessat(named->channel.space->dir_fd, ".", X_OK, AT_EACCESS) < 0)
		return -errno;
	return region_reopen(fd, flags | O_NONBLOCK);
}

/*
 * Opens the file as its owner. That spares looking up the caller's groups, which is expensive.
 * Fails with -EACCES if the caller is not the owner, or may need a group to search the directory.
 */
static int open_as_owner(struct named *named, int fd, int flags, struct caller *caller)
{
	struct stat attr;
	int r;

	if (fstat(fd, &attr) < 0 || attr.st_uid != caller->uid)
		return -EACCES;
	r = caller_enter_owner(caller);
	if (r < 0)
		return r;
	r = open_as(named, fd, flags);
	caller_leave();
	return r;
}

static int open_now(struct named *named, int fd, int flags, struct caller *caller)
{
	int r = open_as_owner(named, fd, flags, caller);

	if (r != -EACCES)
		return r;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = open_as(named, fd, flags);
	caller_leave();
	return r;
}

int region_open_now(struct named *named, int fd, int flags, struct caller *caller)
{
	int found = fd >= 0 ? -1 : region_find(named);
	int r;

	if (fd < 0 && found < 0)
		return found;
	r = open_now(named, fd >= 0 ? fd : found, flags, caller);
	region_let_go(named->channel.space->host, found);
	return r;
}

void region_target_find(struct region_target *target, struct named *named, int fd)
{
	int found = fd >= 0 ? region_find(named) : -1;

	region_target_init(target, named, found >= 0 ? -1 : fd);
	region_let_go(named->channel.space->host, found);
}

/* An open that waits until the holder of a lease gives way. */
struct opening {
	struct region_target target;
	int flags;
	int fd; /* the result */
};

static int opening_act(void *data)
{
	struct opening *opening = data;
	CLEANUP_FD int fd = region_target_open(&opening->target);

	if (fd < 0)
		return fd;
	opening->fd = region_reopen(fd, opening->flags);
	return opening->fd < 0 ? opening->fd : 0;
}

static void opening_undo(struct host *host, struct caller *caller, void *data)
{
	host_close(host, caller->uid, ((struct opening *)data)->fd);
}

int region_open(struct named *named, int fd, int flags, struct caller *caller)
{
	struct opening opening;
	const struct job_call call = {.place = JOB_THREAD,
				      .act = opening_act,
				      .undo = opening_undo,
				      .data = &opening,
				      .size = sizeof(opening)};
	int r = -EAGAIN;

	if (!caller->waiter || !caller->waiter->job || (flags & O_NONBLOCK))
		r = region_open_now(named, fd, flags, caller);
	if (r != -EAGAIN || (flags & O_NONBLOCK))
		return r;
	memset(&opening, 0, sizeof(opening)); /* job_run() compares all of it */
	region_target_find(&opening.target, named, fd);
	opening.flags = flags;
	r = region_run(named->channel.space, caller, &call);
	return r < 0 ? r : opening.fd;
}

struct changing {
	struct region_target target;
	unsigned changes;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec times[2];
};

static int changing_act(void *data)
{
	const struct changing *changing = data;
	CLEANUP_FD int fd = region_target_open(&changing->target);
	char path[REGION_LINK_SIZE];

	if (fd < 0)
		return fd;
	region_link(fd, path);
	if ((changing->changes & (CHANGE_UID | CHANGE_GID)) &&
	    chown(path, changing->uid, changing->gid) < 0)
		return -errno;
	if ((changing->changes & CHANGE_MODE) && chmod(path, changing->mode) < 0)
		return -errno;
	if ((changing->changes & (CHANGE_ATIME | CHANGE_MTIME)) &&
	    utimensat(AT_FDCWD, path, changing->times, 0) < 0)
		return -errno;
	return 0;
}

int region_change(struct named *named, int fd, const struct stat *attr, unsigned changes,
		  struct caller *caller)
{
	struct changing changing;

	memset(&changing, 0, sizeof(changing)); /* job_run() compares all of it */
	region_target_find(&changing.target, named, fd);
	changing.changes = changes;
	changing.mode = attr->st_mode & 07777;
	changing.uid = changes & CHANGE_UID ? attr->st_uid : (uid_t)-1;
	changing.gid = changes & CHANGE_GID ? attr->st_gid : (gid_t)-1;
	changing.times[0].tv_nsec = changing.times[1].tv_nsec = UTIME_OMIT;
	if (changes & CHANGE_ATIME)
		changing.times[0] = attr->st_atim;
	if (changes & CHANGE_MTIME)
		changing.times[1] = attr->st_mtim;
	return region_run(named->channel.space, caller,
			  &(struct job_call){.place = JOB_THREAD,
					     .act = changing_act,
					     .data = &changing,
					     .size = sizeof(changing)});
}

/* A file of another filesystem than tmpfs may ask a server when it is opened. */
int region_disuse(struct named *named, struct disuse *disuse)
{
	struct named_space *space = named_space_from(named->channel.space);
	int fd = region_find(named), opened;

	if (fd < 0)
		return fd;
	opened = space->is_in_memory ? region_reopen(fd, O_RDONLY | O_NONBLOCK) : -EAGAIN;
	named_disuse(opened, disuse);
	if (opened >= 0)
		close(opened); /* not the last */
	region_let_go(space->space.host, fd);
	return 0;
}
