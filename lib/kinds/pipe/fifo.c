// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FIFOs: the kernel alone moves the bytes, and the daemon does not see opens, reads, writes or
 * closes. All it can do is hold the ends of kept FIFOs (hold.h), from the lookup that begins every
 * open. Plain FIFOs and sockets are only names to the daemon.
 */
#include "lib/kinds/pipe/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"
#include "lib/kinds/pipe/door.h"
#include "lib/kinds/pipe/keeper.h"

static int run(struct pipe *pipe, struct caller *caller, const struct job_call *call)
{
	return job_run(pipe->kept.channel.space->host, caller, call);
}

/*
 * Runs a job, and charges its thread to the owner of the pipe. A process that keeps the lock of the
 * pipe can block that thread for good. If callers were charged for it, an owner could use up their
 * threads.
 */
static int look(struct pipe *pipe, struct caller *caller, const struct job_call *call)
{
	struct caller owner = {.uid = pipe->hold.uid, .gid = caller->gid, .waiter = caller->waiter};

	return run(pipe, &owner, call);
}

/*
 * How long a lookup waits for the lock of a pipe. If a process holds the lock for longer, the name
 * is shown without a hold, so that it can be removed, and for STUCK_MOST no further lookup waits.
 * Once the lock is free, the pipe is held after all.
 */
#define OPEN_MOST  (CLOCK_S / 2)
#define STUCK_MOST (10 * CLOCK_S)

static void opening_undo(struct host *host, struct caller *caller, void *data)
{
	struct ends_opening *opening = data;
	struct fifo_hold *hold = keeper_find_late(opening->keeper, opening->node);

	if (hold)
		hold_take(hold, opening);
	else
		keeper_drop(opening->keeper, caller->uid, opening);
}

static int pause_for(struct pipe *pipe, struct caller *caller)
{
	uint64_t node = pipe->node;
	int r = run(pipe, caller,
		    &(struct job_call){.place = JOB_ALONE,
				       .is_final = true,
				       .act = ends_pause,
				       .data = &node,
				       .size = sizeof(node)});

	return r == 0 ? -EIO : r;
}

/*
 * Waits until the owner has room for one more hold, by jobs that sleep. The kernel may hold a
 * directory's lock meanwhile, but not for long: fs/lock_time.h.
 */
static int await_room(struct pipe *pipe, struct caller *caller)
{
	int r, paused = 0;

	if (caller->waiter)
		job_take_result(caller->waiter, ends_pause, &paused);
	/*
	 * If the caller has a job, that job is opening the FIFO: the caller had its turn already.
	 */
	r = caller->waiter && caller->waiter->job ? 0 : hold_room(&pipe->hold);
	if (r != -EBUSY)
		return r;
	return pause_for(pipe, caller);
}

static int fifo_hold(struct pipe *pipe, struct caller *caller)
{
	struct host *host = pipe->kept.channel.space->host;
	struct ends_opening opening;
	int r;

	if (hold_renew(&pipe->hold) || pipe->hold.keeper->has_gone)
		return 0;
	r = host->nodes.open ? await_room(pipe, caller) : -EOPNOTSUPP;
	if (r < 0)
		return r;
	opening = (struct ends_opening){
		.node = pipe->node,
		.nodes = host->nodes,
		.keeper = pipe->hold.keeper,
		.inotify_fd = pipe->hold.keeper->inotify.fd,
		.size = (int)hold_size(&pipe->hold, pipe->capacity),
		.has_end = !pipe->has_no_end,
		.read_fd = -1,
		.write_fd = -1,
		.watch = -1,
	};
	r = look(pipe, caller,
		 &(struct job_call){.place = JOB_ALONE,
				    .is_final = true,
				    .most = OPEN_MOST,
				    .is_single = true,
				    .act = ends_open,
				    .data = &opening,
				    .size = sizeof(opening),
				    .n_key = sizeof(opening.node),
				    .undo = opening_undo});
	/* The job of another caller is opening the FIFO already. */
	if (r == -EBUSY)
		return pause_for(pipe, caller);
	if (r < 0)
		return r;
	return hold_take(&pipe->hold, &opening);
}

