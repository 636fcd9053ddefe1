/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All objects of the machine, one after the other: of each kind the names first, and then each of
 * them is looked up. What is gone by then, or not for the reader to find, is left out.
 */
#ifndef IPCFS_INFO_WALK_H
#define IPCFS_INFO_WALK_H

#include "lib/channel/channel.h"

struct info_walk {
	struct host *host;
	struct space **space; /* of host::spaces: the one that it is at */
	bool is_listed;
	char *names; /* of that space, each with its '\0' */
	size_t size, n_allocated, next;
	int error;          /* of the listing */
	struct entry found; /* a reference, while visit() has to wait */

	/* What the memory is charged to: the reader, who pays for what visit() keeps as well. */
	uid_t uid;
	size_t n_charged;

	/* What to do with an object. -errno, but where that says that it is gone; may be a job. */
	int (*visit)(struct info_walk *walk, struct channel *channel, const char *name,
		     struct caller *reader);
};

void info_walk_init(struct info_walk *walk, struct host *host, const struct caller *reader);

/* Takes the walk's charges back; it is over. */
void info_walk_fini(struct info_walk *walk);

/* Charges the reader for so many bytes more. -ENOBUFS, -ENOMEM */
int info_walk_charge(struct info_walk *walk, size_t n);

/* One object, or one listing, as text_ops::gather has it. */
int info_walk_step(struct info_walk *walk, struct caller *reader);

#endif
