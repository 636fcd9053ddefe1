// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Most functions here note what has happened and call hold_look(), which decides from the present
 * state of the hold and the pipe what to do next.
 */
#include "lib/kinds/pipe/hold.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/record.h"
#include "lib/kinds/pipe/keeper.h"

static void hold_dispatch(struct loop_source *source, uint32_t events)
{
	struct fifo_hold *hold = CONTAINER_OF(source, struct fifo_hold, read_end);

	if (hold->is_held && ends_look(source->fd) & EPOLLIN) {
		attributes_touch(&hold->written);
		hold->was_full = true;
	}
	hold_look(hold);
}

void hold_init(struct fifo_hold *hold, struct keeper *keeper, struct channel *channel, uid_t uid)
{
	*hold = (struct fifo_hold){
		.keeper = keeper,
		.channel = channel,
		.uid = uid,
		.read_end = {.fd = -1, .dispatch = hold_dispatch},
		.ends = {.read_fd = -1, .write_fd = -1, .watch = -1},
		.spare_fd = -1,
	};
}

int hold_arm(struct fifo_hold *hold)
{
	int r;

	hold->read_end.fd = hold->ends.read_fd;
	r = loop_add(hold->keeper->host->loop, &hold->read_end, EPOLLET);
	if (r < 0)
		return r;
	hold->is_held = true;
	keeper_watch(hold);
	return 0;
}

static void hold_disarm(struct fifo_hold *hold)
{
	hold->is_held = false;
	loop_remove(hold->keeper->host->loop, &hold->read_end);
	keeper_unwatch(hold);
}

int hold_take(struct fifo_hold *hold, struct ends_opening *opening)
{
	int r;

	if (hold->is_held || hold->is_ended || (hold->is_busy && hold->spare_fd >= 0)) {
		keeper_drop(hold->keeper, hold->uid, opening);
		return hold->is_ended ? -ESTALE : 0;
	}
	if (hold->ends.read_fd >= 0 && !hold->is_busy) {
		keeper_drop(hold->keeper, hold->uid, opening);
		return -ENOMEM;
	}
	if (hold->is_busy) {
		hold->spare_fd = opening->read_fd;
		hold->spare_watch = opening->watch;
		if (opening->write_fd >= 0)
			keeper_close(hold->keeper, hold->uid, opening->write_fd);
		channel_save(hold->channel);
		return 0;
	}
	r = hold_charge(hold, (size_t)opening->size);
	if (r < 0) {
		keeper_drop(hold->keeper, hold->uid, opening);
		return r;
	}
	keeper_place(hold, HOLD_NOWHERE);
	hold->ends = (struct ends){.read_fd = opening->read_fd,
				   .write_fd = opening->write_fd,
				   .inotify_fd = hold->keeper->inotify.fd,
				   .watch = opening->watch,
				   .is_new = opening->write_fd < 0};
	r = hold_arm(hold);
	if (r < 0) {
		hold_uncharge(hold);
		hold_resized(hold, 0);
		hold->ends.read_fd = hold->ends.write_fd = -1;
		keeper_drop(hold->keeper, hold->uid, opening);
		return r;
	}
	channel_save(hold->channel);
	hold->used = clock_now();
	hold_look(hold);
	return 0;
}

void hold_await(struct fifo_hold *hold, uint64_t node)
{
	if (hold->ends.read_fd >= 0)
		return;
	hold->node = node;
	keeper_place(hold, HOLD_LATE);
}

bool hold_renew(struct fifo_hold *hold)
{
	if (!hold->is_held)
		return false;
	hold->is_wanted = true;
	if (hold->place == HOLD_RESTING || hold->place == HOLD_BRIEF)
		keeper_place(hold, hold->place);
	return true;
}

bool hold_pin(const struct fifo_hold *hold, struct ends_pin *ret_pin)
{
	struct stat attr;

	if (!hold->is_held || channel_stat(hold->channel, &attr) < 0)
		return false;
	ret_pin->fd = hold->read_end.fd;
	ret_pin->dev = hold->keeper->host->dev;
	ret_pin->ino = space_ino(hold->channel->space, attr.st_ino);
	return true;
}

