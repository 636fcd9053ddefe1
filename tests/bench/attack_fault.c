// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that holds its own mmap_lock for ever. It dirties a mapped file of its own FUSE
 * filesystem, whose server never answers a WRITE, then maps something else over the middle of the
 * file. The kernel waits for that WRITE with the lock held and the parts beside it locked, too
 * (munmap(2) alone would let readers by). Any reader of /proc/PID/maps waits as well. The attack
 * ends when the server is killed with the other processes.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/bench/fault.h"
#include "tests/bench/must.h"

enum { N_LOOKERS = 8 };

static void get_stuck(struct scene *scene, const char *dir)
{
	char path[300], *start;
	int fd;

	snprintf(path, sizeof(path), "%s/" FAULT_FILE, dir);
	fd = must(open(path, O_RDWR | O_CLOEXEC));
	start = must(mmap(NULL, FAULT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	start[0] = 'x';
	attack_strike(scene);
	(void)mmap(start + FAULT_PAGE, FAULT_PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	sleep(1); /* at the end the server is killed just before this process */
	fail("mmap: it has not got stuck");
}

void attack_fault(struct scene *scene)
{
	char dir[256];
	int i, device;

	snprintf(dir, sizeof(dir), "%s", scene_path(scene, "sockets/fault"));
	must(mkdir(dir, 0700));
	close(must(open("/dev/shm/looked-at", O_RDWR | O_CREAT | O_CLOEXEC, 0666)));
	if (attack_split(N_LOOKERS, &i))
		for (;;) {
			usleep(10000);
			if (scene->n_blows > 0)
				attack_read(scene_mount(scene, "info/shm/looked-at/peers"));
			if (scene->n_blows > 0)
				attack_strike(scene);
		}
	device = fault_mount(scene, dir);
	if (attack_split(1, &i)) {
		close(device);
		get_stuck(scene, dir);
	}
	fault_serve(device, FUSE_WRITE);
}
