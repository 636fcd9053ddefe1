/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A descriptor that tells when a channel may be ready: an edge-triggered source of the loop.
 *
 * It is watched from the first time that somebody has to wait, so that a channel which nobody
 * waits for costs no wake-up, and let go at the first event that finds no waiter. Every message
 * that comes or goes is one event, and none comes while nothing happens.
 */
#ifndef IPCFS_READINESS_H
#define IPCFS_READINESS_H

#include "lib/channel/channel.h"

struct readiness {
	struct loop_source source; /* fd -1: there is none */
	struct channel *channel;
	/* What the kind has to do first; false: the waiters need not know. NULL: nothing. */
	bool (*notice)(struct readiness *readiness, uint32_t *events);
};

/* That of a channel, which outlives it, without a descriptor. */
void readiness_init(struct readiness *readiness, struct channel *channel);

/* Watches source.fd; before a call is tried that may return -EAGAIN, or after. -ENOSPC, -ENOMEM */
int readiness_watch(struct readiness *readiness);

/* Watches no more; the descriptor stays open. */
void readiness_unwatch(struct readiness *readiness);

/*
 * What a call on the descriptor came to, as a read or write returns it: -error, and of EAGAIN the
 * waiters are woken when that changes.
 */
ssize_t readiness_failed(struct readiness *readiness, int error);

#endif
