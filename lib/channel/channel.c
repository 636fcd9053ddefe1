// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels: references, waking, and the calls that need no open file. Only the loop runs waiters,
 * never the handler that woke them.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/attributes.h"
#include "lib/channel/record.h"
#include "lib/channel/transfer.h"

static void channel_run_wake(struct loop_task *task);
static void channel_run_attend(struct loop_task *task);

void channel_init(struct channel *channel, const struct channel_ops *ops, struct space *space,
		  enum channel_service service)
{
	channel->ops = ops;
	channel->space = space;
	channel->service = service;
	channel->traits = ops->traits;
	channel->n_refs = 1;
	channel->backing_fd = -1;
	channel->wake.run = channel_run_wake;
	channel->attend.run = channel_run_attend;
}

struct channel *channel_ref(struct channel *channel)
{
	channel->n_refs++;
	return channel;
}

void channel_unref(struct channel *channel)
{
	if (!channel)
		return;
	assert(channel->n_refs > 0);
	if (--channel->n_refs > 0)
		return;
	loop_cancel(channel->space->host->loop, &channel->wake);
	loop_cancel(channel->space->host->loop, &channel->attend);
	object_destroy(channel);
}

int channel_charge_descriptors(struct channel *channel, uid_t uid, unsigned n)
{
	int r;

	if (channel->n_descriptors == 0)
		channel->descriptors_uid = uid;
	r = user_charge(&channel->space->host->users, channel->descriptors_uid, USER_DESCRIPTORS,
			n);
	if (r == 0)
		channel->n_descriptors += n;
	return r;
}

void channel_uncharge_descriptors(struct channel *channel)
{
	user_uncharge(&channel->space->host->users, channel->descriptors_uid, USER_DESCRIPTORS,
		      channel->n_descriptors);
	channel->n_descriptors = 0;
}

bool channel_has_waiters(const struct channel *channel)
{
	return channel->readers || channel->writers || channel->openers || channel->polled;
}

void channel_wake(struct channel *channel, uint32_t events)
{
	if (!channel_has_waiters(channel) && !channel->lockers)
		return;
	channel->woken |= events;
	loop_defer(channel->space->host->loop, &channel->wake);
}

/* Notifies each poller once: the kernel polls again if someone still waits. */
static void channel_tell_polled(struct channel *channel, uint32_t events)
{
	unsigned n_told = 0;
	struct file *file, *next;

	DL_FOREACH_SAFE(channel->polled, file, next) {
		void (*polled)(struct file *) = file->polled;

		if (!(channel_poll(file) & (events | EPOLLHUP | EPOLLERR)))
			continue;
		if (n_told++ == TRANSFER_TURN) {
			transfer_retry_later(channel, events);
			break;
		}
		DL_DELETE(channel->polled, file);
		file->polled = NULL;
		channel_attend(channel);
		polled(file);
	}
}

static void channel_run_wake(struct loop_task *task)
{
	struct channel *channel = CONTAINER_OF(task, struct channel, wake);
	uint32_t events = channel->woken;

	channel_ref(channel);
	channel->woken = 0;
	transfer_retry(channel, events);
	channel_tell_polled(channel, events);
	channel_unref(channel);
}

void channel_attend(struct channel *channel)
{
	if (channel->ops->attend)
		loop_defer(channel->space->host->loop, &channel->attend);
}

static void channel_run_attend(struct loop_task *task)
{
	struct channel *channel = CONTAINER_OF(task, struct channel, attend);

	channel_ref(channel);
	channel->ops->attend(channel);
	channel_unref(channel);
}

/*
 * The size that stat(2) reports for a stream, which has none. With 0, splice(2) and sendfile(2)
 * would take that for the end and not even ask (linux/mm/filemap.c, filemap_splice_read); and
 * bash's `.` reads only as many bytes as stat(2) reports. With a page, splice(2) and sendfile(2)
 * ask; op_read() refuses what comes through the page cache, and programs fall back to read(2). With
 * less than a page, wc -c would believe the size.
 *
 * The blocks are the memory that it takes, for du(1) and ls -s, but a page at least: cp(1) would
 * look for holes in a file with fewer blocks than its size, and fail, as the file can't be sought.
 */
#define STREAM_SIZE HOST_PAGE

