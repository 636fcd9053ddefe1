/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon is about to do, so that the next daemon can tell how far it came.
 *
 * Each request has a number. The kernel sends the requests that were not answered again; one that
 * does not come again was answered. With that and the journal, nothing is done twice and nothing is
 * forgotten. There is one journal, because only the loop answers requests.
 */
#ifndef IPCFS_JOURNAL_H
#define IPCFS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct channel;
struct file;
struct host;

enum journal_step {
	JOURNAL_NOTHING,
	/* Takes a message or bytes out of a kernel object, into host::scratch. */
	JOURNAL_RECEIVE,
	/* It is in host::scratch, journal::size bytes, and has to be given to the reader. */
	JOURNAL_GIVE,
	/* Gives a reader bytes that lie in memory, and takes them (channel_ops::take) after that. */
	JOURNAL_TAKE,
};

struct journal {
	/* The request that is being handled or answered; 0: none. Set by fs/. */
	uint64_t request;

	/* One step of a read. */
	uint32_t step; /* enum journal_step, written last */
	uint32_t pad;
	uint64_t reader; /* the request that reads */
	uint64_t file;   /* its open file, in host::files */
	uint64_t size;   /* bytes */
	uint64_t before; /* JOURNAL_TAKE: channel_ops::position before it */
	uint64_t word;   /* the kind's own, of JOURNAL_RECEIVE: channel_ops::recall */

	/*
	 * The write under way: how much of it is done in any case, and the kind's own place for
	 * what it is doing now: channel_ops::write.
	 */
	uint64_t writer; /* the request that writes; 0: none */
	uint64_t done;   /* bytes of it that have been accepted */
	uint64_t place[4];
};

/* A held write of which a part has been accepted: in host::writes. */
struct write_record {
	uint64_t request;
	uint64_t done; /* bytes */
};

/* For a compiler that would move stores to the journal or to a record across this. */
#define JOURNAL_ORDER() __asm__ __volatile__("" ::: "memory")

#endif
