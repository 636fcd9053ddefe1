/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a channel open: found in /proc, so native users too, whatever way they came by it. Who
 * looks, and how that can be ended, is in scanner.h.
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

/*
 * An object to be looked for: as the mount shows it, and as the kernel has it (dev 0: it has not).
 */
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
	char command[16]; /* as the process has called itself: any bytes */
};

struct peers {
	const struct peer *peers; /* by pid, and those of a process by target */
	size_t n_peers;
	unsigned n_unseen; /* processes that could not be looked at */
	unsigned n_hidden; /* and that the daemon may not look at */
};

/* "r", "rw", "rwm": what the access bits say. */
const char *peer_access_name(unsigned access);

#endif
