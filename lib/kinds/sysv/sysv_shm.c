// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System V shared memory of the IPC namespace.
 *
 * Mappings go to the segment itself where the mount can hand files to the kernel. Writes come here,
 * because they could make its file grow beyond the segment. A newly created name has no size yet.
 * It becomes a segment when it is truncated to a size.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/sysv/sysv.h"
#include "lib/kinds/sysv/sysv_disuse.h"
#include "lib/kinds/sysv/sysv_shm_birth.h"
#include "lib/kinds/sysv/sysv_shm_data.h"

enum { SEGMENT_SIZE };

static const struct parameter segment_parameters[] = {
	[SEGMENT_SIZE] = {"size", PARAMETER_SIZE, .min = 1, .max = INT64_MAX, .is_fixed = true},
	{.name = NULL},
};

struct segment_space {
	struct sysv_space sysv;
	dev_t dev; /* of the kernel's own tmpfs */
};

static const struct channel_ops segment_ops;

struct sysv_segment *sysv_segment_from(struct channel *channel)
{
	assert(channel->ops == &segment_ops);
	return CONTAINER_OF(sysv_from(channel), struct sysv_segment, sysv);
}

static const struct space_ops segment_space_ops;

static struct segment_space *segment_space_from(struct space *space)
{
	assert(space->ops == &segment_space_ops);
	return CONTAINER_OF(sysv_space_from(space), struct segment_space, sysv);
}

static int segment_control(int id, int command, union sysv_data *data)
{
	int r = shmctl(id, command, &data->segment);

	return r < 0 ? -errno : r;
}

static int segment_get(key_t key, int flags, size_t size)
{
	int id = shmget(key, size, flags);

	return id < 0 ? -errno : id;
}

static int segment_find(key_t key)
{
	return segment_get(key, 0, 0);
}

static void segment_fill(const union sysv_data *data, struct stat *attr)
{
	attr->st_atim.tv_sec = data->segment.shm_atime;
	attr->st_mtim.tv_sec = data->segment.shm_dtime;
	attr->st_ctim.tv_sec = data->segment.shm_ctime;
}

static void segment_constants(const union sysv_data *data, struct sysv_identity *identity)
{
	identity->size = (long)data->segment.shm_segsz;
	identity->maker = data->segment.shm_cpid;
}

static const struct sysv_calls segment_calls = {
	.control = segment_control,
	.find = segment_find,
	.stat_any = SHM_STAT_ANY,
	.fill = segment_fill,
	.constants = segment_constants,
};

/* The operations on the channel of a segment. */

static void segment_destroy(struct channel *channel)
{
	struct sysv_segment *segment = sysv_segment_from(channel);

	sysv_shm_close(segment);
	if (sysv_segment_is_born(segment))
		sysv_fini(&segment->sysv);
	sysv_segment_uncharge(segment);
	free(segment);
}

/* A segment that was removed still has attributes for the files that are open. */
static int segment_stat(struct channel *channel, struct stat *ret_attr)
{
	struct sysv_segment *segment = sysv_segment_from(channel);
	union sysv_data data;
	int r;

	if (!sysv_segment_is_born(segment)) {
		attributes_stat(&segment->attributes, ret_attr);
		ret_attr->st_nlink = 1;
		return 0;
	}
	r = sysv_data(&segment->sysv, &data);
	if (r < 0)
		return sysv_stat_gone(&segment->sysv, r, ret_attr);
	sysv_attributes(&segment->sysv, &data, ret_attr);
	ret_attr->st_dev = segment_space_from(channel->space)->dev;
	ret_attr->st_size = (off_t)data.segment.shm_segsz;
	ret_attr->st_blocks = (ret_attr->st_size + 511) / 512;
	segment->sysv.last = *ret_attr;
	return 0;
}

static int segment_open(struct file *file, struct caller *caller)
{
	struct sysv_segment *segment = sysv_segment_from(file->channel);
	union sysv_data data;
	int r;

	if (!sysv_segment_is_born(segment))
		return 0;
	r = sysv_data(&segment->sysv, &data);
	if (r == 0)
		r = sysv_shm_open(segment, &data, file_writes(file), caller);
	return r == -EIDRM ? -ESTALE : r;
}

static void segment_release(struct file *file)
{
	if (file->channel->n_files == 0)
		sysv_shm_close(sysv_segment_from(file->channel));
}

/* A segment keeps the size that it was made with. */
static int segment_truncate(struct channel *channel, struct file *file, off_t size,
			    struct caller *caller)
{
	struct sysv_segment *segment = sysv_segment_from(channel);
	struct stat now;
	int r;

	if (!sysv_segment_is_born(segment))
		return sysv_segment_bear(segment, size, caller);
	r = segment_stat(channel, &now);
	if (r == 0 && !file && !caller_may(caller, &now, W_OK))
		r = -EACCES;
	return r == 0 && size != now.st_size ? -EINVAL : r;
}

static int segment_change(struct channel *channel, struct file *file, const struct stat *attr,
			  unsigned changes, struct caller *caller)
{
	struct sysv_segment *segment = sysv_segment_from(channel);
	int r;

	if (sysv_segment_is_born(segment))
		return sysv_change(channel, file, attr, changes, caller);
	/* Fails, so that touch(1) reports that it has made no segment. */
	if (changes & (CHANGE_ATIME | CHANGE_MTIME))
		return -EINVAL;
	r = attributes_change(&segment->attributes, attr, changes, caller);
	channel_save(channel);
	return r;
}