int channel_stat(struct channel *channel, struct stat *ret_attr)
{
	blkcnt_t memory;
	int r;

	*ret_attr = (struct stat){0};
	r = channel->ops->stat(channel, ret_attr);
	if (channel->service != CHANNEL_BACKED)
		ret_attr->st_blksize = HOST_BLOCK;
	if (channel->service == CHANNEL_STREAM) {
		memory = ret_attr->st_blocks;
		attributes_set_size(ret_attr, STREAM_SIZE);
		if (memory > ret_attr->st_blocks)
			ret_attr->st_blocks = memory;
	}
	return r;
}

/*
 * Clears a file's set-ID bits after a change of size, as the kernel asks for (linux/fs/open.c,
 * do_truncate). The daemon clears them as itself, because this is not a chmod(2), which only the
 * owner may do.
 */
static int drop_set_id(struct channel *channel, struct file *file, mode_t mode)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	struct stat now;
	int r = channel_stat(channel, &now);

	if (r == 0 && (now.st_mode & ~mode & (S_ISUID | S_ISGID))) {
		now.st_mode &= mode | ~(mode_t)(S_ISUID | S_ISGID);
		r = channel->ops->change(channel, file, &now, CHANGE_MODE, &self);
	}
	caller_fini(&self);
	return r;
}

static int change_size(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	int r = channel_truncate(channel, file, attr->st_size, caller);

	if (r < 0)
		return r;
	if (changes & CHANGE_MODE)
		r = drop_set_id(channel, file, attr->st_mode);
	changes &= ~(CHANGE_SIZE | CHANGE_MTIME | CHANGE_MODE);
	return r == 0 && changes ? channel->ops->change(channel, file, attr, changes, caller) : r;
}

int channel_change(struct channel *channel, struct file *file, const struct stat *attr,
		   unsigned changes, struct caller *caller)
{
	int r = file ? 0 : space_check_home(channel->space, caller);

	if (r < 0)
		return r;
	return changes & CHANGE_SIZE ? change_size(channel, file, attr, changes, caller)
				     : channel->ops->change(channel, file, attr, changes, caller);
}

int channel_truncate(struct channel *channel, struct file *file, off_t size, struct caller *caller)
{
	if (!channel->ops->truncate)
		return -EINVAL;
	return channel->ops->truncate(channel, file, size, caller);
}

int channel_empty(struct channel *channel, struct caller *caller)
{
	struct stat attr;
	int r = space_check_home(channel->space, caller);

	if (r == 0 && channel->service != CHANNEL_STREAM && channel->service != CHANNEL_NODE)
		r = -EINVAL;
	if (r == 0)
		r = channel_stat(channel, &attr);
	if (r == 0 && !caller_may(caller, &attr, W_OK))
		r = -EACCES;
	return r < 0 ? r : channel_truncate(channel, NULL, 0, caller);
}

void channel_status(struct channel *channel, struct caller *caller, struct row *row)
{
	if (channel->ops->status)
		channel->ops->status(channel, caller, row);
}

int channel_check_read(struct channel *channel, struct caller *caller)
{
	struct stat attr;
	int r;

	if (channel->ops->check_read)
		return channel->ops->check_read(channel, caller);
	r = channel_stat(channel, &attr);
	return r == 0 && !caller_may(caller, &attr, R_OK) ? -EACCES : r;
}

bool channel_has_peek(const struct channel *channel)
{
	return channel->ops->peek && !(channel->traits & CHANNEL_HAS_NO_PEEK);
}

int channel_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	if (!channel_has_peek(channel))
		return -EOPNOTSUPP;
	return channel->ops->peek(channel, caller, out);
}

int channel_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	return channel->ops->measure ? channel->ops->measure(channel, caller, row) : 0;
}

int channel_show(struct channel *channel, uint64_t node, struct caller *caller)
{
	return channel->ops->show ? channel->ops->show(channel, node, caller) : 0;
}

int channel_door(struct channel *channel, int flags, struct channel **ret_door)
{
	return channel->ops->door ? channel->ops->door(channel, flags, ret_door) : -EOPNOTSUPP;
}

int channel_footprint(struct channel *channel, struct caller *caller,
		      struct footprint *ret_footprint)
{
	struct stat attr;
	int r = channel_stat(channel, &attr);

	if (r < 0)
		return r;
	/* An object that the daemon itself keeps is on no device: st_dev is 0. */
	*ret_footprint = (struct footprint){.dev = attr.st_dev, .ino = attr.st_ino};
	if (!channel->ops->footprint)
		return 0;
	return channel->ops->footprint(channel, caller, ret_footprint);
}

int channel_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	int r = channel->ops->set ? space_check_home(channel->space, caller) : -EINVAL;

	return r < 0 ? r : channel->ops->set(channel, settings, caller);
}
