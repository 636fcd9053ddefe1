/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon is about to do, so that the next daemon can tell how far it came.
 *
 * Each request has a number, which is never used again. The kernel sends the requests that were not
 * answered once more; one that does not come again was answered. With that and the journal, nothing
 * is done twice and nothing is forgotten. There is one journal, because only the loop answers
 * requests, one after the other.
 *
 * A read takes bytes and answers; a write gives bytes away, perhaps to several readers, and is
 * answered when all are accepted. Each has one entry in the journal while it is under way.
 */
#ifndef IPCFS_JOURNAL_H
#define IPCFS_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct channel;
struct file;
struct host;

enum journal_step {
	JOURNAL_NOTHING,
	/*
	 * Calls channel_ops::read, into host::scratch. Kinds that keep what waits in memory set
	 * journal::size when the bytes are in the buffer, before they take them.
	 */
	JOURNAL_RECEIVE,
	/* journal::size bytes in host::scratch have to be given to the reader. */
	JOURNAL_GIVE,
	/* Gives a reader bytes that lie in memory, and calls channel_ops::take after that. */
	JOURNAL_TAKE,
	/* Gives a reader bytes of the write under way, then adds them to journal::handed. */
	JOURNAL_HAND,
	/* Gives a reader journal::size bytes of the rest of a message, from journal::before on. */
	JOURNAL_REST,
};

/* Writes that a thread does may end in any order, but long before this many requests have come. */
#define JOURNAL_ACCEPTED 4096

/* The object that a request makes or removes, where the kernel keeps the names. */
struct journal_object {
	uint64_t request; /* written last */
	uint64_t number;  /* of its inode, or its id */
};

/* Few of these are under way at a time. One that takes another's place makes that one forgotten. */
#define JOURNAL_OBJECTS 512

struct journal {
	/* The request that is being handled or answered; 0: none. */
	uint64_t request;
	/* The kernel has sent it again: the former daemon may have done a part of it, or all. */
	uint64_t is_again;

	/* A read. */
	uint64_t step;   /* enum journal_step, written last */
	uint64_t reader; /* the request that reads */
	uint64_t file;   /* its open file, in host::files */
	uint64_t size;   /* bytes */
	uint64_t most;   /* bytes that the reader asked for */
	uint64_t before; /* channel_ops::position before it, or as the step says */
	uint64_t word;   /* the kind's own, 0 before JOURNAL_RECEIVE: channel_ops::recall */

	/* A write. */
	uint64_t writer;   /* the request that writes, written last; 0: none */
	uint64_t object;   /* its channel, in host::objects */
	uint64_t done;     /* bytes that were accepted before it was tried this time */
	uint64_t handed;   /* bytes that readers were given since */
	uint64_t accepted; /* channel_ops::accepted before it was tried */
	uint64_t place;    /* the kind's own */

	uint64_t unnamed; /* the request that has last removed or changed a kept name */
	uint64_t renamed; /* an object that gets another name, in host::objects; 0: none */
	char old_name[NAME_MAX + 1];

	/*
	 * Writes that the kernel has accepted whole, by request. A place is written by any thread,
	 * in one store, and never cleared: no request has the number of an earlier one.
	 */
	uint64_t accepted_whole[JOURNAL_ACCEPTED];

	struct journal_object objects[JOURNAL_OBJECTS]; /* by request, written by any thread */
};

/* What work off the loop takes along to note what it does. It has no padding: job_run(). */
struct journal_note {
	struct journal *journal;
	uint64_t request, is_again;
};

/* A held write of which a part has been accepted: in host::writes. */
struct write_record {
	uint64_t request;
	uint64_t done; /* bytes */
};

/* Begins a step of a read of `most` bytes by `request`. */
void journal_read(struct file *file, uint64_t request, enum journal_step step, size_t size,
		  size_t most);
/* The reader has been answered, or will never be: the step is over. */
void journal_read_end(struct host *host);
/* The same for JOURNAL_HAND, where the reader has its bytes. */
void journal_handed(struct host *host);

/* Begins a write by the request in hand, of which `done` bytes have been accepted earlier. */
void journal_write(struct file *file, size_t done);
/*
 * Tells right after the call that the kernel has accepted a write whole: `request` was in hand when
 * the write was begun. For kinds without channel_ops::accepted; on any thread. If the daemon is
 * killed between the kernel's acceptance and this, the write is done twice.
 */
void journal_accept(struct journal *journal, uint64_t request);
/* The write has been answered, or what was accepted of it is in its record. */
void journal_write_end(struct host *host);

/* For the request in hand. */
struct journal_note journal_note_of(const struct host *host);
/*
 * Notes the object that the request is about to remove, is about to make or has just made. On any
 * thread, and in a process that shares the state.
 */
void journal_note(const struct journal_note *note, uint64_t number);
/*
 * Whether the former daemon has noted this object for the request, which comes again; 0: any
 * object. A former daemon that was killed between the call and its note has noted nothing.
 */
bool journal_has_noted(const struct journal_note *note, uint64_t number);
/*
 * Forgets the object that was noted for the request in hand. To be called between the steps of a
 * request that makes or removes several objects.
 */
void journal_unnote(struct host *host);

/* Whether the kernel has sent this request again (host::is_again). */
bool journal_is_again(struct host *host, uint64_t request);
/* Notes which request is handled or answered from now on; 0: none. */
void journal_take_up(struct host *host, uint64_t request);

/*
 * For the next daemon, when objects and files are adopted: ends the steps that were under way.
 * After that journal_done() tells how much of a write that comes again is done already.
 */
void journal_adopt(struct host *host);

/*
 * For a request that comes again: how many bytes of the write were accepted in the former daemon,
 * SIZE_MAX if all.
 */
size_t journal_done(struct host *host, uint64_t request);
/*
 * Forgets what the former daemon has noted of the write in hand. To be called after
 * journal_write(), which has it from then on.
 */
void journal_resumed(struct host *host);

/* Whether there is such a write: a part of it was accepted. */
bool journal_has(struct host *host, uint64_t request);

/*
 * Remembers that `done` bytes of a write that is held now have been accepted. *id is its id in
 * host::writes, 0 at first. Without memory it is not remembered.
 */
void journal_keep(struct host *host, uint64_t *id, uint64_t request, size_t done);
/* The write has been answered. */
void journal_forget(struct host *host, uint64_t *id);

#endif
