/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind: one sort of objects, as lib/kinds/kinds.c lists it.
 */
#ifndef IPCFS_KIND_H
#define IPCFS_KIND_H

#include <stdbool.h>

#include "lib/host/namespaces.h"

struct channel_ops;
struct host;
struct parameter;
struct space;

/* One sort of objects, and their directory. */
struct kind {
	const char *path;                   /* of its directory in the mount, "queues" */
	enum namespace_type home;           /* whose objects they are: only who is in it may */
	unsigned long selector_max;         /* of N in NAME:N; 0: a name is a name */
	bool has_directories;               /* each object is a directory, made by mkdir(2) */
	const struct parameter *parameters; /* what can be set; NULL: nothing */
	const struct channel_ops *channel;  /* what can be done with its objects */
	/*
	 * How long the numbers are that the kernel has for them: lib/channel/ino.h. 0: they have
	 * none, or the daemon gives them.
	 */
	unsigned ino_bits;
	bool ino_is_cut; /* no two that are there agree in so many bits, though there may be more */
	/* Opens the space of this host. -ENOENT, -EPERM, …: the machine has no such objects. */
	int (*open)(struct space **ret_space, struct host *host);
};

#endif
