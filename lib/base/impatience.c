// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process can send a descriptor to one of our Unix sockets. If we don't take it, the kernel drops
 * it when we receive the bytes that it came with, or close the socket. If nobody else has the file
 * open, it is closed then, on our thread, before the call returns (fs/file_table.c, fput:
 * task_work). A TCP socket with SO_LINGER and bytes that its other end does not read is closed only
 * when the bytes have gone through or the time is up, and its owner may have chosen ten hours.
 *
 * Signals interrupt such a wait, and anything else that close(2) may wait for. So the thread has a
 * timer that sends it a signal, which does nothing, again and again: the first may arrive before
 * the wait begins, and there may be several waits, one for each file. Data that lingers is still
 * sent by the kernel, without us. The tick is short because each message of such a sender costs
 * everyone else one tick.
 *
 * The signal is unblocked only between begin and end. The timer is never stopped, which would cost
 * several times as much as the rest: while its signal is pending, the kernel does not restart the
 * timer (kernel/time/posix-timers.c). So it rests after one tick, and continues at the next begin.
 */
#include "lib/base/impatience.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/* Ignored by default, so harmless where it is not expected. */
#define TICK_SIGNAL SIGURG
/* The time between two signals, ns. */
#define TICK 200000

static _Thread_local bool has_timer;

static void do_nothing(int signal)
{
}

static void let_through(bool is_let)
{
	sigset_t tick;

	sigemptyset(&tick);
	sigaddset(&tick, TICK_SIGNAL);
	pthread_sigmask(is_let ? SIG_UNBLOCK : SIG_BLOCK, &tick, NULL);
}

/* The timer lives as long as the thread. */
static int start_timer(void)
{
	const struct sigaction action = {.sa_handler = do_nothing};
	const struct itimerspec every = {.it_interval.tv_nsec = TICK, .it_value.tv_nsec = TICK};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL};
	timer_t timer;

	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return errno == EAGAIN ? -ENOBUFS : -errno;
	sigaction(TICK_SIGNAL, &action, NULL);
	let_through(false);
	timer_settime(timer, 0, &every, NULL);
	has_timer = true;
	return 0;
}

int impatience_begin(void)
{
	int r = has_timer ? 0 : start_timer();

	if (r == 0)
		let_through(true);
	return r;
}

void impatience_end(void)
{
	let_through(false);
}
