// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared memory: the POSIX regions of the machine, which are the files of /dev/shm.
 *
 * Where the mount can hand files to the kernel (passthrough), reads, writes and maps go to
 * the region itself and never come here. Where it cannot, a region is shown as a symbolic link to
 * itself; only who has just made one through the mount is served here until it closes it.
 * Names that begin with "sem." are semaphores (sem_overview(7)) and not ours.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/kernel_names.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"

#define SHM_PATH "/dev/shm"

enum { SHM_SIZE };

static const struct parameter shm_parameters[] = {
	[SHM_SIZE] = {"size", PARAMETER_SIZE, .max = INT64_MAX, .is_initial = true},
	{.name = NULL},
};

static const struct channel_ops shm_ops;

static struct named *shm_from(struct channel *channel)
{
	assert(channel->ops == &shm_ops);
	return named_from(channel);
}

static bool shm_is_ours(const char *name)
{
	return strncmp(name, "sem.", 4) != 0;
}

static void shm_init(struct named *named)
{
	bool has_backing = features_has(&named->channel.space->host->features, FEATURE_PASSTHROUGH);

	named->channel.service = has_backing ? CHANNEL_BACKED : CHANNEL_FILE;
}

static void shm_close(struct channel *channel)
{
	if (channel->backing_fd >= 0)
		host_close(channel->space->host, channel->descriptors_uid, channel->backing_fd);
	channel->backing_fd = -1;
	channel_uncharge_descriptors(channel);
}

static void shm_destroy(struct channel *channel)
{
	shm_close(channel);
	named_fini(shm_from(channel));
	free(channel);
}

static int shm_stat(struct channel *channel, struct stat *ret_attr)
{
	if (channel->backing_fd < 0)
		return named_stat(shm_from(channel), ret_attr);
	return fstat(channel->backing_fd, ret_attr) < 0 ? -errno : 0;
}

/* A region to be sized. */
struct sizing {
	int fd;     /* open already; or -1: it is opened by its name, as the caller */
	int dir_fd; /* of the name */
	ino_t ino;
	off_t size;
	char name[NAME_MAX + 1];
};

static int sizing_act(void *data)
{
	const struct sizing *sizing = data;
	CLEANUP_FD int fd = -1;
	struct stat attr;
	char path[40];

	if (sizing->fd >= 0)
		return ftruncate(sizing->fd, sizing->size) < 0 ? -errno : 0;
	/* By now the name may be a FIFO's, which to open could take for ever. */
	fd = openat(sizing->dir_fd, sizing->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &attr) < 0)
		return -errno;
	if (attr.st_ino != sizing->ino)
		return -ESTALE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return truncate(path, sizing->size) < 0 ? -errno : 0;
}

/*
 * ftruncate(2) has its right from the open file, truncate(2) from the caller. To cut a region down
 * frees its pages, which takes as long as they are many.
 */
static int shm_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	const struct named *named = shm_from(channel);
	struct sizing sizing;
	const struct job_call call = {.place = file ? JOB_WORKER : JOB_THREAD,
				      .act = sizing_act,
				      .data = &sizing,
				      .size = sizeof(sizing)};

	memset(&sizing, 0, sizeof(sizing)); /* job_run() compares all of it */
	sizing.fd = file ? channel->backing_fd : -1;
	sizing.dir_fd = channel->space->dir_fd;
	sizing.ino = named->ino;
	sizing.size = size;
	strcpy(sizing.name, named->name);
	return job_run(channel->space->host, caller, &call);
}

static int shm_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	if (!settings_has(settings, SHM_SIZE))
		return 0;
	return shm_truncate(channel, NULL, (off_t)settings->values[SHM_SIZE], caller);
}

static void shm_status(struct channel *channel, struct caller *caller, struct row *row)
{
	const struct named *named = shm_from(channel);
	struct stat attr = {0};
	struct statx more = {0};

	if (shm_stat(channel, &attr) == 0) {
		row_add_bytes(row, "size", (uint64_t)attr.st_size);
		row_add_bytes(row, "bytes", (uint64_t)attr.st_blocks * 512);
	}
	statx(channel->space->dir_fd, named->name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME,
	      &more);
	if (more.stx_mask & STATX_BTIME && more.stx_ino == named->ino)
		row_add_time(row, "created",
			     &(struct timespec){.tv_sec = more.stx_btime.tv_sec,
						.tv_nsec = more.stx_btime.tv_nsec});
}

static int shm_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return named_change(shm_from(channel), channel->backing_fd, attr, changes, caller);
}

/* All who have it open share one descriptor: the kernel checks what each may do with it. */
static int shm_open_file(struct file *file, struct caller *caller)
{
	struct channel *channel = file->channel;
	int r;

	if (channel->backing_fd >= 0)
		return 0;
	r = channel_charge_descriptors(channel, caller->uid, 1);
	if (r < 0)
		return r;
	r = named_open(shm_from(channel), O_RDWR);
	if (r < 0)
		channel_uncharge_descriptors(channel);
	else
		channel->backing_fd = r;
	return r < 0 ? r : 0;
}

