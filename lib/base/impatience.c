// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process can send a descriptor to one of our Unix sockets. If we don't take the descriptor, the
 * kernel drops it when we receive the bytes that it came with, or close the socket. If nobody else
 * has the file open, the kernel then closes the file on our thread, before the call returns
 * (fs/file_table.c, fput: task_work). A TCP socket with SO_LINGER and bytes that its other end does
 * not read is closed only when the bytes have gone through or the time is up, and its owner may
 * have chosen ten hours.
 *
 * A signal interrupts such a wait, and any other wait in close(2). So a timer sends the thread a
 * signal again and again; its handler does nothing. The first signal may arrive before the wait
 * begins, and there may be several waits, one for each file. The kernel still sends the lingering
 * data, without us. The tick is short because each message of such a sender costs everyone else one
 * tick.
 *
 * The signal is unblocked only between begin and end. The timer is never stopped, because that
 * would cost several times as much as all the rest. It need not be: while its signal is pending,
 * the kernel does not restart the timer (kernel/time/posix-timers.c). So the timer rests after one
 * tick, until the next begin unblocks the signal.
 */
#include "lib/base/impatience.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/* SIGURG is ignored by default, so it is harmless where nobody expects it. */
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

/* Starts this thread's timer, which lives as long as the thread. Fails with -ENOMEM or -ENOBUFS. */
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
