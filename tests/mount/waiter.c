/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each method makes one wait of up to 5 seconds, and gives its result in poll's bits.
 */
#include "tests/mount/waiter.h"

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct timespec five_seconds = {.tv_sec = 5};

static short wait_poll(int fd, short events)
{
	struct pollfd item = {.fd = fd, .events = events};

	return ppoll(&item, 1, &five_seconds, NULL) < 0 ? 0 : item.revents;
}

static short wait_select(int fd, short events)
{
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	if (events & POLLIN)
		FD_SET(fd, &in);
	if (events & POLLOUT)
		FD_SET(fd, &out);
	if (pselect(fd + 1, &in, &out, NULL, &five_seconds, NULL) < 0)
		return 0;
	return (short)((FD_ISSET(fd, &in) ? POLLIN : 0) | (FD_ISSET(fd, &out) ? POLLOUT : 0));
}

/* epoll's bits for IN, OUT, ERR and HUP are the same as poll's. */
static short wait_epoll(int fd, short events, unsigned int flags)
{
	struct epoll_event event = {.events = (unsigned short)events | flags};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	short revents = 0;

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 &&
	    epoll_pwait(epoll, &event, 1, 5000, NULL) == 1)
		revents = (short)event.events;
	close(epoll);
	return revents;
}

static void *waiter_run(void *arg)
{
	struct waiter *waiter = arg;
	long long start = now_us();

	waiter->tid = gettid();
	if (waiter->method == POLL)
		waiter->revents = wait_poll(waiter->fd, waiter->events);
	else if (waiter->method == SELECT)
		waiter->revents = wait_select(waiter->fd, waiter->events);
	else
		waiter->revents = wait_epoll(waiter->fd, waiter->events,
					     waiter->method == EPOLL ? 0 : EPOLLET);
	/*
	 * At the timeout the kernel looks for events once more, which would hide that a wake was
	 * lost.
	 */
	if (now_us() - start >= five_seconds.tv_sec * 1000000)
		waiter->revents = 0;
	return NULL;
}

static bool waiter_has_tid(void *arg)
{
	return ((struct waiter *)arg)->tid != 0;
}

void waiter_start(struct waiter *waiter, int fd, short events, int method)
{
	static const long syscalls[N_METHODS] = {SYS_ppoll, SYS_pselect6, SYS_epoll_pwait,
						 SYS_epoll_pwait};

	*waiter = (struct waiter){.fd = fd, .events = events, .method = method};
	ck_assert_int_eq(pthread_create(&waiter->thread, NULL, waiter_run, waiter), 0);
	ck_assert(wait_until(waiter_has_tid, waiter, 5000));
	task_must_block(waiter->tid, syscalls[method]);
	mount_settle(&ipc);
}

short waiter_end(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	return waiter->revents;
}
