/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon holds of a kept FIFO: the read end, so that no writer has to wait for a reader,
 * and nothing is lost when it goes; and a write end for exactly as long as something is in the pipe
 * and nobody else writes, so that no reader has to wait in open(2) for what is there already.
 *
 * A hold is of the loop. What may wait for the lock of the pipe is done by a thread, one at a time
 * for each hold (ends.h); meanwhile it is busy, and when that is over it is looked at again. So it
 * does not matter which event came when: what is done follows from how things are.
 */
#ifndef IPCFS_HOLD_H
#define IPCFS_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "lib/base/loop.h"
#include "lib/base/workers.h"
#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/kinds/pipe/ends.h"

struct keeper;

struct fifo_hold {
	struct keeper *keeper;
	struct channel *channel; /* whose hold it is: referenced while a thread is at it */
	uid_t uid;               /* who is charged */
	struct loop_source read_end;
	struct ends ends; /* the thread's own while it is at it */
	int spare_fd;     /* another read end, found while this one was about to go; -1 */
	int spare_watch;
	bool has_no_end;
	bool was_full; /* there was something in it, when it was last seen */
	struct timespec
		written;  /* when a writer was last seen to leave; 0: not since it was told */
	bool is_held;     /* read_end is there, and stays for now */
	bool is_busy;     /* a thread is at it */
	bool is_paid;     /* for that, a USER_LOCKS */
	bool is_wanted;   /* it has been looked up since it was about to go */
	bool is_doomed;   /* to be ended soon */
	bool is_ended;    /* not to be held any more */
	bool has_writer;  /* somebody writes, as it last seemed */
	bool tries;       /* whether somebody does has to be found out */
	unsigned n_reads; /* since there is a write end of ours */
	size_t charged;   /* USER_STORED */
	int64_t used;     /* when it was last looked up: clock_now() */
	uint64_t node;    /* that is being opened, HOLD_LATE */
	int watch;        /* inotify's number; -1 */
	struct worker_task task;
	enum hold_place {
		HOLD_NOWHERE,
		HOLD_BRIEF,   /* as HOLD_RESTING, but its owner has many */
		HOLD_RESTING, /* empty, as far as is known without a writer: to be let go */
		HOLD_FULL,    /* with a write end of ours */
		HOLD_WAITING, /* for a thread */
		HOLD_DOOMED,  /* its name has gone: to be ended */
		HOLD_GONE,    /* not held; but somebody may have it open, with all its capacity */
		HOLD_LATE,    /* not held: the thread that opens it has not come back yet */
		HOLD_LEAVING, /* a thread is about to let it go */
	} place;
	struct fifo_hold *prev, *next; /* in the keeper's list of that name */
	UT_hash_handle hh;             /* keeper::watched, by `watch` */
};

void hold_init(struct fifo_hold *hold, struct keeper *keeper, struct channel *channel, uid_t uid);

/* For a channel that nobody refers to any more: the kernel has forgotten the FIFO, or all. */
void hold_fini(struct fifo_hold *hold);

/* Takes over what has been opened for it; what is held already is closed again. -ENFILE */
int hold_take(struct fifo_hold *hold, struct ends_opening *opening);

/* Nobody waits for its opening any more; but it is held when that is done. */
void hold_await(struct fifo_hold *hold, uint64_t node);

/* Somebody looks it up: it is not let go for a while. False: it is not held. */
bool hold_renew(struct fifo_hold *hold);

/* For jobs on what is held. False: it is not. */
bool hold_pin(const struct fifo_hold *hold, struct ends_pin *ret_pin);

/* Lets go for good, or until hold_begin(): what is in it stays with whoever has it open. */
void hold_end(struct fifo_hold *hold);

/*
 * The same, but soon: whoever has looked the name up before it went, and opens the FIFO only now,
 * would wait for a reader that can't come any more.
 */
void hold_doom(struct fifo_hold *hold);
void hold_begin(struct fifo_hold *hold);

/* Both ends are held for good, or no longer. */
void hold_set_end(struct fifo_hold *hold, bool has_no_end);

/*
 * Is there room for one more of its owner's? 0. -EBUSY: not yet, but others of theirs are about to
 * go. -ENFILE
 */
int hold_room(struct fifo_hold *hold);

/* Has its owner so many that they are let go sooner? */
bool hold_has_many(const struct fifo_hold *hold);

/* What a new pipe of this user's may have, of the bytes that are wanted. */
size_t hold_size(const struct fifo_hold *hold, size_t wanted);

/* May the pipe, as its owner has others, have so many bytes? And then: it has. */
bool hold_may_resize(const struct fifo_hold *hold, size_t size);
void hold_resized(struct fifo_hold *hold, size_t size);

/*
 * For hold.c: one more of the owner's is held, with that capacity. -ENFILE. And: it is not any
 * more; of the capacity hold_resized() tells, which may outlive the hold.
 */
int hold_charge(struct fifo_hold *hold, size_t size);
void hold_uncharge(struct fifo_hold *hold);

/* For the keeper: something may have changed; somebody has read; it may go if nobody uses it. */
void hold_look(struct fifo_hold *hold);
void hold_read(struct fifo_hold *hold);
void hold_leave(struct fifo_hold *hold);
void hold_ask_gone(struct fifo_hold *hold);

/* When something was last written and read, as far as it has been seen, if that is news. */
void hold_tell_times(struct fifo_hold *hold, struct attributes *attributes);

/* What is held: "no", "read" or "both". */
const char *hold_word(const struct fifo_hold *hold);

#endif
