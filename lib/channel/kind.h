/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind: one sort of object, as listed in lib/kinds/kinds.c.
 */
#ifndef IPCFS_KIND_H
#define IPCFS_KIND_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/host/namespaces.h"

struct caller;
struct channel;
struct channel_ops;
struct host;
struct parameter;
struct settings;
struct space;

/* Called for a file that is leaked: its name in the kind's directory, and why it is (a literal). */
typedef void stray_fn(void *data, const char *name, const struct stat *attr, const char *why);

/* One sort of object, and the directory that holds them. */
struct kind {
	const char *path;           /* path of its directory in the mount: "queues" */
	enum namespace_type home;   /* namespace of its objects; outsiders are refused */
	unsigned long selector_max; /* largest N of NAME:N; 0: names have no suffix */
	bool has_directories;       /* each object is a directory, made by mkdir(2) */
	/*
	 * The objects are no channels, and there are thousands, which come and go: info/ has their
	 * status by name, but does not list them, and no table shows them.
	 */
	bool is_uncounted;
	/* The objects lie on other machines: there are none without -o cluster=. */
	bool is_remote;
	const struct parameter *parameters; /* the settings its objects take; NULL: none */
	const struct channel_ops *channel;  /* the operations on its objects */
	/*
	 * Bits set aside for the inode numbers that the kernel gives the objects
	 * (lib/channel/ino.h). 0: the kernel gives them none, or the daemon numbers them.
	 */
	unsigned ino_bits;
	/*
	 * The kernel's numbers may be longer, but no two existing objects agree in the lowest
	 * ino_bits.
	 */
	bool ino_is_cut;
	/*
	 * Returns why creating or setting an object failed with `error` (-errno), if that follows
	 * from its name and `settings` (never NULL): a literal, or NULL. `channel` NULL: there is
	 * no object, or it is a directory. Optional.
	 */
	const char *(*explain)(struct channel *channel, const char *name,
			       const struct settings *settings, int error);
	/*
	 * Writes the name as the directory lists it to `ret_name`, which has NAME_MAX + 1 bytes.
	 * NULL: as it was given.
	 */
	void (*canonical)(const char *name, char *ret_name);
	/*
	 * For files that a process which has ended left behind, and that stand for no object any
	 * more: calls `found` for each. May be a job. NULL: there are no such files.
	 */
	int (*find_strays)(struct host *host, struct caller *caller, stray_fn *found, void *data);
	/*
	 * Removes one of them, if it is still such a file and nothing has happened to it since
	 * `before`: -EBUSY. -EPERM: the caller does not own it. May be a job.
	 */
	int (*remove_stray)(struct host *host, const char *name, const struct timespec *before,
			    struct caller *caller);
	/*
	 * Opens the space for this host. Fails with -ENOENT, -EPERM, … if the machine has no such
	 * objects.
	 */
	int (*open)(struct space **ret_space, struct host *host);
};

#endif
