/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of a kept FIFO that the daemon holds. It holds the read end so that no writer has to
 * wait for a reader, and nothing is lost when the writer leaves. It holds a write end for exactly
 * as long as something is in the pipe and nobody else writes, so that no reader has to wait in
 * open(2) for bytes that are there already.
 *
 * A hold belongs to the loop. Whatever may wait for the lock of the pipe is done by a thread, one
 * at a time for each hold (ends.h). Meanwhile the hold is busy, and afterwards it is looked at
 * again. So the order of events does not matter: only the present state decides what is done.
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
	struct channel *channel; /* the FIFO; referenced while a thread works on the hold */
	uid_t uid;               /* the user who is charged */
	struct loop_source read_end;
	struct ends ends; /* belongs to the thread while one works on it */
	int spare_fd;     /* another read end, opened while a thread closed the first; or -1 */
	int spare_watch;
	bool has_no_end;
	bool was_full; /* the pipe had bytes in it when it was last checked */
	/* When a writer was last seen to leave; 0: not since hold_tell_times(). */
	struct timespec written;
	bool is_held;     /* read_end is open, and stays open for now */
	bool is_busy;     /* a thread works on it */
	bool is_paid;     /* a USER_LOCKS is charged for that thread */
	bool is_wanted;   /* looked up since hold_leave() */
	bool is_doomed;   /* will be ended soon */
	bool is_ended;    /* must not be held any more */
	bool has_writer;  /* someone seemed to write when it was last checked */
	bool tries;       /* the next task finds out whether someone writes */
	bool is_adopted;  /* a former daemon opened the ends, and they are not watched yet */
	unsigned n_reads; /* since we have had a write end */
	size_t charged;   /* as USER_STORED, bytes */
	int64_t used;     /* when it was last looked up, or moved to a list: clock_now() */
	uint64_t node;    /* HOLD_LATE: the node that is being opened */
	int watch;        /* inotify's number; -1: none */
	struct worker_task task;
	enum hold_place {
		HOLD_NOWHERE,
		HOLD_BRIEF,   /* as HOLD_RESTING, but for less time: the owner has many holds */
		HOLD_RESTING, /* empty, and without a writer as far as is known: will be let go */
		HOLD_FULL,    /* with a write end of ours */
		HOLD_WAITING, /* waits for a thread */
		HOLD_DOOMED,  /* its name is gone: will be ended soon */
		HOLD_GONE,    /* not held, but the FIFO may be in use, with all its capacity */
		HOLD_LATE,    /* not held: the thread that opens it has not come back yet */
		HOLD_LEAVING, /* a thread is about to let it go */
	} place;
	struct fifo_hold *prev, *next; /* in the keeper's list for `place` */
	UT_hash_handle hh;             /* keeper::watched, by `watch` */
};

void hold_init(struct fifo_hold *hold, struct keeper *keeper, struct channel *channel, uid_t uid);

/* For a channel without references: the kernel has forgotten this FIFO, or all inodes. */
void hold_fini(struct fifo_hold *hold);

/*
 * Takes ownership of the ends that a job has opened for the hold. If the FIFO is held already,
 * closes them again. Fails with -ENFILE or -ENOMEM, or with -ESTALE once the hold has ended.
 */
int hold_take(struct fifo_hold *hold, struct ends_opening *opening);

/*
 * The lookup gives up waiting for the job that opens the node. The FIFO is held once that job is
 * done.
 */
void hold_await(struct fifo_hold *hold, uint64_t node);

/* The name was looked up: keeps the hold for a while. Returns false if the FIFO is not held. */
bool hold_renew(struct fifo_hold *hold);

/* Identifies the read end for a job. Returns false if the FIFO is not held. */
bool hold_pin(const struct fifo_hold *hold, struct ends_pin *ret_pin);

/*
 * Ends the hold for good, or until hold_begin(). Bytes in the pipe remain for the processes that
 * have it open.
 */
void hold_end(struct fifo_hold *hold);

/*
 * Ends the hold of a FIFO whose name is gone, soon rather than at once. A process that looked the
 * name up before, and opens the FIFO only now, would otherwise wait for a reader that can't come
 * any more.
 */
void hold_doom(struct fifo_hold *hold);

/* Undoes hold_end(): the FIFO may be held again. */
void hold_begin(struct fifo_hold *hold);

/* Sets whether both ends are held for good. */
void hold_set_end(struct fifo_hold *hold, bool has_no_end);

/*
 * Returns 0 if the owner has room for one more hold. Fails with -EBUSY if the owner has no room
 * yet, but some of the owner's other holds are about to go. Fails with -ENFILE if none are.
 */
int hold_room(struct fifo_hold *hold);

/* Whether the owner has so many holds that they are let go sooner. */
bool hold_has_many(const struct fifo_hold *hold);

/* Returns the capacity that a new pipe of this user gets if `wanted` bytes are asked for. */
size_t hold_size(const struct fifo_hold *hold, size_t wanted);

/*
 * Whether the pipe may have a capacity of `size` bytes, given the other pipes of its owner.
 * hold_resized() charges the owner for the new capacity.
 */
bool hold_may_resize(const struct fifo_hold *hold, size_t size);
void hold_resized(struct fifo_hold *hold, size_t size);

/*
 * For hold.c. hold_charge() charges the owner for one more hold, with that capacity; it fails with
 * -ENFILE. hold_uncharge() ends these charges except for the capacity, which may outlive the hold;
 * hold_resized() with 0 bytes ends that charge.
 */
int hold_charge(struct fifo_hold *hold, size_t size);
void hold_uncharge(struct fifo_hold *hold);

/*
 * For the keeper. hold_look(): something may have changed. hold_read(): someone has read.
 * hold_leave(): lets go of the FIFO unless someone uses it. hold_ask_gone(): uncharges the
 * capacity, unless the FIFO may still be in use.
 */
void hold_look(struct fifo_hold *hold);
void hold_read(struct fifo_hold *hold);
void hold_leave(struct fifo_hold *hold);
void hold_ask_gone(struct fifo_hold *hold);

/* Watches the read end in `ends`. For hold.c and hold_record.c. */
int hold_arm(struct fifo_hold *hold);

/*
 * Writes into the record which ends stay open, whatever a thread does that works on the hold. Those
 * are closed that the record does not name when the daemon dies.
 */
void hold_save(const struct fifo_hold *hold, struct object_record *record);
/*
 * For the next daemon: takes over the ends of the record, if they are ends of this FIFO, and
 * charges `size` bytes. The record keeps only what was taken over.
 */
void hold_adopt(struct fifo_hold *hold, struct object_record *record, size_t size);

/*
 * Updates the times of the last write and read, if the daemon has noticed any since the last call.
 */
void hold_tell_times(struct fifo_hold *hold, struct attributes *attributes);

/* Returns which ends are held: "no", "read" or "both". */
const char *hold_word(const struct fifo_hold *hold);

#endif
