/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one user does to a mount so that others wait. Each attack is the body of a process, and of
 * what that starts, as ATTACKER; it goes on until it is killed, and begins as if the others were
 * not there.
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
	const char *dir;   /* a tmpfs; below it sockets/, for anybody, and a device fuse */
	const char *mount; /* of root's */
	pid_t daemon;
	atomic_bool has_begun; /* set by the attack; it is measured from then on */
	atomic_ulong n_blows;
	struct testimony testimony;
};

struct attack {
	const char *name;
	void (*run)(struct scene *scene);     /* NULL: nobody does anything */
	void (*prepare)(struct scene *scene); /* as root; or NULL */
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

/* DIR/name of the mount, or of the scene's own directory; good until eight later calls. */
const char *scene_mount(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *scene_path(const struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Forks; true in each of n new processes, whose number is then *ret_i. */
bool attack_split(int n, int *ret_i);
/* A blow has been dealt. */
void attack_strike(struct scene *scene);
/* Reads all of a file; false if it can't be opened. */
bool attack_read(const char *path);
/* A part of the memory that is free, and at most `most`. */
size_t attack_memory(size_t most, size_t part);

#endif