static void hold_done(struct worker_task *task);

static void hold_work(struct worker_task *task)
{
	ends_act(&CONTAINER_OF(task, struct fifo_hold, task)->ends);
}

/* Has a thread do the task. Returns false if no thread is free; the hold then waits for one. */
static bool hold_start(struct fifo_hold *hold, enum ends_task task)
{
	struct host *host = hold->keeper->host;
	bool is_leaving = task == ENDS_CLOSE;

	hold->ends.task = task;
	hold->ends.has_end = !hold->has_no_end;
	hold->ends.is_used = hold->is_ended;
	hold->task = (struct worker_task){.work = hold_work, .done = hold_done};
	if (is_leaving)
		hold_disarm(hold);
	if (is_leaving || task == ENDS_ASK)
		keeper_place(hold, HOLD_LEAVING);
	hold->is_busy = true;
	channel_save(hold->channel);
	channel_ref(hold->channel);
	hold->is_paid = keeper_start(host, hold->uid, &hold->task) == 0;
	if (hold->is_paid)
		return true;
	if (!host->lockers) {
		/* The mount has ended, so this may wait: it can delay nobody any more. */
		hold_work(&hold->task);
		hold_done(&hold->task);
		return true;
	}
	hold->is_busy = false;
	if (is_leaving)
		hold_arm(hold);
	channel_save(hold->channel);
	keeper_place(hold, HOLD_WAITING);
	channel_unref(hold->channel);
	return false;
}

/*
 * Asks the kernel to forget the inode. If the kernel still knows it afterwards, someone has the
 * FIFO open.
 */
static void forget(const struct fifo_hold *hold)
{
	struct host *host = hold->keeper->host;

	if (host->nodes.forget && hold->channel->inode)
		host->nodes.forget(host, hold->channel->inode);
}

/* The ends are closed. Holds the FIFO again if another lookup has opened it meanwhile. */
static void hold_gone(struct fifo_hold *hold)
{
	if (hold->spare_fd < 0) {
		hold_uncharge(hold);
		hold_ask_gone(hold);
		forget(hold);
		return;
	}
	hold->ends.read_fd = TAKE_FD(hold->spare_fd);
	hold->ends.watch = hold->spare_watch;
	hold->ends.is_new = true;
	hold->ends.size = (int)hold->charged; /* closing the ends has shrunk the pipe */
	hold_arm(hold);
}

/* Lets go of a pipe to which nobody writes, unless it has been looked up meanwhile. */
static void hold_asked(struct fifo_hold *hold)
{
	hold->has_writer = !hold->ends.is_left;
	if (hold->ends.is_left && !hold->is_wanted && hold->keeper->host->lockers &&
	    !(ends_look(hold->ends.read_fd) & EPOLLIN))
		hold_start(hold, ENDS_CLOSE);
}

static void hold_acted(struct fifo_hold *hold)
{
	if (hold->ends.write_fd < 0)
		hold->n_reads = 0;
	if (hold->ends.task == ENDS_CLOSE) {
		hold_gone(hold);
	} else if (hold->ends.task == ENDS_ASK) {
		hold_asked(hold);
	} else {
		hold->is_adopted = hold->is_adopted && hold->ends.error < 0;
		keeper_unwatch(hold);
		keeper_watch(hold);
	}
}

static void hold_done(struct worker_task *task)
{
	struct fifo_hold *hold = CONTAINER_OF(task, struct fifo_hold, task);
	struct keeper *keeper = hold->keeper;
	struct channel *channel = hold->channel;
	uid_t uid = hold->uid;
	/* Read before the next task gives `ends` to another thread. */
	bool has_failed = hold->ends.error < 0;

	if (hold->is_paid)
		host_locked(keeper->host, hold->uid);
	hold->is_busy = false;
	channel_save(hold->channel);
	hold_acted(hold);
	if (!keeper->host->lockers) {
		channel_unref(channel);
		return;
	}
	if (has_failed)
		keeper_place(hold, HOLD_WAITING);
	else
		hold_look(hold);
	channel_unref(channel);
	/* A task that failed would fail again at once, in an endless loop. The clock retries it. */
	if (!has_failed)
		keeper_retry(keeper, uid);
	keeper_let_go(keeper);
}