static int fifo_show(struct channel *channel, uint64_t node, struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	int r;

	pipe->node = node;
	pipe_record(channel->record)->node = node;
	if (!pipe->is_kept || hold_renew(&pipe->hold) || clock_now() < pipe->stuck)
		return 0;
	r = fifo_hold(pipe, caller);
	if (r != -ETIMEDOUT) {
		pipe->stuck = 0;
		return r;
	}
	pipe->stuck = clock_now() + STUCK_MOST;
	hold_await(&pipe->hold, node);
	return 0;
}

/* How long a caller waits for a process that keeps the lock of the pipe for good. */
#define LOOK_MOST CLOCK_S

/* Runs a job on the read end. Fails with -ESTALE if the FIFO is not held, or no longer held. */
static int ask(struct pipe *pipe, struct caller *caller, int (*act)(void *data),
	       struct ends_job *job)
{
	if (!hold_pin(&pipe->hold, &job->read_end))
		return -ESTALE;
	return look(pipe, caller,
		    &(struct job_call){.place = JOB_ALONE,
				       .most = LOOK_MOST,
				       .is_single = true,
				       .act = act,
				       .data = job,
				       .size = sizeof(*job)});
}

static int fifo_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	struct pipe *pipe = pipe_from(channel);
	struct ends_job job;
	int r;

	memset(&job, 0, sizeof(job)); /* job_run() compares all of it */
	pipe->n_bytes = 0;
	pipe->size = pipe->hold.is_held && pipe->hold.charged ? (int)pipe->hold.charged : -1;
	if (!hold_pin(&pipe->hold, &job.read_end))
		return pipe->stuck ? -ETIMEDOUT : 0;
	if (row->is_brief && fifo_is_empty(&pipe->hold))
		return 0;
	r = look(pipe, caller,
		 &(struct job_call){.place = JOB_ALONE,
				    .most = row->most,
				    .is_single = true,
				    .act = ends_measure,
				    .data = &job,
				    .size = sizeof(job)});
	if (r == 0) {
		pipe->n_bytes = job.n_bytes;
		pipe->size = job.capacity;
	}
	if (r == -EBUSY)
		return -ETIMEDOUT;
	return r == -ESTALE ? 0 : r;
}

static void peek_undo(struct host *host, struct caller *caller, void *data)
{
	struct ends_job *job = data;

	free(job->bytes);
}

static int fifo_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	struct pipe *pipe = pipe_from(channel);
	struct ends_job job;
	int r;

	memset(&job, 0, sizeof(job)); /* job_run() compares all of it */
	if (!hold_pin(&pipe->hold, &job.read_end))
		return 0;
	r = look(pipe, caller,
		 &(struct job_call){.place = JOB_ALONE,
				    .most = LOOK_MOST,
				    .is_single = true,
				    .act = ends_peek,
				    .data = &job,
				    .size = sizeof(job),
				    .undo = peek_undo});
	if (r == 0)
		fwrite(job.bytes, 1, (size_t)job.n_bytes, out);
	if (!job_is_awaited(r))
		free(job.bytes);
	return r == -ESTALE ? 0 : r;
}

/* Serves `empty` in ctl. The kernel itself refuses truncate(2) on a FIFO. */
static int fifo_truncate(struct channel *channel, struct file *file, off_t size,
			 struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat now = {0};
	struct ends_job job;
	int r;

	if (size != 0 || !pipe->is_kept)
		return -EINVAL;
	attributes_stat(pipe->kept.attributes, &now);
	if (!caller_may(caller, &now, R_OK))
		return -EACCES;
	memset(&job, 0, sizeof(job)); /* job_run() compares all of it */
	r = ask(pipe, caller, ends_empty, &job);
	if (job_is_awaited(r))
		return r;
	hold_look(&pipe->hold);
	return r == -ESTALE ? 0 : r;
}

/* Sets the capacity. Fails with -EPERM, as fcntl(2) does, if the owner may not have that much. */
static int fifo_resize(struct pipe *pipe, size_t size, struct caller *caller)
{
	struct ends_job job;
	int r;

	memset(&job, 0, sizeof(job)); /* job_run() compares all of it */
	job.size = (int)size;
	if (!hold_may_resize(&pipe->hold, size))
		return -EPERM;
	r = ask(pipe, caller, ends_resize, &job);
	if (r == 0) {
		hold_resized(&pipe->hold, (size_t)job.capacity);
		channel_save(&pipe->kept.channel);
	}
	return r == -ESTALE ? 0 : r;
}

