/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that is held of kept FIFOs in one mount: what they share, and the clock that lets go of those
 * which nobody uses.
 */
#ifndef IPCFS_KEEPER_H
#define IPCFS_KEEPER_H

#include "lib/kinds/pipe/hold.h"

struct keeper {
	struct host *host;
	struct loop_source inotify, clock;
	struct fifo_hold *resting, *brief; /* the first to go first */
	struct fifo_hold *full, *waiting, *doomed, *late, *leaving, *gone;
	struct fifo_hold *watched;    /* by watch */
	struct end_closing *closings; /* that wait for a thread */
	bool has_gone;                /* the mount, from the tree: nothing is held any more */
	int64_t wound;                /* when the clock goes off; 0: it does not */
	size_t size_soft;             /* fs.pipe-user-pages-soft, bytes; 0: no limit */
};

/* -ENOMEM, -EMFILE, … */
int keeper_new(struct host *host, struct keeper **ret_keeper);
void keeper_free(struct keeper *keeper); /* nothing is held any more; NULL is nothing */

/* Puts it into one of the lists, behind the others. */
void keeper_place(struct fifo_hold *hold, enum hold_place place);

void keeper_watch(struct fifo_hold *hold);
void keeper_unwatch(struct fifo_hold *hold);

/* The one that waits, HOLD_LATE, for that node; NULL: none. */
struct fifo_hold *keeper_find_late(struct keeper *keeper, uint64_t node);

/* Closes what was opened and is not wanted, with its watch, unless a hold has that. */
void keeper_drop(struct keeper *keeper, uid_t uid, const struct ends_opening *opening);

/*
 * A thread of this user's has become free, for one that waits for that: one of his before others,
 * who may have used up all of theirs. And it is there for more of those that may go.
 */
void keeper_retry(struct keeper *keeper, uid_t uid);
void keeper_let_go(struct keeper *keeper);

/* This user needs room: what rests of his is let go as soon as it can be. */
void keeper_press(struct keeper *keeper, uid_t uid);

/* As host_lock(): -ENOBUFS also where others would soon find none. */
int keeper_start(struct host *host, uid_t uid, struct worker_task *task);

/* Closes a descriptor of a FIFO on a thread, as soon as there is one. */
void keeper_close(struct keeper *keeper, uid_t uid, int fd);
void keeper_close_pending(struct keeper *keeper);
void keeper_close_all(struct keeper *keeper); /* here and now: the mount has ended */

/* Has the clock go off when there is something to do. */
void keeper_wind(struct keeper *keeper);

#endif
