/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On whose behalf something is done.
 *
 * The daemon may be root while its callers are not, so what the kernel can check it checks as the
 * caller: between caller_enter() and caller_leave() this thread has the caller's effective ids and
 * groups, and no capabilities unless that is root. Its real and saved user stay the daemon's own,
 * so the caller gets no right to signal or trace the daemon meanwhile (kernel/signal.c,
 * kill_ok_by_cred).
 */
#ifndef IPCFS_CALLER_H
#define IPCFS_CALLER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The umask of whoever has none that is known. */
#define CALLER_UMASK 022

struct waiter;

struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* 0 when it is not visible from here */

	/* What only /proc/PID/status knows: read when it is first needed. */
	bool is_loaded;
	mode_t umask;
	int n_groups;
	gid_t *groups;   /* supplementary groups, owned */
	bool is_limited; /* uid 0, but without the capabilities that make it root */

	/* What waits if this can't be done at once (lib/host/job.h), borrowed; NULL: nothing. */
	struct waiter *waiter;
};

/* Forgets what was read. The struct itself is the owner's. */
void caller_fini(struct caller *caller);

/*
 * Reads groups and umask, once. A process that can't be seen has no groups, and the usual umask.
 * -ENOMEM
 */
int caller_load(struct caller *caller);

/* Makes *ret_copy the same caller, with groups of its own. -ENOMEM */
int caller_copy(struct caller *ret_copy, struct caller *caller);

/*
 * Become the caller. -EPERM if the daemon may not (it is not root and the caller is another user).
 * On success caller_leave() must follow; the two do not nest.
 */
int caller_enter(struct caller *caller);
void caller_leave(void);

/* For good, of a process that is the caller already. */
int caller_drop_capabilities(void);

/*
 * True for uid 0 with root's capabilities. A process that can't be seen is outside of the daemon's
 * PID namespace, so above it, and has them.
 */
bool caller_is_root(struct caller *caller);

/* True for root and for the owner. */
bool caller_owns(struct caller *caller, uid_t owner);

/* The mode-bit check of path_resolution(7): may the caller do `want` (R_OK | W_OK)? */
bool caller_may(struct caller *caller, const struct stat *attr, int want);

/* Is it one of the daemon's own threads, by way of the mount? The loop's never calls. */
bool caller_is_ours(const struct caller *caller);

/* True if `gid` is the caller's group or one of its supplementary groups. */
bool caller_in_group(struct caller *caller, gid_t gid);

#endif
