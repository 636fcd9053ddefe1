/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A FUSE filesystem of a test's own, with one file that can be opened and mapped, and whose reads
 * are never answered. Whoever maps it over something else can be made to hold its mmap_lock until
 * the filesystem ends: for as long nobody reads its /proc/PID/maps.
 */
#ifndef TESTS_MOUNT_HUNG_H
#define TESTS_MOUNT_HUNG_H

#include <sys/types.h>

struct hung {
	char dir[96];
	unsigned int minor; /* its number below /sys/fs/fuse/connections */
	pid_t server;
};

/* For a test with the fixture's namespaces. Ends with the test, whatever becomes of that. */
void hung_start(struct hung *hung);
void hung_end(struct hung *hung);

/*
 * A process of user `id` that does before(arg), which returns 0, and then holds its mmap_lock.
 * Nothing ends it before hung_end(): await it after that.
 */
pid_t hung_victim(const struct hung *hung, unsigned int id, int (*before)(void *arg), void *arg);

#endif
