/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernels, or depends on the daemon's rights, and can be done another way. The
 * daemon finds out once, at the start, by making the call itself: a kernel version tells neither
 * what a distribution has removed nor what a container may not do. After that, all code asks here.
 * Each feature can also be turned off, so that the other way can be tried on any machine.
 */
#ifndef IPCFS_FEATURE_H
#define IPCFS_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The features. features_parse() reads lists of their names, and features_text() writes such lists.
 */
enum feature {
	/* The kernel itself serves files of other filesystems. Without this, shm/ has links. */
	FEATURE_PASSTHROUGH,
	/*
	 * The kernel resends the requests of a daemon that ended. Without this, the mount ends with
	 * the daemon.
	 */
	FEATURE_RESEND,
	/*
	 * The kernel drops unused inodes when asked. Without this, it drops them only when it needs
	 * the memory.
	 */
	FEATURE_PRUNE,
	/* The kernel checks the mount's access control lists. Without this, only modes count. */
	FEATURE_POSIX_ACL,
	/*
	 * A mount can be cloned and the nodes in the clone opened by number, which keeps no mount
	 * busy. Without this, the daemon serves all pipes, and there are no kept FIFOs.
	 */
	FEATURE_OPEN_TREE,
	/*
	 * Queues can be listed through a mount that nobody else sees. Without this, they are listed
	 * through /dev/mqueue.
	 */
	FEATURE_MQUEUE_MOUNT,
	/* The file behind a mapping can be opened. Without this, System V segments are copied. */
	FEATURE_MAP_FILES,
	/*
	 * A System V message can be read and left in its queue. Without this, info/ shows no
	 * messages.
	 */
	FEATURE_MSG_COPY,
	/* A socket can refuse descriptors that are sent to it. */
	FEATURE_PASSRIGHTS,
	/* A pidfd tells how a process ended even after its parent has waited for it. */
	FEATURE_PIDFD_INFO,
	/*
	 * The pidfds of a process have an inode of its own. Without this, of processes that had the
	 * same pid, those that began within one clock tick are taken for one.
	 */
	FEATURE_PIDFS,
	N_FEATURES
};

#define FEATURES_ALL  ((1U << N_FEATURES) - 1)
#define FEATURES_TEXT 160 /* enough for all the names */

/* All zeroes: no feature is there, none is turned off. */
struct features {
	unsigned there, off; /* 1 << enum feature */
};

/* Whether the feature is there and not turned off. */
bool features_has(const struct features *features, enum feature feature);
/* Whether the feature is turned off. */
bool features_is_off(const struct features *features, enum feature feature);

/*
 * Probes the kernel. The features that only the FUSE connection tells (passthrough, resend, prune,
 * posix_acl) are not there until features_found() adds them, after INIT has been answered.
 */
void features_probe(struct features *features);
/* Notes whether a feature is there. */
void features_found(struct features *features, enum feature feature, bool is_there);

/*
 * Adds the features in a list of names, separated by ':' or ',', to `set` (of 1 << enum feature).
 * Fails with -EINVAL if a name is unknown, and leaves `set` as it was.
 */
int features_parse(const char *names, unsigned *set);

/* Writes the names in a set, with `between` between them, or "none". */
void features_text(unsigned set, char between, char text[static FEATURES_TEXT]);

#endif
