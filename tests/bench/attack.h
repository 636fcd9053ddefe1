/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one user does to a mount to make others wait. Each attack runs as ATTACKER, in one process
 * and those that it starts, until it is killed. When it begins, nobody else uses the mount.
 */
#ifndef TESTS_BENCH_ATTACK_H
#define TESTS_BENCH_ATTACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tests/bench/witness.h"

enum { ATTACKER = 65534, ANOTHER = 4321 };

/* What the processes of one attack share. */
struct scene {
	const char *dir;   /* a tmpfs with sockets/, writable by all, and the device node fuse */
	const char *mount; /* mounted by root */
	pid_t started;     /* the supervisor, or the daemon if there is none */
	pid_t daemon;
	atomic_bool has_begun; /* set by the attack; measuring starts then */
	atomic_ulong n_blows;
	struct testimony testimony;
};

struct attack {
	const char *name;
	void (*run)(struct scene *scene);     /* NULL: no attack */
	void (*prepare)(struct scene *scene); /* runs first, as root; or NULL */
};

void attack_linger(struct scene *scene);
void attack_listings(struct scene *scene);
void attack_stats(struct scene *scene);

void attack_region(struct scene *scene);
void attack_sets(struct scene *scene);
void attack_files(struct scene *scene);

void attack_child(struct scene *scene);
void attack_waits(struct scene *scene);
void attack_fault(struct scene *scene);
void attack_locks(struct scene *scene);
void attack_locks_prepare(struct scene *scene);

/*
 * Return the path of a name in the mount, or in the scene's own directory. The path is valid until
 * the eighth later call of the same function.
 */
const char *scene_mount(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *scene_path(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Forks n processes. Returns true in each of them, with its number in *ret_i, and false in the
 * caller.
 */
bool attack_split(int n, int *ret_i);
/* Counts one blow of the attack. The first blow marks the attack as begun. */
void attack_strike(struct scene *scene);
/* Reads a file to its end. Returns false with errno if it can't be opened or read. */
bool attack_read(const char *path);
/* Returns 1/`part` of the available memory in bytes, but at most `most`. */
size_t attack_memory(size_t most, size_t part);

#endif
