/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks all objects of the machine, one after another. For each kind it lists the names first, and
 * then looks each of them up. Objects that are gone by then, or that the reader may not find, are
 * left out, and so are the kinds that are not counted (kind::is_uncounted).
 */
#ifndef IPCFS_INFO_WALK_H
#define IPCFS_INFO_WALK_H

#include "lib/channel/channel.h"

struct info_walk {
	struct host *host;
	const struct space *only; /* walks only the objects of this space; NULL: all */
	struct space **space;     /* the space of host::spaces where the walk is */
	bool is_listed;
	char *names; /* of the objects in that space, each with its '\0' */
	size_t size, n_allocated, next;
	int error;          /* of the listing */
	struct entry found; /* a reference, while visit() has to wait */

	/* The user charged for the memory: the reader, who pays for what visit() keeps as well. */
	uid_t uid;
	size_t n_charged;

	/*
	 * Called for each object. An error ends the walk, unless it says that the object is gone or
	 * not for the reader to see. May be a job.
	 */
	int (*visit)(struct info_walk *walk, struct channel *channel, const char *name,
		     struct caller *reader);
};

void info_walk_init(struct info_walk *walk, struct host *host, const struct caller *reader);

/* Ends the walk, and uncharges its memory. */
void info_walk_fini(struct info_walk *walk);

/* Charges the reader for `n` more bytes. Fails with -ENOBUFS or -ENOMEM. */
int info_walk_charge(struct info_walk *walk, size_t n);

/*
 * Makes room for one more element behind the `n` of an array, and charges the reader for it.
 * Returns the array, which may have moved. NULL: it is as before, and errno is ENOBUFS or ENOMEM.
 */
void *info_walk_grow(struct info_walk *walk, void *array, size_t n, size_t *n_allocated,
		     size_t size);

/* Does one object, or one listing, and returns as text_ops::gather does. */
int info_walk_step(struct info_walk *walk, struct caller *reader);

#endif
