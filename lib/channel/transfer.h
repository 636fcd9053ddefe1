/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A read, write, open or lock that waits until the channel can do it.
 *
 * A transfer is part of its owner's memory, and belongs to the channel from transfer_hold() until
 * it is done or cancelled. Held readers are served in order of arrival. So are writers, one at a
 * time, which is why the bytes of two writes never mix.
 */
#ifndef IPCFS_TRANSFER_H
#define IPCFS_TRANSFER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/channel/channel.h"
#include "lib/host/job.h"

/* How many waiters of a channel one turn of the loop serves at most: other channels come next. */
#define TRANSFER_TURN 256

enum transfer_sort { TRANSFER_READ, TRANSFER_WRITE, TRANSFER_OPEN, TRANSFER_LOCK };

struct transfer {
	struct file *file; /* borrowed; stays open while the transfer is held */
	uint64_t request;  /* its number: lib/channel/journal.h */
	uint64_t record;   /* of a write of which a part is done: in host::writes; 0: none */
	enum transfer_sort sort;
	pid_t pid; /* the thread that asks, and its user: file::pid */
	uid_t pid_uid;
	union {
		const char *data;        /* a write's bytes, borrowed */
		const struct lock *lock; /* the lock to wait for, borrowed */
	};
	union {
		struct buffer *buffer; /* where the bytes are kept: file::buffer; or NULL */
		uint64_t blocker;      /* what was in the lock's way: lock_table_blocker(); or 0 */
	};
	size_t size;   /* bytes to read at most, or to write */
	size_t done;   /* bytes of the write accepted so far */
	size_t before; /* bytes of the same write(2) accepted before it was held, not in `size` */
	off_t offset;

	/*
	 * Called once, from the loop, when the transfer is over and no longer held. `result` is the
	 * number of bytes, or -errno. `data` points at the bytes of a read, valid during the call.
	 * Returns false if the request could not be answered; bytes from transfer_hand() then count
	 * as not taken.
	 */
	bool (*complete)(struct transfer *transfer, const void *data, ssize_t result);

	struct waiter waiter;         /* for the jobs of a write (CHANNEL_WRITES_BY_JOB) */
	struct transfer *prev, *next; /* channel::readers, writers, openers, lockers */
};

/* Holds the transfer. Its last try must have returned -EAGAIN, or accepted only a part. */
void transfer_hold(struct transfer *transfer);

/* As job_stop(). Returns true if complete() follows; its result says whether the work was done. */
bool transfer_stop(struct transfer *transfer);

/* For kinds: ends the transfer with this `result`, which is as for complete(). */
void transfer_finish(struct transfer *transfer, ssize_t result);

/* Ends the transfer without calling complete(). A thread at work on it may still carry it out. */
void transfer_cancel(struct transfer *transfer);

/*
 * For kinds: answers a waiting reader with at most transfer::size bytes, or with -errno: `result`.
 * Returns false if the reader could not be answered; the bytes then count as not taken.
 */
bool transfer_give(struct transfer *reader, const void *data, ssize_t result);

/*
 * For kinds: gives `data` directly to waiting readers, as far as they can take it. Returns the
 * number of bytes taken.
 */
size_t transfer_hand(struct channel *channel, const void *data, size_t size);

/* As channel_wake(), but for the loop's next turn, when others have been served. */
void transfer_retry_later(struct channel *channel, uint32_t events);

/* Retries the channel's held transfers after channel_wake(channel, events). */
void transfer_retry(struct channel *channel, uint32_t events);

#endif
