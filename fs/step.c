// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A held step is a copy with a waiter. A clock ends steps that hold a directory's lock for too
 * long.
 */
#include "fs/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "fs/inode.h"
#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/kind.h"
#include "lib/channel/space.h"

struct held_step {
	struct waiter waiter;
	struct session *session;
	fuse_req_t req;
	struct caller caller;
	struct step step;
	uint64_t request; /* its number */
	bool has_lock;
	struct lock_hold hold;         /* if has_lock */
	struct held_step *prev, *next; /* step_clock::held */
	char bytes[];                  /* the strings and data that the step points to */
};

static size_t held_bytes(const struct held_step *held)
{
	return held->step.data ? held->step.size : 0;
}

static int held_charge(const struct held_step *held)
{
	struct user_table *users = &held->session->host.users;
	int r = user_charge(users, held->caller.uid, USER_HELD, 1);

	if (r < 0)
		return r;
	r = user_charge(users, held->caller.uid, USER_BYTES, held_bytes(held));
	if (r < 0)
		user_uncharge(users, held->caller.uid, USER_HELD, 1);
	return r;
}

static void held_uncharge(const struct held_step *held)
{
	struct user_table *users = &held->session->host.users;

	user_uncharge(users, held->caller.uid, USER_HELD, 1);
	user_uncharge(users, held->caller.uid, USER_BYTES, held_bytes(held));
}

static void held_free(struct held_step *held)
{
	struct step_clock *clock = &held->session->steps;

	if (held->has_lock) {
		DL_DELETE(clock->held, held);
		lock_time_end(&clock->times, &held->caller, &held->hold);
	}
	waiter_fini(&held->waiter);
	held_uncharge(held);
	caller_fini(&held->caller);
	free(held);
}

static void held_interrupt(fuse_req_t req, void *data)
{
	struct held_step *held = data;

	if (job_stop(&held->waiter))
		return;
	reply_result(req, -EINTR);
	held_free(held);
}

static void clock_set(struct step_clock *clock)
{
	struct itimerspec at = {0};

	if (!clock->held)
		return;
	at.it_value.tv_sec = (time_t)(clock->held->hold.until / 1000000);
	at.it_value.tv_nsec = (long)(clock->held->hold.until % 1000000) * 1000;
	timerfd_settime(clock->source.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void clock_dispatch(struct loop_source *source, uint32_t events)
{
	struct step_clock *clock = CONTAINER_OF(source, struct step_clock, source);
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	while (clock->held && lock_time_now() >= clock->held->hold.until) {
		struct held_step *held = clock->held;

		reply_result(held->req, -EAGAIN);
		held_free(held);
	}
	clock_set(clock);
}

int step_clock_init(struct step_clock *clock, struct loop *loop)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	*clock = (struct step_clock){.source = {.fd = fd, .dispatch = clock_dispatch}};
	r = loop_add(loop, &clock->source, EPOLLIN);
	if (r < 0) {
		close(fd);
		*clock = (struct step_clock){0};
	}
	return r;
}

void step_clock_fini(struct step_clock *clock, struct loop *loop)
{
	lock_time_free_all(&clock->times);
	if (!clock->source.is_added)
		return;
	loop_remove(loop, &clock->source);
	close(clock->source.fd);
}

/*
 * Has the clock end the step in time. Its place is sought from the end of the list, where most
 * steps belong: most may be held for about as long as those before them.
 */
static void clock_add(struct step_clock *clock, struct held_step *held)
{
	struct held_step *before = clock->held ? clock->held->prev : NULL;

	while (before && before->hold.until > held->hold.until)
		before = before == clock->held ? NULL : before->prev;
	if (before)
		DL_APPEND_ELEM(clock->held, before, held);
	else
		DL_PREPEND(clock->held, held);
	if (clock->held == held)
		clock_set(clock);
}

/* What the step holds the lock for: kind::is_remote objects take longer to make or remove. */
static enum lock_sort lock_sort(const struct session *session, const struct step *step)
{
	struct space *space;

	if (step->shares)
		return LOCK_SHARED;
	if (inode_space(session, step->ino, &space) == 0 && space->kind && space->kind->is_remote)
		return LOCK_REMOTE;
	return LOCK_ALONE;
}

/* Starts the clock, if the kernel holds a directory's lock while this step is held. */
static int held_lock(struct held_step *held, const struct step *step)
{
	struct step_clock *clock = &held->session->steps;
	int r;

	if (!step->name && !step->locks)
		return 0;
	held->hold.directory = step->ino;
	held->hold.sort = lock_sort(held->session, step);
	r = lock_time_begin(&clock->times, &held->caller, &held->hold);
	if (r < 0)
		return r;
	held->has_lock = true;
	clock_add(clock, held);
	return 0;
}

/* Takes the step. Unless a job is under way afterwards, the request has been answered. */
static void held_take(struct held_step *held)
{
	fuse_req_t req = held->req;

	journal_take_up(&held->session->host, held->request);
	held->step.take(req, &held->step, &held->caller);
	if (!held->waiter.job || job_is_done(&held->waiter))
		held_free(held);
	else if (fuse_req_interrupted(req))
		held_interrupt(req, held);
	else
		fuse_req_interrupt_func(req, held_interrupt, held);
}

static void held_resume(struct waiter *waiter)
{
	struct held_step *held = CONTAINER_OF(waiter, struct held_step, waiter);

	fuse_req_interrupt_func(held->req, NULL, NULL);
	held_take(held);
}

/* Copies the step, and what it points to. */
static struct held_step *held_copy(const struct step *step)
{
	size_t name_size = step->name ? strlen(step->name) + 1 : 0;
	size_t new_size = step->new_name ? strlen(step->new_name) + 1 : 0;
	size_t data_size = step->data ? step->size : 0;
	struct held_step *held = calloc(1, sizeof(*held) + name_size + new_size + data_size);

	if (!held)
		return NULL;
	held->step = *step;
	if (step->name)
		held->step.name = memcpy(held->bytes, step->name, name_size);
	if (step->new_name)
		held->step.new_name = memcpy(held->bytes + name_size, step->new_name, new_size);
	if (step->data)
		held->step.data = memcpy(held->bytes + name_size + new_size, step->data, data_size);
	return held;
}

static int held_new(fuse_req_t req, const struct step *step, struct held_step **ret_held)
{
	struct session *session = fuse_req_userdata(req);
	CLEANUP_FREE struct held_step *held = session->is_ending ? NULL : held_copy(step);
	int r;

	if (!held)
		return session->is_ending ? -ENOTCONN : -ENOMEM;
	held->caller = op_caller(req);
	held->session = session;
	held->request = session->host.journal->request;
	r = held_charge(held);
	if (r < 0)
		return r;
	r = held_lock(held, step);
	if (r < 0) {
		held_uncharge(held);
		return r;
	}
	held->req = req;
	held->waiter.resume = held_resume;
	held->caller.waiter = &held->waiter;
	*ret_held = TAKE_PTR(held);
	return 0;
}

void step_begin(fuse_req_t req, const struct step *step)
{
	struct caller caller = op_caller(req);

	step->take(req, step, &caller);
	caller_fini(&caller);
}

bool step_waits(fuse_req_t req, int *result, const struct step *step, struct caller *caller)
{
	struct held_step *held;

	if (*result == -EINPROGRESS)
		return true;
	if (*result != -EAGAIN || caller->waiter)
		return false;
	*result = held_new(req, step, &held);
	if (*result < 0)
		return false;
	held_take(held);
	return true;
}