static void shm_release(struct file *file)
{
	if (file->channel->n_files == 0)
		shm_close(file->channel);
}

static ssize_t shm_read(struct file *file, void *data, size_t size, off_t offset)
{
	ssize_t n = pread(file->channel->backing_fd, data, size, offset);

	return n < 0 ? -errno : n;
}

static ssize_t shm_write(struct file *file, const void *data, size_t size, off_t offset)
{
	const struct iovec bytes = {.iov_base = (void *)data, .iov_len = size};
	/* Who appends has the kernel's offset, which knows nothing of what others have appended. */
	int flags = file->flags & O_APPEND ? RWF_APPEND : 0;
	ssize_t n = pwritev2(file->channel->backing_fd, &bytes, 1, offset, flags);

	return n < 0 ? -errno : n;
}

/* The names. */

static int shm_create(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry)
{
	CLEANUP_FD int fd = -1;
	struct channel *channel = NULL;
	struct stat made;
	int r;

	if (!S_ISREG(mode) || !shm_is_ours(name))
		return -EPERM;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	fd = named_open_at(named_space_from(space), name, O_CREAT | O_EXCL | O_RDWR, mode & 07777);
	if (fd < 0)
		r = fd;
	else if (settings_has(settings, SHM_SIZE) &&
		 ftruncate(fd, (off_t)settings->values[SHM_SIZE]) < 0)
		r = -errno;
	/* Still as the caller: by now the name may belong to someone else. */
	if (fd >= 0 && r < 0)
		unlinkat(space->dir_fd, name, 0);
	caller_leave();
	if (r < 0)
		return r;
	if (fstat(fd, &made) < 0)
		return -errno;
	r = named_find_made(space, name, made.st_ino, &channel);
	/* Its maker may use it whatever its mode; without privilege it might not open again. */
	if (r == 0 && channel->service == CHANNEL_FILE && channel->backing_fd < 0)
		channel->backing_fd = TAKE_FD(fd);
	ret_entry->channel = channel;
	return r;
}

/* Whoever lets go of a region last frees its pages: that is to be a worker. */
static void shm_let_go(struct space *space, struct caller *caller, int fd)
{
	if (fd >= 0)
		host_close(space->host, caller->uid, fd);
}

static int shm_remove(struct space *space, const char *name, struct caller *caller)
{
	int fd = openat(space->dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r = named_remove(space, name, caller);

	shm_let_go(space, caller, fd);
	return r;
}

static int shm_rename(struct space *space, const char *from, const char *to, unsigned flags,
		      struct caller *caller)
{
	int fd, r;

	if (!shm_is_ours(to))
		return -EPERM;
	r = named_check_owner(space, from, caller);
	if (r < 0)
		return r;
	r = named_check_owner(space, to, caller);
	if (r < 0 && r != -ENOENT)
		return r;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	fd = openat(space->dir_fd, to, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (renameat2(space->dir_fd, from, space->dir_fd, to, flags) < 0)
		r = -errno;
	caller_leave();
	shm_let_go(space, caller, fd);
	return r;
}

static const struct channel_ops shm_ops = {
	.destroy = shm_destroy,
	.stat = shm_stat,
	.change = shm_change,
	.truncate = shm_truncate,
	.open = shm_open_file,
	.release = shm_release,
	.read = shm_read,
	.write = shm_write,
	.status = shm_status,
	.set = shm_set,
};

static const struct space_ops shm_space_ops = {
	.destroy = named_space_destroy,
	.list = named_list,
	.lookup = named_lookup,
	.create = shm_create,
	.remove = shm_remove,
	.rename = shm_rename,
};

static int shm_space_open(struct space **ret_space, struct host *host)
{
	CLEANUP_FD int dir_fd = named_open_directory(host, SHM_PATH);
	struct named_space *space;

	if (dir_fd < 0)
		return dir_fd;
	space = calloc(1, sizeof(*space));
	if (!space)
		return -ENOMEM;
	*space = (struct named_space){
		.named_size = sizeof(struct named),
		.open_name = named_open_at,
		.unlink_name = named_unlink_at,
		.is_ours = shm_is_ours,
		.init = shm_init,
	};
	named_space_init(space, &shm_space_ops, host, &shm_kind, TAKE_FD(dir_fd));
	/* Another process's is at no path that our callers could use. */
	space->space.link_dir = *host->root ? NULL : SHM_PATH;
	*ret_space = &space->space;
	return 0;
}

const struct kind shm_kind = {
	.path = "shm",
	.home = NAMESPACE_IPC,
	.parameters = shm_parameters,
	.channel = &shm_ops,
	.open = shm_space_open,
};
