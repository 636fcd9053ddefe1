/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All holds on the kept FIFOs of one mount: what they share, and the clock by which FIFOs that
 * nobody uses are let go.
 */
#ifndef IPCFS_KEEPER_H
#define IPCFS_KEEPER_H

#include "lib/kinds/pipe/hold.h"

struct keeper {
	struct host *host;
	struct loop_source inotify, clock;
	struct fifo_hold *resting, *brief; /* the next to be let go comes first */
	struct fifo_hold *full, *waiting, *doomed, *late, *leaving, *gone;
	struct fifo_hold *watched;    /* a hash, by fifo_hold::watch */
	struct end_closing *closings; /* waiting for a thread */
	bool has_gone;                /* the mount has left the tree: nothing is held any more */
	struct loop_task resume;      /* retries the holds that were adopted */
	int64_t wound;                /* when the clock goes off; 0: it is not set */
	size_t size_soft;             /* fs.pipe-user-pages-soft, bytes; 0: no limit */
};

/* Fails with -ENOMEM, -EMFILE, … */
int keeper_new(struct host *host, struct keeper **ret_keeper);
void keeper_free(struct keeper *keeper); /* once nothing is held any more; NULL is allowed */

/* Moves the hold to the end of the list of `place`. */
void keeper_place(struct fifo_hold *hold, enum hold_place place);

/* The hold has ends of a former daemon: has it looked at once requests are served. */
void keeper_adopt(struct fifo_hold *hold);

void keeper_watch(struct fifo_hold *hold);
void keeper_unwatch(struct fifo_hold *hold);

/* Returns the hold that waits for this node in HOLD_LATE, or NULL. */
struct fifo_hold *keeper_find_late(struct keeper *keeper, uint64_t node);

/* Closes ends that were opened but are not needed, and removes their watch unless a hold has it. */
void keeper_drop(struct keeper *keeper, uid_t uid, const struct ends_opening *opening);

/*
 * Called when one of this user's threads is free. keeper_retry() retries a hold that waits for a
 * thread. It prefers the holds of this user, because other users may have used up all threads of
 * their own. keeper_let_go() then uses threads for the holds that may be let go.
 */
void keeper_retry(struct keeper *keeper, uid_t uid);
void keeper_let_go(struct keeper *keeper);

/* This user needs room: lets go of the user's resting holds as soon as possible. */
void keeper_press(struct keeper *keeper, uid_t uid);

/* As host_lock(), but fails with -ENOBUFS once half of the user's threads are in use. */
int keeper_start(struct host *host, uid_t uid, struct worker_task *task);

/* Closes a descriptor of a FIFO on a thread, as soon as one is free. */
void keeper_close(struct keeper *keeper, uid_t uid, int fd);
void keeper_close_pending(struct keeper *keeper);
void keeper_close_all(struct keeper *keeper); /* on the loop, without delay: the mount has ended */

/* Sets the clock for the next thing that is due. */
void keeper_wind(struct keeper *keeper);

#endif
