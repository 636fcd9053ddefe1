// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process can send a descriptor to a Unix socket of ours. If we do not take it, the kernel drops
 * it when we receive the bytes that it came with, or close the socket; and if nobody else has it,
 * the file behind it is closed then, on our thread, before the call returns (fs/file_table.c, fput:
 * task_work). A TCP socket with SO_LINGER and bytes that its other end does not read is closed
 * when those are through or the time is up, which its owner chose to be ten hours.
 *
 * Such a wait heeds signals, as all that a close(2) may wait for does. So the thread has a timer
 * that sends it one, which does nothing, again and again: the first may come before there is a
 * wait, and there may be several waits, one for each of the files. What lingers goes on in the
 * kernel, without us. A tick is short because it is what each message of such a sender costs all
 * others.
 *
 * The signal is let through only meanwhile. The timer is never stopped, which would cost several
 * times what this does: while its signal waits to be let through, the kernel does not start it
 * again (kernel/time/posix-timers.c). So it rests after one tick, and goes on with the next begin.
 */
#include "lib/base/impatience.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/* Whoever does not expect this one ignores it. */
#define TICK_SIGNAL SIGURG
/* ns */
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

/* It lives as long as the thread. */
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
