/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor that tells when a channel may be ready: an edge-triggered source of the loop.
 *
 * The loop starts to watch the descriptor when someone first has to wait, so that a channel without
 * waiters costs no wake-ups, and stops at the first event that finds no waiter. Every message that
 * comes or goes is one event, and while nothing happens there are no events.
 */
#ifndef IPCFS_READINESS_H
#define IPCFS_READINESS_H

#include "lib/channel/channel.h"

struct readiness {
	struct loop_source source; /* fd -1: there is none */
	struct channel *channel;
	/*
	 * Called first at each event. Returns false if no waiter need be woken. NULL: nothing to
	 * do.
	 */
	bool (*notice)(struct readiness *readiness, uint32_t *events);
};

/* Sets up `readiness`, still without a descriptor, for a channel that outlives it. */
void readiness_init(struct readiness *readiness, struct channel *channel);

/*
 * Watches source.fd. Call this before or after a try that may return -EAGAIN. Fails with -ENOSPC or
 * -ENOMEM.
 */
int readiness_watch(struct readiness *readiness);

/* Stops watching; the descriptor stays open. */
void readiness_unwatch(struct readiness *readiness);

/*
 * Turns the errno of a call on the descriptor into the result of a read or write: -error. After
 * EAGAIN, also watches the descriptor, so that the waiters are woken when that changes.
 */
ssize_t readiness_failed(struct readiness *readiness, int error);

#endif
