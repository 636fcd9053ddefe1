// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holds are kept in lists, oldest first, by what they wait for. One timer serves all lists, and one
 * inotify descriptor watches all pipes.
 */
#include "lib/kinds/pipe/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/*
 * How long a FIFO has to be empty, without a writer and without a lookup, until it is let go. The
 * time is shorter if the owner has many holds, because then someone has looked up a full directory.
 * It is never 0, because a process that looked the name up to open it needs the hold until then.
 */
#define REST         (4 * CLOCK_S)
#define REST_SHORT   (250 * CLOCK_MS)
#define REST_PRESSED (150 * CLOCK_MS)
/*
 * How often FIFOs with bytes in them are checked: before Linux 6.6 nothing reports that splice(2)
 * has read.
 */
#define FULL_LOOK  (8 * CLOCK_S)
#define RETRY      (CLOCK_S / 2)
#define LOOKS_MOST 256
#define EVENT_SIZE 4096

static struct fifo_hold **keeper_list(struct keeper *keeper, enum hold_place place)
{
	switch (place) {
	case HOLD_BRIEF:
		return &keeper->brief;
	case HOLD_RESTING:
		return &keeper->resting;
	case HOLD_FULL:
		return &keeper->full;
	case HOLD_WAITING:
		return &keeper->waiting;
	case HOLD_DOOMED:
		return &keeper->doomed;
	case HOLD_GONE:
		return &keeper->gone;
	case HOLD_LATE:
		return &keeper->late;
	case HOLD_LEAVING:
		return &keeper->leaving;
	default:
		return NULL;
	}
}

static int64_t earlier(int64_t next, const struct fifo_hold *first, int64_t time)
{
	return first && (!next || first->used + time < next) ? first->used + time : next;
}

/* Returns when the clock has something to do next, or 0 if it has nothing to do. */
static int64_t keeper_next(const struct keeper *keeper)
{
	int64_t now = clock_now(), next = 0;

	if (keeper->full)
		next = keeper->full->used + FULL_LOOK;
	next = earlier(next, keeper->resting, REST);
	next = earlier(next, keeper->gone, REST);
	next = earlier(next, keeper->brief, REST_SHORT);
	next = earlier(next, keeper->doomed, REST_SHORT);
	if ((keeper->waiting || keeper->closings) && (!next || now + RETRY < next))
		next = now + RETRY;
	/* What is due already waits for a thread, and threads report when they are done. */
	return next && next <= now ? now + RETRY : next;
}

