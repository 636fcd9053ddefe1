/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a channel open: found in /proc, so native users too, whatever way they came by it.
 *
 * The scan takes long, and runs on a worker. It compares device and inode numbers only, and asks
 * no filesystem for anything, since one that hangs (or is this very mount) would never answer.
 */
#ifndef IPCFS_PEERS_H
#define IPCFS_PEERS_H

#include <stddef.h>
#include <stdio.h>
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
};

struct peer {
	size_t target; /* index */
	pid_t pid;
	uid_t uid;
	unsigned access;  /* enum peer_access */
	char command[16]; /* as the process has called itself: any bytes */
};

struct peers {
	struct peer *peers;
	size_t n_peers, n_allocated;
};

/* Finds all processes that have any of the targets open or mapped; this one is none. -ENOMEM, … */
int peers_find(const struct peer_target *targets, size_t n_targets, struct peers *ret_peers);
void peers_fini(struct peers *peers);

/* "r", "rw", "rwm": what the access bits say. */
const char *peer_access_name(unsigned access);

#endif
