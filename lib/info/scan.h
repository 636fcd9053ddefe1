/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scan itself: a process, the looker, reads which files all others have open and mapped. It
 * compares only device and inode numbers, and asks no filesystem for anything.
 *
 * Descriptors can be read without waiting for anybody. The maps of a process can't: whoever changes
 * them holds mmap_lock, and can be made to hold it for ever, by an mmap(2) over a file of a FUSE
 * server that does not answer. So all descriptors come first, several threads at a time, then all
 * maps, one process after another. How far the looker has come is in memory shared with the watcher
 * (scan_watch.c), and what it has found outlives it.
 */
#ifndef IPCFS_SCAN_H
#define IPCFS_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/info/peers.h"

/* The most peers that one scan finds. */
#define SCAN_PEERS_MAX 65536

/* A file to look for. A target may have two. */
struct scan_key {
	dev_t dev;
	ino_t ino;
	uint32_t target;   /* index */
	char map_path[12]; /* prefix of the path of its maps; "": any path */
};

/* Shared with the daemon, which fills in what is above the line. */
struct scan_area {
	size_t n_keys, n_keys_max, n_targets;
	pid_t daemon, supervisor; /* never peers */
	uid_t reader;             /* whose own processes come first */
	/* How many of enum scan_pass: descriptors alone are enough where nothing can be mapped. */
	size_t n_passes;
	/* --- */
	_Atomic size_t n_peers; /* that are complete */
	unsigned n_unseen, n_hidden;
	_Atomic bool is_done;
	struct scan_key keys[]; /* room for n_keys_max, and behind them for SCAN_PEERS_MAX peers */
};

static inline size_t scan_area_size(size_t n_keys_max)
{
	return sizeof(struct scan_area) + n_keys_max * sizeof(struct scan_key) +
	       SCAN_PEERS_MAX * sizeof(struct peer);
}

static inline struct peer *scan_area_peers(struct scan_area *area)
{
	return (struct peer *)(area->keys + area->n_keys_max);
}

enum scan_pass {
	SCAN_DESCRIPTORS,
	SCAN_MAPS,
	SCAN_PASSES,
};

struct scan_process {
	pid_t pid;
	uid_t uid;
	bool is_seen[SCAN_PASSES];
	bool is_stuck, is_left_out, is_hidden;
	size_t first_peer, n_peers; /* that its descriptors gave */
};

/* Shared by the looker and the watcher. */
struct scan_list {
	_Atomic size_t step; /* the present one of scan_area::n_passes * n */
	size_t n;
	struct scan_process processes[];
};

/*
 * Takes all steps, beginning with list->step. Keys must be sorted by scan_compare_keys(). -ENOMEM
 */
int scan_look(struct scan_area *area, struct scan_list *list);

/* For qsort(3): by device and inode number. */
int scan_compare_keys(const void *a, const void *b);

#endif
