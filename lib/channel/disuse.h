/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anybody still uses an object, by the facts that the kernel gives: channel_ops::disuse.
 *
 * An object is leaked if nobody has it open, mapped, attached or waits for it, it holds no message,
 * its makers or last users have ended, and nothing has happened to it for a while. A fact that
 * can't be found out counts as use.
 */
#ifndef IPCFS_DISUSE_H
#define IPCFS_DISUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct caller;
struct channel;

/* Its owner, its maker, and PROCESSES_ANYBODY if others may use it. */
#define DISUSE_OWNERS 3

struct disuse {
	const char *why;       /* a literal, for people; NULL: the object is in use */
	struct timespec since; /* CLOCK_REALTIME: when anything last happened to the object */
	/* `why` holds only if no process has the object open, which a scan of /proc finds out. */
	bool needs_scan;
	/*
	 * `why` holds only if no process of these users began before `since`: the kernel does not
	 * tell who else uses the object, but they would have to be older than its last use. With
	 * is_any_age, it holds only if they have no process at all.
	 */
	bool asks_owners, is_any_age;
	bool asks_receivers;         /* `why` holds only if no process sleeps in msgrcv(2) */
	uid_t owners[DISUSE_OWNERS]; /* some may be the same */
};

/* Returns the latest of the times in `attr`. */
struct timespec disuse_last(const struct stat *attr);
/* Returns the later of two times. */
struct timespec disuse_later(struct timespec a, struct timespec b);

/*
 * Whether something happened since `before`, or in the same second: System V objects have no finer
 * times.
 */
static inline bool disuse_is_recent(const struct timespec *since, const struct timespec *before)
{
	return since->tv_sec >= before->tv_sec;
}

/*
 * Fills in what is known about the use of the object. Only for its owner, and a caller with
 * CAP_FOWNER: to any other, the object counts as in use, and so does what something happened to
 * since `before`. May be a job. Fails as channel_stat() does.
 */
int channel_disuse(struct channel *channel, const struct timespec *before, struct caller *caller,
		   struct disuse *ret_disuse);

/* Returns 0 if the object was last used before that, as far as it tells; else -EBUSY. A job. */
int channel_check_disuse(struct channel *channel, const struct timespec *before,
			 struct caller *caller);

/*
 * Removes the object `name` as the caller, after channel_check_disuse(). Fails with -EBUSY if it
 * has come into use since, and the kernel tells. May be a job.
 */
int channel_reap(struct channel *channel, const char *name, const struct timespec *before,
		 struct caller *caller);

#endif
