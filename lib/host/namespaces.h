/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which callers share the namespaces that the mount shows.
 *
 * The daemon makes calls in its own namespaces, whatever its callers are in. A process that was put
 * into another network or IPC namespace would get out of it through the mount, so it is refused
 * what belongs to that namespace: -EPERM. Mount namespaces need no such rule: paths are walked from
 * the caller's own root (caller_root()).
 */
#ifndef IPCFS_NAMESPACES_H
#define IPCFS_NAMESPACES_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "lib/host/caller.h"

/* To which the objects of a directory belong; also bits of namespaces::foreign, as 1 << N. */
enum namespace_type {
	NAMESPACE_NONE, /* the mount's own: the mode decides */
	NAMESPACE_NET,
	NAMESPACE_IPC,
	NAMESPACE_PID, /* of foreign alone: callers whose process can't be seen from here */
};

/* "net:[4026531840]" */
#define NAMESPACE_LINK 40

struct namespaces {
	char net[NAMESPACE_LINK];
	char ipc[2][NAMESPACE_LINK]; /* the daemon's, and whose it shows with ipcns= */
	unsigned foreign;            /* 1 << NAMESPACE_*: whose callers are served all the same */

	/* What namespaces_check_look() has seen last. */
	pid_t looked_at;
	unsigned looked_home;
	struct timespec looked;
};

/* Notes those that this process is in. Called again after setns(2), it adds the new one of IPC. */
void namespaces_note(struct namespaces *namespaces);

/* Bits of the names in "net:ipc:pid". -EINVAL */
int namespaces_parse(const char *names, unsigned *ret_foreign);

/*
 * May the caller use what belongs to the namespace? 0 or -EPERM. What was seen once of this caller
 * holds for it: a new request is a new caller.
 */
int namespaces_check(const struct namespaces *namespaces, struct caller *caller,
		     enum namespace_type type);

/*
 * The same for what only looks at a name, which programs do several times in a row: what was seen
 * of this thread some milliseconds ago holds, too. Whoever has left the namespace meanwhile sees no
 * more than could be seen just before.
 */
int namespaces_check_look(struct namespaces *namespaces, struct caller *caller,
			  enum namespace_type type);

/* Is a thread in the user namespace of this process, which never leaves its own? */
bool namespaces_is_own_user(pid_t pid);

/*
 * Can the daemon look at the namespaces of every process (CAP_SYS_PTRACE)? Without that it can't
 * tell, and refuses nobody but those who can be seen to be foreign.
 */
bool namespaces_can_see(void);

#endif
