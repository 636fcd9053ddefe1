/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On whose behalf something is done.
 *
 * The daemon may be root while its callers are not, so what the kernel can check it checks as the
 * caller: between caller_enter() and caller_leave() this thread has the caller's effective ids and
 * groups, and those of its capabilities that both have. Its real and saved user stay the daemon's
 * own, so the caller gets no right to signal or trace the daemon meanwhile (kernel/signal.c,
 * kill_ok_by_cred).
 *
 * Nobody is root by a number: uid 0 counts for what it owns, and capabilities for the rest. They
 * count only from the daemon's own user namespace (in a new one every process has them all, over
 * what is in it), and only as far as the daemon has them, too. What can't be read is not there.
 */
#ifndef IPCFS_CALLER_H
#define IPCFS_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
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
	gid_t *groups;         /* supplementary groups, owned */
	uint64_t capabilities; /* effective, as far as they count: bit CAP_* */

	/* RLIMIT_MSGQUEUE, bytes: read when it is first needed. */
	bool has_queue_limit;
	rlim_t queue_limit;

	/*
	 * Bits of lib/host/namespaces.h: which were looked at, and which of those are ours. That
	 * holds for whoever acts for this caller later, when its process may have gone.
	 */
	unsigned seen, home;
	/* When its process began, clock ticks: the next of its number differs. 0: not asked for. */
	uint64_t started;
	bool has_root;
	int root_fd; /* its root directory, owned, if has_root */

	/* What waits if this can't be done at once (lib/host/job.h), borrowed; NULL: nothing. */
	struct waiter *waiter;
};

/*
 * Can the caller's process be looked at in /proc? Not where it is in a PID namespace that the
 * daemon's knows nothing of, nor where /proc is another namespace's than the daemon's: the numbers
 * there are somebody else's.
 */
bool caller_is_visible(const struct caller *caller);

/* Forgets what was read. The struct itself is the owner's. */
void caller_fini(struct caller *caller);

/*
 * Reads groups, umask and capabilities, once. A process that can't be seen has no groups, the usual
 * umask and no capabilities. -ENOMEM
 */
int caller_load(struct caller *caller);

/*
 * The capabilities alone, with one system call where caller_load() reads a file of /proc, which
 * takes fifty times as long.
 */
uint64_t caller_look_at_capabilities(const struct caller *caller);

/* Reads RLIMIT_MSGQUEUE, once; of a process that can't be seen it is 0. */
rlim_t caller_queue_limit(struct caller *caller);

/* Notes when the process began, so that caller_open_root() takes no other for it later. */
void caller_note_start(struct caller *caller);

/*
 * Opens the caller's root directory, for caller_root(). Where the daemon may look at no process but
 * its own kind (no CAP_SYS_PTRACE) it is the daemon's. -EPERM: it can't be seen. -ENFILE, …
 */
int caller_open_root(struct caller *caller);

/*
 * Makes *ret_copy the same caller, with groups of its own, but without a root directory. -ENOMEM
 */
int caller_copy(struct caller *ret_copy, struct caller *caller);

/*
 * Become the caller. -EPERM if the daemon may not (it is not root and the caller is another user).
 * On success caller_leave() must follow; the two do not nest.
 */
int caller_enter(struct caller *caller);
void caller_leave(void);

/*
 * The same for a call about what the caller owns: of an owner the kernel looks at no group, and to
 * read which there are takes longer than all else. Nothing is granted by it that caller_enter()
 * would not grant; but something on the way to the object may be refused.
 */
int caller_enter_owner(const struct caller *caller);

/*
 * On a thread that has entered a caller: an O_PATH descriptor of the caller's root directory,
 * borrowed; -1 if caller_open_root() was not called.
 */
int caller_root(void);

/*
 * Until caller_leave_writer() this thread lacks CAP_FSETID, so that what it writes to, cuts or
 * allocates loses its set-ID bits as by the hand of any user. In between no caller is entered.
 * -ENOMEM
 */
int caller_enter_writer(void);
void caller_leave_writer(void);

/* Sets the capabilities in effect of this thread to those of `wanted` that it may have. */
int caller_set_capabilities(uint64_t wanted);

/* What capabilities this thread may have. */
uint64_t caller_permitted(void);

/* Has the caller this capability (CAP_*), and the daemon, too? */
bool caller_has(struct caller *caller, int capability);

/* Is it what the daemon is: its user and group, with all that it may do? */
bool caller_is_daemon(const struct caller *caller);

/* True for the owner, and with CAP_FOWNER. */
bool caller_owns(struct caller *caller, uid_t owner);

/*
 * The mode-bit check of path_resolution(7), for what the daemon itself keeps: may the caller do
 * `want` (R_OK | W_OK)?
 */
bool caller_may(struct caller *caller, const struct stat *attr, int want);

/* Is it one of the daemon's own threads, by way of the mount? The loop's never calls. */
bool caller_is_ours(const struct caller *caller);

/* True if `gid` is the caller's group or one of its supplementary groups. */
bool caller_in_group(struct caller *caller, gid_t gid);

#endif
