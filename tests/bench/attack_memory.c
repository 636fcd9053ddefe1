// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks with large objects: memory that takes a long time to fill, free or count.
 */
#include <fcntl.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include "tests/bench/attack.h"
#include "tests/bench/must.h"

enum { N_SETS = 100, SET_SIZE = 32000, N_METRICS = 3, N_FILES = 16 };

/* Filling a region holds its inode lock, and a chmod of the region waits for that lock. */
void attack_region(struct scene *scene)
{
	off_t size = (off_t)attack_memory((size_t)4 << 30, 5);
	int fd = must(open("/dev/shm/big", O_RDWR | O_CREAT | O_CLOEXEC, 0600)), i;

	if (attack_split(2, &i))
		for (;;) {
			(void)!chmod(scene_mount(scene, "shm/big"), i ? 0600 : 0666);
			attack_strike(scene);
		}
	for (;;)
		if (fallocate(fd, 0, 0, size) < 0 || ftruncate(fd, 0) < 0)
			fail("fallocate: %s", strerror(errno));
}

void attack_sets(struct scene *scene)
{
	int i;

	for (i = 0; i < N_SETS; i++)
		if (semget(0x1000 + i, SET_SIZE, IPC_CREAT | 0666) < 0)
			break;
	if (i == 0)
		fail("semget: %s", strerror(errno));
	if (!attack_split(N_METRICS, &i))
		return;
	for (;;) {
		attack_strike(scene);
		attack_read(scene_mount(scene, "info/metrics"));
	}
}

void attack_files(struct scene *scene)
{
	off_t size = (off_t)attack_memory((size_t)512 << 20, 5 * N_FILES);
	int fd, i;

	if (!attack_split(N_FILES, &i))
		return;
	fd = must(open(scene_mount(scene, "shm/file-%d", i), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	for (;;) {
		attack_strike(scene);
		if (fallocate(fd, 0, 0, size) == 0)
			(void)!ftruncate(fd, 0);
	}
}
