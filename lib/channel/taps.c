// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When the readers of taps see what is new.
 *
 * Everybody who may read an object may open its tap, as often as memory allows, and serving all
 * these readers with each message would make the object slow. So after they have been woken, the
 * taps of the host are quiet for some ten times as long as it takes to serve them, which leaves
 * most of the loop's time to others. What passes meanwhile is not shown yet, not even to a reader
 * that asks for it, and is then read together. After a pause, what passes is shown at once.
 *
 * The kernel does not tell when a queue is removed natively, so the same clock looks each second
 * which objects have ended.
 */
#include "lib/channel/tapped.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/* Nanoseconds; serving a reader takes about a tenth of it. */
#define QUIET_FOR_EACH (100 * CLOCK_US)
#define LOOK_EVERY     CLOCK_S

static void set_clock(const struct taps *taps)
{
	int64_t next = taps->look_at;
	struct itimerspec at = {0};

	if (taps->pending && taps->quiet_until < next)
		next = taps->quiet_until;
	at.it_value.tv_sec = next / CLOCK_S;
	at.it_value.tv_nsec = next % CLOCK_S;
	timerfd_settime(taps->clock.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Returns how many readers there are to serve. A reader that does not read costs nothing. */
static int wake_readers(struct tap *tap)
{
	struct tap_reader *reader;
	int n = 0;

	tap->shown = tap->ring.tail.number;
	DL_FOREACH(tap->readers, reader) {
		struct channel *channel = reader->file->channel;

		n += reader->has_read || channel_has_waiters(channel);
		reader->has_read = false;
		reader->has_turn = true;
		channel_wake(channel, tap->channel ? EPOLLIN : EPOLLIN | EPOLLHUP);
	}
	return n;
}

static void wake_pending(struct taps *taps)
{
	int n = 0;

	while (taps->pending) {
		struct tap *tap = taps->pending;

		taps->pending = tap->after_pending;
		tap->is_pending = false;
		n += wake_readers(tap);
	}
	taps->quiet_until = clock_now() + n * QUIET_FOR_EACH;
}

static void taps_wake(struct loop_task *task)
{
	wake_pending(CONTAINER_OF(task, struct taps, wake));
}

/* An object that ends may be destroyed by that, but its tap stays until its readers have gone. */
static void look_at_all(struct taps *taps)
{
	struct tap *tap;

	DL_FOREACH(taps->all, tap) {
		if (tap->channel)
			tap_look(tap->channel);
	}
}

static void taps_dispatch(struct loop_source *source, uint32_t events)
{
	struct taps *taps = CONTAINER_OF(source, struct taps, clock);
	int64_t now = clock_now();
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	if (now >= taps->look_at) {
		taps->look_at = now + LOOK_EVERY;
		look_at_all(taps);
	}
	if (taps->pending && now >= taps->quiet_until)
		wake_pending(taps);
	set_clock(taps);
}

void taps_tell(struct tap *tap)
{
	struct taps *taps = tap->taps;
	bool is_first = !taps->pending;

	if (tap->is_pending)
		return;
	tap->is_pending = true;
	LL_PREPEND2(taps->pending, tap, after_pending);
	if (!is_first)
		return;
	if (clock_now() >= taps->quiet_until)
		loop_defer(taps->host->loop, &taps->wake);
	else
		set_clock(taps);
}

static int taps_new(struct host *host)
{
	CLEANUP_FREE struct taps *taps = calloc(1, sizeof(*taps));
	int r;

	if (!taps)
		return -ENOMEM;
	taps->host = host;
	taps->wake.run = taps_wake;
	taps->look_at = clock_now() + LOOK_EVERY;
	taps->clock.dispatch = taps_dispatch;
	taps->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (taps->clock.fd < 0)
		return -errno;
	r = loop_add(host->loop, &taps->clock, EPOLLIN);
	if (r < 0) {
		close(taps->clock.fd);
		return r;
	}
	set_clock(taps);
	host->taps = TAKE_PTR(taps);
	return 0;
}

int taps_add(struct host *host, struct tap *tap)
{
	int r = host->taps ? 0 : taps_new(host);

	if (r < 0)
		return r;
	tap->taps = host->taps;
	DL_APPEND(tap->taps->all, tap);
	return 0;
}

void taps_remove(struct tap *tap)
{
	struct taps *taps = tap->taps;

	if (tap->is_pending)
		LL_DELETE2(taps->pending, tap, after_pending);
	DL_DELETE(taps->all, tap);
	if (taps->all)
		return;
	loop_cancel(taps->host->loop, &taps->wake);
	loop_remove(taps->host->loop, &taps->clock);
	close(taps->clock.fd);
	taps->host->taps = NULL;
	free(taps);
}
