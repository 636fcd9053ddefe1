/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has passed through a channel by way of the daemon, and how often a request had to wait.
 *
 * The numbers only grow, and live as long as struct channel does: for an object that the kernel
 * keeps, that is while the mount knows it. So they say since when they count. What native programs
 * do with the object, and what the kernel serves in the daemon's place, is not in them.
 */
#ifndef IPCFS_TRAFFIC_H
#define IPCFS_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct flow {
	uint64_t n, bytes; /* n: messages; of a stream, the pieces that it came in */
};

struct traffic {
	struct flow in, out;   /* written into the channel, and read from it */
	uint64_t n_waits;      /* reads and writes that were held */
	struct timespec since; /* CLOCK_REALTIME; 0: nothing can have passed yet */
};

/* Begins to count, unless that has begun. */
static inline void traffic_begin(struct traffic *traffic)
{
	if (traffic->since.tv_sec == 0)
		clock_gettime(CLOCK_REALTIME, &traffic->since);
}

static inline void traffic_pass(struct flow *flow, size_t size)
{
	flow->n++;
	flow->bytes += size;
}

#endif
