/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which callers share the namespaces that the mount shows.
 *
 * The daemon makes calls in its own namespaces, whatever namespaces its callers are in. A process
 * that was put into another network or IPC namespace could get out of it through the mount, so it
 * is refused what belongs to that namespace: -EPERM. Mount namespaces need no such rule: paths are
 * walked from the caller's own root (caller_root()).
 *
 * A process in a PID namespace below the daemon's can be seen from here, but not the reverse: it
 * must not learn of, or signal, what its own /proc does not show it.
 */
#ifndef IPCFS_NAMESPACES_H
#define IPCFS_NAMESPACES_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "lib/host/caller.h"

/*
 * The type of namespace that the objects of a directory belong to; 1 << N is a bit of
 * namespaces::foreign.
 */
enum namespace_type {
	NAMESPACE_NONE, /* the objects are the mount's own: only the mode decides */
	NAMESPACE_NET,
	NAMESPACE_IPC,
	NAMESPACE_PID, /* as `foreign`, also lets in callers that can't be seen from here */
};

/* The size of a text such as "net:[4026531840]". */
#define NAMESPACE_LINK 40

struct namespaces {
	char net[NAMESPACE_LINK], pid[NAMESPACE_LINK];
	char ipc[2][NAMESPACE_LINK]; /* the daemon's, and the namespace that it shows with ipcns= */
	unsigned foreign;            /* 1 << NAMESPACE_*: foreign callers are served too */

	/* What namespaces_check_look() saw last. */
	pid_t looked_at;
	unsigned looked_home;
	struct timespec looked;
};

/* Notes this process's own namespaces. Called again after setns(2), adds the new IPC namespace. */
void namespaces_note(struct namespaces *namespaces);

/* Parses names, such as "net:ipc:pid", to bits. Fails with -EINVAL. */
int namespaces_parse(const char *names, unsigned *ret_foreign);

/*
 * Returns 0 if the caller may use what belongs to the namespace, else -EPERM. The answer is
 * remembered for this caller; a new request is a new caller.
 */
int namespaces_check(const struct namespaces *namespaces, struct caller *caller,
		     enum namespace_type type);

/*
 * Like namespaces_check(), for a call that only looks at a name, which programs do several times in
 * a row. A check of this thread from some milliseconds ago still counts. A process that has left
 * the namespace since then sees no more than it could see just before.
 */
int namespaces_check_look(struct namespaces *namespaces, struct caller *caller,
			  enum namespace_type type);

/* Whether a thread is in the daemon's user namespace, which the daemon never leaves. */
bool namespaces_is_own_user(pid_t pid);

/*
 * Whether the daemon can look at the namespaces of every process (CAP_SYS_PTRACE). If not, it
 * refuses only callers that it can see to be foreign.
 */
bool namespaces_can_see(void);
/* Whether it can, and is in the first PID namespace: there is no process that it can't see. */
bool namespaces_see_all(void);

#endif
