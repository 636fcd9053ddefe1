/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that have a channel open. They are found in /proc, so native users are among them,
 * however they came by it. How the scan runs, and can be ended, is in scanner.h.
 */
#ifndef IPCFS_PEERS_H
#define IPCFS_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum peer_access {
	PEER_READS = 1 << 0,
	PEER_WRITES = 1 << 1,
	PEER_MAPS = 1 << 2,
};

/* An object to look for: as the mount shows it, and as the kernel knows it (dev 0: it doesn't). */
struct peer_target {
	dev_t shown_dev, dev;
	ino_t shown_ino, ino;
	const char *map_path; /* footprint::map_path */
	bool has_no_maps;     /* it can't be mapped */
};

struct peer {
	size_t target; /* index */
	pid_t pid;
	uid_t uid;
	unsigned access;  /* enum peer_access */
	char command[16]; /* the name that the process has given itself: any bytes */
};

struct peers {
	const struct peer *peers; /* sorted by pid, then by target */
	size_t n_peers;
	unsigned n_unseen; /* processes that could not be looked at */
	unsigned n_hidden; /* further processes, at which the daemon may not look */
};

/* Returns what the access bits say: "r", "rw", "rwm", … */
const char *peer_access_name(unsigned access);

#endif
