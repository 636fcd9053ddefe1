// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared memory: the POSIX regions of the machine, which are the files of /dev/shm.
 *
 * Where the mount can hand files to the kernel (passthrough), reads, writes and mappings go to the
 * region itself and never come here. To find out whether a caller may open a region, the daemon
 * opens it as the caller. Without passthrough a region is shown as a symbolic link to itself, and
 * the daemon serves it only to a caller that has just made it through the mount, until that caller
 * closes it.
 *
 * Names that begin with "sem." are semaphores (sem_overview(7)) and not ours.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/backing.h"
#include "lib/channel/kernel_names.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/region.h"
#include "lib/kinds/posix/region_xattr.h"
#include "lib/kinds/posix/shm_make.h"
#include "lib/kinds/posix/shm_record.h"
#include "lib/kinds/posix/shm_size.h"

#define SHM_PATH "/dev/shm"

enum { SHM_SIZE };

static const struct parameter shm_parameters[] = {
	[SHM_SIZE] = {"size", PARAMETER_SIZE, .max = INT64_MAX, .is_initial = true},
	{.name = NULL},
};

/*
 * channel::backing_fd is O_PATH where the kernel serves the region, and open for reading and
 * writing where the daemon does.
 */
struct shm {
	struct named named;
	struct loop_task made; /* queued: the region was just made, and its maker may open it */
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

static void shm_close(struct channel *channel)
{
	int fd = channel->backing_fd;

	channel->backing_fd = -1;
	/* From the close on, the number may be that of another descriptor. */
	channel_save(channel);
	if (fd >= 0)
		host_close(channel->space->host, channel->descriptors_uid, fd);
	channel_uncharge_descriptors(channel);
}

static bool shm_is_served(const struct channel *channel)
{
	return channel->service == CHANNEL_FILE;
}

static void shm_run_made(struct loop_task *task)
{
	struct channel *channel = &CONTAINER_OF(task, struct shm, made)->named.channel;

	/* With a record, it has been open before: in the former daemon. */
	if (channel->n_files == 0 && (!shm_is_served(channel) || channel->record))
		shm_close(channel);
}

static void shm_init(struct named *named)
{
	bool has_backing = features_has(&named->channel.space->host->features, FEATURE_PASSTHROUGH);

	named->channel.service = has_backing ? CHANNEL_BACKED : CHANNEL_FILE;
	CONTAINER_OF(named, struct shm, named)->made.run = shm_run_made;
}

static void shm_destroy(struct channel *channel)
{
	struct named *named = shm_from(channel);
	struct shm *shm = CONTAINER_OF(named, struct shm, named);

	loop_cancel(channel->space->host->loop, &shm->made);
	shm_close(channel);
	named_fini(named);
	free(shm);
}

static int shm_stat(struct channel *channel, struct stat *ret_attr)
{
	return region_stat(shm_from(channel), channel->backing_fd, ret_attr);
}

static int shm_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	return shm_resize(shm_from(channel), file, size, caller);
}

static int shm_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	if (!settings_has(settings, SHM_SIZE))
		return 0;
	return shm_truncate(channel, NULL, (off_t)settings->values[SHM_SIZE], caller);
}

static void shm_status(struct channel *channel, struct caller *caller, struct row *row)
{
	int fd = channel->backing_fd >= 0 ? -1 : region_find(shm_from(channel));
	struct stat attr = {0};
	struct statx more = {0};

	if (shm_stat(channel, &attr) == 0) {
		row_add_bytes(row, "size", (uint64_t)attr.st_size);
		row_add_bytes(row, "bytes", (uint64_t)attr.st_blocks * 512);
	}
	statx(fd >= 0 ? fd : channel->backing_fd, "", AT_EMPTY_PATH, STATX_BTIME, &more);
	if (fd >= 0)
		region_let_go(channel->space->host, fd);
	if (more.stx_mask & STATX_BTIME)
		row_add_time(row, "created",
			     &(struct timespec){.tv_sec = more.stx_btime.tv_sec,
						.tv_nsec = more.stx_btime.tv_nsec});
}

static int shm_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return region_change(shm_from(channel), channel->backing_fd, attr, changes, caller);
}

static ssize_t shm_get_acl(struct channel *channel, void *data, size_t size)
{
	return region_get_acl(shm_from(channel), channel->backing_fd, data, size);
}

static ssize_t shm_get_xattr(struct channel *channel, const char *name, const struct iovec *room,
			     struct caller *caller)
{
	return region_get_xattr(shm_from(channel), channel->backing_fd,
				&(struct region_xattr){name, *room}, caller);
}

static int shm_set_xattr(struct channel *channel, const struct xattr *xattr, struct caller *caller)
{
	return region_set_xattr(shm_from(channel), channel->backing_fd, xattr, caller);
}

/*
 * Returns 0 if the caller may open the region this way, else -errno. Tries it, and closes the
 * region again.
 */
static int shm_ask(struct file *file, struct caller *caller)
{
	struct channel *channel = file->channel;
	int flags = file->flags & (O_ACCMODE | O_APPEND | O_NOATIME | O_NONBLOCK);
	int fd;

	/* O_TRUNC takes the right to write. */
	if ((file->flags & O_TRUNC) && !file_writes(file))
		flags |= O_RDWR;
	fd = region_open(shm_from(channel), channel->backing_fd, flags, caller);
	if (fd < 0)
		return fd;
	close(fd); /* not the last: backing_fd is open */
	return 0;
}

