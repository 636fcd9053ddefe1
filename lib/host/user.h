/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of the daemon's memory and descriptors each user has taken, and how much a user may
 * take.
 *
 * Everything that a user can make the daemon keep is charged to that user first, so that nobody can
 * use up what all share. A user is in the table for as long as anything is charged to that user.
 */
#ifndef IPCFS_USER_H
#define IPCFS_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uthash.h>

/* What is counted. */
enum user_charge {
	USER_CHANNELS, /* objects that the daemon itself keeps; too many: -EMFILE */
	USER_FILES,    /* open files and directories; too many: -ENFILE */
	USER_HELD,     /* requests that wait; too many: -ENOBUFS */
	USER_BYTES,  /* bytes of blocked writes and of messages read in part; too many: -ENOBUFS */
	USER_STORED, /* memory of what waits in pipes, and of taps, bytes; too much: -ENOBUFS */
	USER_DESCRIPTORS, /* the daemon's descriptors, for channels; too many: -ENFILE */
	USER_SCANS,       /* scans of /proc, for texts being made; too many: -ENOBUFS */
	USER_SLEEPS,      /* threads that sleep for the user; too many: -ENOBUFS */
	USER_LOCKS,       /* threads that may wait for the lock of a pipe; too many: -ENOBUFS */
	USER_LOCKED,      /* ranges locked by fcntl(2) and flock(2); too many: -ENOLCK */
	USER_WATCHES,     /* inotify watches, for FIFOs that are held; too many: -ENFILE */
	USER_NAMES,       /* names looked up, not forgotten by the kernel; too many: -ENOBUFS */
	USER_N_CHARGES,
};

struct user {
	uid_t uid;
	size_t charged[USER_N_CHARGES];
	UT_hash_handle hh; /* user_table::users */
};

struct user_table {
	struct user *users;
	struct user *latest;           /* that was looked for; NULL: nobody */
	size_t limits[USER_N_CHARGES]; /* for each user, root included */
	/*
	 * `totals`: how much there is for all users together; 0: no limit. `reserves`: how much
	 * more there is for root alone. A user may have no more than what is then left for all
	 * others: so however many users take all they can, there is some left for the next.
	 */
	size_t totals[USER_N_CHARGES], reserves[USER_N_CHARGES];
	size_t taken[USER_N_CHARGES]; /* by all users */
	/* During adoption: what is charged has been charged before, so no limit counts. */
	bool is_adopting;
};

/*
 * Charges `n` of `what` to the user. On success the caller must uncharge the same amount later.
 * Fails with the error given beside the name above, or with -ENOMEM if there is no memory for the
 * count.
 */
int user_charge(struct user_table *table, uid_t uid, enum user_charge what, size_t n);
void user_uncharge(struct user_table *table, uid_t uid, enum user_charge what, size_t n);

/* Whether `n` of `what` could be charged to the user. */
bool user_has_room(struct user_table *table, uid_t uid, enum user_charge what, size_t n);

/* How much of `what` is charged to the user. */
size_t user_charged(struct user_table *table, uid_t uid, enum user_charge what);

#endif