/* Whether there is something to do for a thread, and which task. */
static bool hold_wants(const struct fifo_hold *hold, uint32_t events, enum ends_task *ret_task)
{
	bool has_end = hold->ends.write_fd >= 0;

	*ret_task = ENDS_SETTLE;
	/* Not held, but open: there was no memory to watch the FIFO. */
	if (hold->is_ended || !hold->is_held) {
		*ret_task = ENDS_CLOSE;
		return true;
	}
	if (hold->is_adopted && has_end && !hold->has_no_end)
		*ret_task = ENDS_TRY;
	if (hold->ends.size || hold->is_adopted)
		return true;
	if (hold->has_no_end)
		return !has_end;
	if (!has_end)
		return (events & EPOLLIN) && (hold->ends.is_new || (events & EPOLLHUP));
	if (events & EPOLLIN)
		*ret_task = ENDS_TRY;
	return !(events & EPOLLIN) || hold->tries;
}

static enum hold_place hold_find_place(const struct fifo_hold *hold, uint32_t events)
{
	if (hold->has_no_end)
		return HOLD_NOWHERE;
	if (hold->ends.write_fd >= 0)
		return HOLD_FULL;
	if (events & EPOLLIN || hold->has_writer)
		return HOLD_NOWHERE;
	return hold_has_many(hold) ? HOLD_BRIEF : HOLD_RESTING;
}

void hold_look(struct fifo_hold *hold)
{
	enum ends_task task;
	uint32_t events;

	if (hold->is_busy || hold->ends.read_fd < 0)
		return;
	/* The mount has ended: nothing more can be opened. */
	if (!hold->keeper->host->lockers && !hold->is_ended)
		return;
	if (hold->is_doomed && !hold->is_ended) {
		if (hold->place != HOLD_DOOMED)
			keeper_place(hold, HOLD_DOOMED);
		return;
	}
	events = ends_look(hold->ends.read_fd);
	if (events & EPOLLHUP)
		hold->has_writer = false;
	if (!hold_wants(hold, events, &task)) {
		enum hold_place place = hold_find_place(hold, events);
		bool rests = place == HOLD_RESTING && hold->place == HOLD_BRIEF;

		if (place != hold->place && !rests)
			keeper_place(hold, place);
		return;
	}
	hold->tries = false;
	hold_start(hold, task);
}

/*
 * While the daemon has a write end, the pipe does not show whether someone else has one. If someone
 * does, ours is not needed, and reads need not be watched any more. Finding out can cost more than
 * reading a whole small file. So it is done only at the 1st, 2nd, 4th, 8th read and so on.
 */
void hold_read(struct fifo_hold *hold)
{
	hold->n_reads++;
	if ((hold->n_reads & (hold->n_reads - 1)) == 0)
		hold->tries = true;
	hold_look(hold);
}

void hold_leave(struct fifo_hold *hold)
{
	/* Taken off the list: the thread may have to wait for the pipe's lock for a long time. */
	if (hold->is_busy) {
		keeper_place(hold, HOLD_NOWHERE);
		return;
	}
	hold->is_wanted = false;
	hold_start(hold, ENDS_ASK);
}

void hold_fini(struct fifo_hold *hold)
{
	if (hold->place != HOLD_NOWHERE)
		keeper_place(hold, HOLD_NOWHERE);
	if (hold->keeper)
		hold_resized(hold, 0);
	if (hold->ends.read_fd < 0)
		return;
	hold_disarm(hold);
	hold->ends.task = ENDS_CLOSE;
	hold->ends.is_used = true;
	ends_act(&hold->ends);
	hold_uncharge(hold);
}

void hold_end(struct fifo_hold *hold)
{
	hold->is_ended = true;
	hold_look(hold);
}

void hold_doom(struct fifo_hold *hold)
{
	hold->is_doomed = true;
	hold_look(hold);
}

void hold_begin(struct fifo_hold *hold)
{
	hold->is_ended = false;
}

void hold_set_end(struct fifo_hold *hold, bool has_no_end)
{
	hold->has_no_end = has_no_end;
	hold->tries = true;
	hold_look(hold);
}