/*
 * Sets whether the FIFO is kept. A FIFO that was not kept may be in use already, so it is held at
 * once if the mount ever showed it.
 */
static int fifo_set_keep(struct pipe *pipe, bool is_kept, struct caller *caller)
{
	int r;

	if (is_kept && !pipe->hold.keeper)
		return -EOPNOTSUPP;
	if (!is_kept) {
		pipe_set_kept(pipe, false);
		channel_save(&pipe->kept.channel);
		hold_end(&pipe->hold);
		return 0;
	}
	hold_begin(&pipe->hold);
	/*
	 * Set before the FIFO is held: a write end that is opened and closed again would let a
	 * reader out of open(2), to find end-of-file.
	 */
	pipe->hold.has_no_end = pipe->has_no_end;
	r = pipe->node && !pipe->is_kept ? fifo_hold(pipe, caller) : 0;
	if (r < 0 && r != -ESTALE)
		return r;
	/* The name was removed meanwhile, and without it nothing else would ever end the hold. */
	if (!pipe->kept.name) {
		hold_doom(&pipe->hold);
		return -ENOENT;
	}
	pipe_set_kept(pipe, true);
	channel_save(&pipe->kept.channel);
	hold_set_end(&pipe->hold, pipe->has_no_end);
	return 0;
}

static bool keeps(const struct pipe *pipe, const struct settings *settings)
{
	return settings_has(settings, PIPE_KEEP) ? settings->values[PIPE_KEEP] == KEEP_YES
						 : pipe->is_kept;
}

/* Nothing can be set on a socket, and on a plain FIFO only if `keep` is given as well. */
static int fifo_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	bool may_set = S_ISFIFO(pipe->kept.attributes->mode) &&
		       (settings_has(settings, PIPE_KEEP) || pipe->is_kept);
	int r = may_set ? pipe_check_set(pipe, settings, caller) : -EINVAL;

	if (r == 0 && settings_has(settings, PIPE_CAPACITY) && pipe->is_kept)
		r = fifo_resize(pipe, settings->values[PIPE_CAPACITY], caller);
	if (r < 0)
		return r;
	pipe_take(pipe, settings);
	return fifo_set_keep(pipe, keeps(pipe, settings), caller);
}

/*
 * The FIFO was just made, and nobody has seen it yet. If its creator wants to read as well as
 * write, it becomes a served pipe instead, where the daemon serves reads too.
 */
static int fifo_door(struct channel *channel, int flags, struct channel **ret_door)
{
	struct pipe *pipe = pipe_from(channel);

	if (!pipe->is_kept)
		return -EOPNOTSUPP;
	if ((flags & O_ACCMODE) == O_WRONLY)
		return door_new(pipe, ret_door);
	pipe->is_kept = false;
	pipe->kept.attributes->mode = S_IFREG | (pipe->kept.attributes->mode & 07777);
	channel->service = CHANNEL_STREAM;
	channel->ops = &served_ops;
	channel->traits = served_ops.traits;
	channel_save(channel);
	*ret_door = channel_ref(channel);
	return 0;
}

/*
 * A write is noticed when its writer leaves. If the writer stays, the next stat(2) notices it, by
 * finding something in the pipe. This matters to tail(1), which does not read a file whose time has
 * not changed.
 */
static int fifo_stat(struct channel *channel, struct stat *ret_attr)
{
	struct pipe *pipe = pipe_from(channel);

	hold_tell_times(&pipe->hold, pipe->kept.attributes);
	return pipe_stat(channel, ret_attr);
}

const struct channel_ops fifo_ops = {
	.destroy = pipe_destroy,
	.stat = fifo_stat,
	.change = pipe_change,
	.truncate = fifo_truncate,
	.status = fifo_add_status,
	.peek = fifo_peek,
	.measure = fifo_measure,
	.show = fifo_show,
	.door = fifo_door,
	.set = fifo_set,
	.disuse = fifo_disuse,
	.save = pipe_save,
};