/* A clock that is set to go off sooner stays as it is: when it goes off, it is wound again. */
void keeper_wind(struct keeper *keeper)
{
	int64_t next = keeper_next(keeper);
	struct itimerspec at = {.it_value = {next / CLOCK_S, next % CLOCK_S}};

	if (!next || (keeper->wound && keeper->wound <= next))
		return;
	keeper->wound = next;
	timerfd_settime(keeper->clock.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

void keeper_place(struct fifo_hold *hold, enum hold_place place)
{
	struct keeper *keeper = hold->keeper;
	struct fifo_hold **from = keeper_list(keeper, hold->place);
	struct fifo_hold **to = keeper_list(keeper, place);

	if (from)
		DL_DELETE(*from, hold);
	hold->place = place;
	if (!to)
		return;
	DL_APPEND(*to, hold);
	hold->used = clock_now();
	keeper_wind(keeper);
}

struct fifo_hold *keeper_find_late(struct keeper *keeper, uint64_t node)
{
	struct fifo_hold *hold;

	DL_FOREACH(keeper->late, hold) {
		if (hold->node == node)
			break;
	}
	return hold;
}

void keeper_watch(struct fifo_hold *hold)
{
	struct fifo_hold *old;

	hold->watch = hold->ends.watch;
	if (hold->watch < 0)
		return;
	HASH_FIND_INT(hold->keeper->watched, &hold->watch, old);
	if (!old)
		HASH_ADD_INT(hold->keeper->watched, watch, hold);
}

void keeper_unwatch(struct fifo_hold *hold)
{
	if (hold->watch >= 0 && hold->hh.tbl)
		HASH_DEL(hold->keeper->watched, hold);
	hold->hh.tbl = NULL;
	hold->watch = -1;
}

static void retry(struct fifo_hold *hold)
{
	keeper_place(hold, HOLD_NOWHERE);
	hold_look(hold);
}

void keeper_retry(struct keeper *keeper, uid_t uid)
{
	struct fifo_hold *hold;

	DL_FOREACH(keeper->waiting, hold) {
		if (hold->uid == uid)
			break;
	}
	if (!hold)
		hold = keeper->waiting;
	if (hold)
		retry(hold);
}

/* Retries each waiting hold once. A hold that still gets no thread moves to the end of the list. */
static void retry_all(struct keeper *keeper)
{
	struct fifo_hold *hold = NULL, *last = keeper->waiting ? keeper->waiting->prev : NULL;

	for (unsigned n = 0; n < LOOKS_MOST && hold != last; n++) {
		hold = keeper->waiting;
		retry(hold);
	}
}

static void keeper_resume(struct loop_task *task)
{
	retry_all(CONTAINER_OF(task, struct keeper, resume));
}

void keeper_adopt(struct fifo_hold *hold)
{
	keeper_place(hold, HOLD_WAITING);
	loop_defer(hold->keeper->host->loop, &hold->keeper->resume);
}

static void look_at_full(struct keeper *keeper)
{
	int64_t now = clock_now();
	struct fifo_hold *hold;

	for (unsigned n = 0; n < LOOKS_MOST; n++) {
		hold = keeper->full;
		if (!hold || hold->used + FULL_LOOK > now)
			break;
		keeper_place(hold, HOLD_FULL);
		hold_look(hold);
	}
}

static void let_go(struct fifo_hold **list, int64_t time)
{
	int64_t until = clock_now() - time;

	for (unsigned n = 0; n < LOOKS_MOST && *list && (*list)->used <= until; n++)
		hold_leave(*list);
}

void keeper_let_go(struct keeper *keeper)
{
	let_go(&keeper->resting, REST);
	let_go(&keeper->brief, REST_SHORT);
}

static void end_one(struct fifo_hold *hold)
{
	keeper_place(hold, HOLD_NOWHERE);
	hold_end(hold);
}

static void press(struct fifo_hold *list, uid_t uid, void (*end)(struct fifo_hold *hold))
{
	int64_t until = clock_now() - REST_PRESSED;
	struct fifo_hold *hold, *next;
	unsigned n = 0;

	DL_FOREACH_SAFE(list, hold, next) {
		if (hold->used > until || n == LOOKS_MOST)
			break;
		if (hold->uid != uid)
			continue;
		n++;
		end(hold);
	}
}

void keeper_press(struct keeper *keeper, uid_t uid)
{
	press(keeper->doomed, uid, end_one);
	press(keeper->brief, uid, hold_leave);
	press(keeper->resting, uid, hold_leave);
}

static void end_doomed(struct keeper *keeper)
{
	int64_t until = clock_now() - REST_SHORT;

	while (keeper->doomed && keeper->doomed->used <= until)
		end_one(keeper->doomed);
}

static void ask_gone(struct keeper *keeper)
{
	int64_t until = clock_now() - REST;

	for (unsigned n = 0; n < LOOKS_MOST && keeper->gone && keeper->gone->used <= until; n++)
		hold_ask_gone(keeper->gone);
}

static void clock_dispatch(struct loop_source *source, uint32_t events)
{
	struct keeper *keeper = CONTAINER_OF(source, struct keeper, clock);
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	keeper->wound = 0;
	retry_all(keeper);
	keeper_close_pending(keeper);
	look_at_full(keeper);
	end_doomed(keeper);
	ask_gone(keeper);
	keeper_let_go(keeper);
	keeper_wind(keeper);
}

static void take_event(struct keeper *keeper, const struct inotify_event *event)
{
	struct fifo_hold *hold;

	if (event->mask & IN_Q_OVERFLOW) {
		DL_FOREACH(keeper->full, hold) {
			hold->used = 0;
		}
		look_at_full(keeper);
		return;
	}
	HASH_FIND_INT(keeper->watched, &event->wd, hold);
	if (hold && event->mask & IN_ACCESS)
		hold_read(hold);
}

static void inotify_dispatch(struct loop_source *source, uint32_t events)
{
	struct keeper *keeper = CONTAINER_OF(source, struct keeper, inotify);
	char buffer[EVENT_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size = read(source->fd, buffer, sizeof(buffer));

	for (ssize_t done = 0; done < size;) {
		const struct inotify_event *event = (const void *)(buffer + done);

		done += (ssize_t)sizeof(*event) + event->len;
		take_event(keeper, event);
	}
}

/* Returns the number in the file, or 0 if the file can't be read. */
static size_t read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t limit;

	if (!file)
		return 0;
	if (fscanf(file, "%zu", &limit) != 1)
		limit = 0;
	fclose(file);
	return limit;
}

static int open_inotify(void)
{
	bool is_paid = geteuid() == 0 && syscall(SYS_setresuid, -1, ENDS_PAYER, -1) == 0;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int error = errno;

	if (is_paid)
		syscall(SYS_setresuid, -1, 0, -1);
	errno = error;
	return fd;
}

/*
 * Gives each user a quarter of the watches, and all users together 15/16 of them. `n` is 0 if their
 * number is not known: then there is no limit.
 */
static void share_watches(struct user_table *users, size_t n)
{
	users->limits[USER_WATCHES] = n ? n / 4 : SIZE_MAX;
	users->totals[USER_WATCHES] = n / 16 * 15;
}

static int keeper_listen(struct keeper *keeper)
{
	int r;

	keeper->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	keeper->inotify.fd = open_inotify();
	if (keeper->clock.fd < 0 || keeper->inotify.fd < 0)
		return -errno;
	r = loop_add(keeper->host->loop, &keeper->clock, EPOLLIN);
	return r < 0 ? r : loop_add(keeper->host->loop, &keeper->inotify, EPOLLIN);
}

int keeper_new(struct host *host, struct keeper **ret_keeper)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->host = host;
	keeper->clock.dispatch = clock_dispatch;
	keeper->inotify.dispatch = inotify_dispatch;
	keeper->resume.run = keeper_resume;
	keeper->size_soft = read_limit("/proc/sys/fs/pipe-user-pages-soft") * HOST_PAGE;
	share_watches(&host->users, read_limit("/proc/sys/fs/inotify/max_user_watches"));
	r = keeper_listen(keeper);
	if (r < 0)
		keeper_free(keeper);
	else
		*ret_keeper = keeper;
	return r;
}

static void source_close(struct loop *loop, struct loop_source *source)
{
	loop_remove(loop, source);
	if (source->fd >= 0)
		close(source->fd);
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper_close_all(keeper);
	loop_cancel(keeper->host->loop, &keeper->resume);
	source_close(keeper->host->loop, &keeper->clock);
	source_close(keeper->host->loop, &keeper->inotify);
	free(keeper);
}
