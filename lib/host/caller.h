/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process on whose behalf the daemon acts.
 *
 * The daemon may be root while its callers are not, so whatever the kernel can check is checked as
 * the caller: between caller_enter() and caller_leave() this thread has the caller's effective ids
 * and groups, and the capabilities that both the caller and the daemon have. Its real and saved
 * user ids stay the daemon's, so the caller gains no right to signal or trace the daemon meanwhile
 * (kernel/signal.c, kill_ok_by_cred).
 *
 * A uid of 0 does not make a caller privileged: the uid decides what the caller owns, and
 * capabilities decide everything else. Capabilities count only if the caller is in the daemon's own
 * user namespace (in a new namespace every process has them all, over what is in it), and then only
 * those that the daemon has too. What can't be read counts as absent.
 */
#ifndef IPCFS_CALLER_H
#define IPCFS_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The umask of a caller whose umask is not known. */
#define CALLER_UMASK 022

struct waiter;

struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* 0 if it is not visible from here */

	/* What only /proc/PID/status tells, read when it is first needed. */
	bool is_loaded;
	mode_t umask;
	int n_groups;
	gid_t *groups;         /* supplementary groups, owned */
	uint64_t capabilities; /* the effective ones that count, as bits CAP_* */

	/* RLIMIT_MSGQUEUE, bytes; read when it is first needed. */
	bool has_queue_limit;
	rlim_t queue_limit;

	/*
	 * Bits 1 << enum namespace_type. `seen`: the namespaces that were checked. `home`: the
	 * namespaces that count as ours. The result also holds for whatever acts for the caller
	 * after its process has gone.
	 */
	unsigned seen, home;
	/*
	 * When the process began, clock ticks. A later process with the same pid began at another
	 * time. 0: not noted.
	 */
	uint64_t started;
	bool has_root;
	int root_fd; /* the caller's root directory, owned; valid if has_root */

	/*
	 * The waiter of the request, for calls that can't be answered at once (lib/host/job.h),
	 * borrowed. NULL: nothing waits.
	 */
	struct waiter *waiter;
};

/*
 * Whether /proc shows the caller's process. It does not if the process is in a PID namespace that
 * can't be seen from the daemon's. It also does not if /proc belongs to another PID namespace than
 * the daemon's, because the pids in such a /proc mean other processes.
 */
bool caller_is_visible(const struct caller *caller);

/* Frees and forgets what was read about the caller. The struct itself belongs to its owner. */
void caller_fini(struct caller *caller);

/*
 * Reads groups, umask and capabilities, once. A process that can't be seen has no groups, the usual
 * umask and no capabilities. Fails with -ENOMEM.
 */
int caller_load(struct caller *caller);

/*
 * Returns the caller's capabilities alone. This takes one system call, where caller_load() reads a
 * file of /proc, which takes fifty times as long.
 */
uint64_t caller_look_at_capabilities(const struct caller *caller);

/* Returns RLIMIT_MSGQUEUE, which is read only once, or 0 for a process that can't be seen. */
rlim_t caller_queue_limit(struct caller *caller);

/*
 * Notes when the process began, so that caller_open_root() does not mistake a later process for it.
 */
void caller_note_start(struct caller *caller);

/*
 * Opens the caller's root directory, for caller_root(). If the daemon has no CAP_SYS_PTRACE and may
 * not look at the process, opens the daemon's own root instead. Fails with -EPERM if the process
 * can't be seen, or with -EMFILE, -ENFILE or -ENOMEM.
 */
int caller_open_root(struct caller *caller);

/*
 * Makes *ret_copy the same caller, with its own copy of the groups, but without a root directory or
 * a waiter. Fails with -ENOMEM.
 */
int caller_copy(struct caller *ret_copy, struct caller *caller);

/*
 * Makes this thread act as the caller. Fails with -EPERM if the daemon is not root and the caller
 * is another user. On success caller_leave() must follow; the two do not nest.
 */
int caller_enter(struct caller *caller);
void caller_leave(void);

/*
 * Like caller_enter(), but without the caller's groups, for a call on an object that the caller
 * owns. The kernel does not look at an owner's groups, and reading the groups takes longer than all
 * the rest. This grants nothing that caller_enter() would not grant, but a directory on the way to
 * the object may refuse access.
 */
int caller_enter_owner(const struct caller *caller);

/*
 * On a thread that has entered a caller: returns an O_PATH descriptor of the caller's root
 * directory, borrowed, or -1 if caller_open_root() was not called.
 */
int caller_root(void);

/*
 * Takes CAP_FSETID from this thread until caller_leave_writer(), so that a file that the thread
 * writes, truncates or allocates loses its set-ID bits, as it would under any user. Do not enter a
 * caller in between. Fails with -ENOMEM.
 */
int caller_enter_writer(void);
void caller_leave_writer(void);

/*
 * Makes effective, for this thread, the capabilities of `wanted` that it is permitted, and no
 * others.
 */
int caller_set_capabilities(uint64_t wanted);

/* Returns the capabilities that this thread is permitted. */
uint64_t caller_permitted(void);

/* Returns the size of the list of the caller's groups, for charging a copy that is kept. */
static inline size_t caller_groups_size(const struct caller *caller)
{
	return (size_t)caller->n_groups * sizeof(*caller->groups);
}

/* Whether the caller has this capability (CAP_*), and the daemon has it too. */
bool caller_has(struct caller *caller, int capability);

/* Whether the caller equals the daemon: the same user and group, and all its capabilities. */
bool caller_is_daemon(const struct caller *caller);

/* Whether the caller is the owner or has CAP_FOWNER. */
bool caller_owns(struct caller *caller, uid_t owner);

/*
 * Whether the caller may do `want` (R_OK | W_OK), by the mode bits (path_resolution(7)). For
 * objects that the daemon itself keeps.
 */
bool caller_may(struct caller *caller, const struct stat *attr, int want);

/*
 * Whether the caller is one of the daemon's own threads, which may use the mount themselves. The
 * loop's thread never does.
 */
bool caller_is_ours(const struct caller *caller);

/* Whether `gid` is the caller's group or one of its supplementary groups. */
bool caller_in_group(struct caller *caller, gid_t gid);

#endif
