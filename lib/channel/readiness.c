// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both directions are watched at once; a waiter woken in vain just waits again.
 */
#include "lib/channel/readiness.h"

#include <errno.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"

static struct loop *readiness_loop(const struct readiness *readiness)
{
	return readiness->channel->space->host->loop;
}

static void readiness_dispatch(struct loop_source *source, uint32_t events)
{
	struct readiness *readiness = CONTAINER_OF(source, struct readiness, source);

	if (readiness->notice && !readiness->notice(readiness, &events))
		return;
	/*
	 * The end of the input also wakes readers; an error or a hang-up wakes readers and writers.
	 */
	if (events & EPOLLRDHUP)
		events |= EPOLLIN;
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	if (channel_has_waiters(readiness->channel))
		channel_wake(readiness->channel, events);
	else
		readiness_unwatch(readiness);
}

void readiness_init(struct readiness *readiness, struct channel *channel)
{
	*readiness = (struct readiness){
		.source = {.fd = -1, .dispatch = readiness_dispatch},
		.channel = channel,
	};
}

int readiness_watch(struct readiness *readiness)
{
	return loop_add(readiness_loop(readiness), &readiness->source,
			EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void readiness_unwatch(struct readiness *readiness)
{
	loop_remove(readiness_loop(readiness), &readiness->source);
}

ssize_t readiness_failed(struct readiness *readiness, int error)
{
	int r = error == EAGAIN ? readiness_watch(readiness) : 0;

	return r < 0 ? r : -error;
}