/* Only the maker opens a region that the daemon serves: others find a symbolic link. */
static int shm_open_served(struct file *file, struct caller *caller)
{
	struct channel *channel = file->channel;
	int r;

	if (channel->backing_fd >= 0)
		return 0;
	r = channel_charge_descriptors(channel, caller->uid, 1);
	if (r < 0)
		return r;
	r = region_open_now(shm_from(channel), -1, O_RDWR, caller);
	if (r < 0)
		channel_uncharge_descriptors(channel);
	else
		channel->backing_fd = r;
	return r < 0 ? r : 0;
}

static int shm_open_file(struct file *file, struct caller *caller)
{
	struct channel *channel = file->channel;
	int r = 0;

	if (shm_is_served(channel))
		return shm_open_served(file, caller);
	if (channel->n_descriptors == 0)
		r = channel_charge_descriptors(channel, caller->uid, 1);
	if (r == 0 && channel->backing_fd < 0) {
		r = region_find(shm_from(channel));
		channel->backing_fd = r < 0 ? -1 : r;
		r = r < 0 ? r : 0;
	}
	/* The maker may open the region whatever its mode. */
	if (r == 0 && !(file->flags & O_CREAT))
		r = shm_ask(file, caller);
	if (r < 0 && channel->n_files == 1)
		shm_close(channel);
	return r;
}

static void shm_release(struct file *file)
{
	if (file->channel->n_files == 0)
		shm_close(file->channel);
}

static ssize_t shm_read(struct file *file, void *data, size_t size, off_t offset)
{
	/*
	 * If the kernel did not take the file for passthrough after all, each read opens the
	 * region.
	 */
	CLEANUP_FD int opened = shm_is_served(file->channel)
					? -1
					: backing_use(file->channel->backing_fd, O_RDONLY);
	ssize_t n;

	if (!shm_is_served(file->channel) && opened < 0)
		return opened;
	n = pread(opened >= 0 ? opened : file->channel->backing_fd, data, size, offset);
	return n < 0 ? -errno : n;
}

static ssize_t shm_write(struct file *file, const void *data, size_t size, off_t offset)
{
	return backing_write(file,
			     &(struct backing_place){.fd = file->channel->backing_fd,
						     .is_path = !shm_is_served(file->channel),
						     .appends = file->flags & O_APPEND,
						     .offset = offset,
						     .size = size,
						     .may_wait = true},
			     data);
}

static int shm_create(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry)
{
	struct shm_making making;
	struct channel *channel = NULL;
	struct stat made;
	int r;

	if (!S_ISREG(mode) || !shm_is_ours(name))
		return -EPERM;
	shm_making_init(&making, space, name, mode & 07777);
	making.size = settings_has(settings, SHM_SIZE) ? (off_t)settings->values[SHM_SIZE] : 0;
	r = shm_make(space, caller, &making);
	if (r < 0)
		return r;
	r = fstat(making.fd, &made) < 0 ? -errno : 0;
	if (r == 0)
		r = named_get(named_space_from(space), name, made.st_ino, &channel);
	if (r == 0 && channel->backing_fd < 0)
		channel->backing_fd = TAKE_FD(making.fd);
	if (making.fd >= 0)
		host_close(space->host, caller->uid, making.fd);
	if (r == 0)
		loop_defer(space->host->loop,
			   &CONTAINER_OF(shm_from(channel), struct shm, named)->made);
	ret_entry->channel = channel;
	return r;
}

static int shm_adopt(struct space *space, struct object_record *record,
		     struct channel **ret_channel)
{
	int r = shm_adopt_region(space, record, ret_channel);

	/* If no file is adopted, nobody will close it. */
	if (r == 0)
		loop_defer(space->host->loop,
			   &CONTAINER_OF(shm_from(*ret_channel), struct shm, named)->made);
	return r;
}

static const char *shm_explain(struct channel *channel, const char *name,
			       const struct settings *settings, int error)
{
	return error == -EPERM && !channel && !shm_is_ours(name)
		       ? "names a semaphore (sem.*); create it in sems"
		       : NULL;
}

static int shm_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	return region_disuse(shm_from(channel), disuse);
}

static const struct channel_ops shm_ops = {
	.traits = CHANNEL_WRITES_BY_JOB,
	.destroy = shm_destroy,
	.stat = shm_stat,
	.change = shm_change,
	.get_acl = shm_get_acl,
	.get_xattr = shm_get_xattr,
	.set_xattr = shm_set_xattr,
	.truncate = shm_truncate,
	.open = shm_open_file,
	.release = shm_release,
	.read = shm_read,
	.write = shm_write,
	.status = shm_status,
	.set = shm_set,
	.disuse = shm_disuse,
	.reap = named_reap,
	.save = shm_save,
	.adopt = shm_adopt,
	.adopt_file = shm_adopt_file,
};

static const struct space_ops shm_space_ops = {
	.destroy = named_space_destroy,
	.list = region_list,
	.lookup = region_lookup,
	.create = shm_create,
	.remove = region_remove,
	.rename = region_rename,
	.room = region_room,
	.count = region_count, /* those of sems/, too */
	.inherits = region_inherits,
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
		.named_size = sizeof(struct shm),
		.open_name = named_open_at,
		.unlink_name = named_unlink_at,
		.is_ours = shm_is_ours,
		.init = shm_init,
		.is_in_memory = region_is_in_memory(dir_fd),
	};
	named_space_init(space, &shm_space_ops, host, &shm_kind, TAKE_FD(dir_fd));
	/* Another process's /dev/shm has no path that our callers could use. */
	space->space.link_dir = *host->root ? NULL : SHM_PATH;
	*ret_space = &space->space;
	return 0;
}

const struct kind shm_kind = {
	.path = "shm",
	.home = NAMESPACE_IPC,
	.parameters = shm_parameters,
	.ino_bits = 26,
	.channel = &shm_ops,
	.explain = shm_explain,
	.open = shm_space_open,
};