/* A segment that does not exist yet, or no longer, has no list: its mode is all there is. */
static ssize_t segment_get_acl(struct channel *channel, void *ret_data, size_t size)
{
	ssize_t n = -ESTALE;

	if (sysv_segment_is_born(sysv_segment_from(channel)))
		n = sysv_get_acl(channel, ret_data, size);
	return n == -ESTALE ? -ENODATA : n;
}

/* Maps of memfds, huge pages and /dev/zero may have the same numbers: only the path differs. */
static int segment_footprint(struct channel *channel, struct caller *caller,
			     struct footprint *footprint)
{
	footprint->map_path = "/SYSV";
	return 0;
}

/* SHM_STAT_ANY tells this to everybody. */
static void segment_status(struct channel *channel, struct caller *caller, struct row *row)
{
	union sysv_data data;

	if (sysv_status(&sysv_segment_from(channel)->sysv, row, &data) < 0)
		return;
	row_add_bytes(row, "size", data.segment.shm_segsz);
	row_add_bytes(row, "bytes", data.segment.shm_segsz);
	row_add_number(row, "attached", data.segment.shm_nattch);
	row_add_signed(row, "creator", data.segment.shm_cpid);
	row_add_signed(row, "last-user", data.segment.shm_lpid);
	if (data.perm.mode & SHM_DEST)
		row_add_word(row, "state", "dest");
}

/* The directory of the segments. */

/* Settings without a size give the error that shmget(2) has for a size of 0. */
static int segment_create(struct space *space, const char *name, mode_t mode,
			  const struct settings *settings, struct caller *caller,
			  struct entry *ret_entry)
{
	size_t size = settings_has(settings, SEGMENT_SIZE) ? settings->values[SEGMENT_SIZE] : 0;

	if (!settings)
		return sysv_segment_conceive(space, name, mode, caller, ret_entry);
	return sysv_make(space, name, mode, caller, segment_get, size, ret_entry);
}

static const char *segment_explain(struct channel *channel, const char *name,
				   const struct settings *settings, int error)
{
	if (channel || (error != -EINVAL && error != -ENOSPC))
		return NULL;
	if (sysv_explain_name(name))
		return sysv_explain_name(name);
	if (error == -ENOSPC)
		return "too many segments, or too much memory in them (shmmni, shmall)";
	return settings_has(settings, SEGMENT_SIZE)
		       ? "size= is above the limit in /proc/sys/kernel/shmmax"
		       : "size= is missing";
}

static int segment_remove(struct space *space, const char *name, struct caller *caller)
{
	struct waiter *waiter = caller->waiter;
	struct entry entry = {0};

	/* A waiter with a job or memory belongs to a ctl line, for which no directory is locked. */
	if (waiter && !waiter->job && !waiter->memory &&
	    sysv_lookup(space, name, caller, &entry) == 0) {
		sysv_shm_hold(sysv_segment_from(entry.channel), waiter);
		channel_unref(entry.channel);
	}
	return sysv_remove(space, name, caller);
}

static const struct channel_ops segment_ops = {
	.traits = CHANNEL_WRITES_BY_JOB,
	.destroy = segment_destroy,
	.stat = segment_stat,
	.change = segment_change,
	.get_acl = segment_get_acl,
	.truncate = segment_truncate,
	.open = segment_open,
	.release = segment_release,
	.read = sysv_shm_read,
	.write = sysv_shm_write,
	.status = segment_status,
	.footprint = segment_footprint,
	.disuse = sysv_segment_disuse,
	.reap = sysv_reap,
	.save = sysv_segment_save,
	.adopt = sysv_segment_adopt,
	.adopt_file = sysv_segment_adopt_file,
};

static const struct space_ops segment_space_ops = {
	.destroy = sysv_space_destroy,
	.list = sysv_list,
	.lookup = sysv_lookup,
	.create = segment_create,
	.remove = segment_remove,
	.room = sysv_room_for_segments,
	.count = sysv_count_segments,
};

static void segment_init(struct sysv *sysv)
{
	struct sysv_segment *segment = CONTAINER_OF(sysv, struct sysv_segment, sysv);

	segment->charged = (uid_t)-1;
}

/* The kernel has its segments where memfd_create(2) has its files (ipc/shm.c, mm/shmem.c). */
static dev_t find_dev(void)
{
	CLEANUP_FD int fd = memfd_create("ipcfs", MFD_CLOEXEC);
	struct stat attr = {0};

	if (fd >= 0)
		fstat(fd, &attr);
	return attr.st_dev;
}

static int segment_space_open(struct space **ret_space, struct host *host)
{
	CLEANUP_FREE struct segment_space *space = calloc(1, sizeof(*space));
	int r;

	if (!space)
		return -ENOMEM;
	space->dev = find_dev();
	space->sysv.calls = &segment_calls;
	space->sysv.service = CHANNEL_MAPPED;
	space->sysv.object_size = sizeof(struct sysv_segment);
	space->sysv.init = segment_init;
	r = sysv_space_init(&space->sysv, &segment_space_ops, host, &sysv_shm_kind);
	if (r == 0)
		*ret_space = &TAKE_PTR(space)->sysv.space;
	return r;
}

const struct kind sysv_shm_kind = {
	.path = "sysv/shm",
	.home = NAMESPACE_IPC,
	.parameters = segment_parameters,
	.ino_bits = INO_UNIT_BITS,
	.ino_is_cut = true, /* see sysv.h */
	.channel = &segment_ops,
	.canonical = sysv_canonical,
	.explain = segment_explain,
	.open = segment_space_open,
};
