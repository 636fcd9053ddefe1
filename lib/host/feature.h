/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernels, and the daemon's rights, differ in, and what there is another way for. It is asked
 * once, at the start, by making the call itself: a version says neither what a distribution has
 * taken out nor what a container may not do. From then on there is one place to look, and each
 * feature can be turned off, so that the other way can be tried on any machine.
 */
#ifndef IPCFS_FEATURE_H
#define IPCFS_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

/* Lists of their names are read by features_parse() and written by features_text(). */
enum feature {
	/* The kernel serves files of other filesystems in the mount. Without: shm/ has links. */
	FEATURE_PASSTHROUGH,
	/* It sends again what was asked of a daemon that ended. Without: that ends the mount. */
	FEATURE_RESEND,
	/* It drops inodes that nobody uses. Without: only when it needs the memory. */
	FEATURE_PRUNE,
	/* It checks access control lists that the mount has. Without: modes alone count. */
	FEATURE_POSIX_ACL,
	/*
	 * A mount can be cloned, and what it shows opened by number: so it keeps no mount busy.
	 * Without: pipes are served, not kept.
	 */
	FEATURE_OPEN_TREE,
	/* The queues can be listed without a mount that others see. Without: by /dev/mqueue. */
	FEATURE_MQUEUE_MOUNT,
	/* The file behind a map can be opened. Without: System V segments are copied. */
	FEATURE_MAP_FILES,
	/* A System V message can be read and left there. Without: info/ does not show them. */
	FEATURE_MSG_COPY,
	/* A socket can refuse descriptors that are sent to it. */
	FEATURE_PASSRIGHTS,
	/* A pidfd tells how a process ended that is nobody's child any more. */
	FEATURE_PIDFD_INFO,
	N_FEATURES
};

#define FEATURES_ALL  ((1U << N_FEATURES) - 1)
#define FEATURES_TEXT 160 /* enough for the names of all */

/* All zeroes: nothing is there, nothing turned off. */
struct features {
	unsigned there, off; /* 1 << enum feature */
};

/* Is it there, and not turned off? */
bool features_has(const struct features *features, enum feature feature);
bool features_is_off(const struct features *features, enum feature feature);

/*
 * Asks the kernel. What only the connection to it tells (passthrough, resend, prune, posix_acl) is
 * not there until features_found() says so: when INIT has been answered.
 */
void features_probe(struct features *features);
void features_found(struct features *features, enum feature feature, bool is_there);

/*
 * Adds those of a list of names, between which there is ':' or ',', to `set` of 1 << enum feature.
 * -EINVAL: one of them is none, and `set` is as before.
 */
int features_parse(const char *names, unsigned *set);

/* The names of a set, with spaces between them; "none". */
void features_text(unsigned set, char text[static FEATURES_TEXT]);

#endif
