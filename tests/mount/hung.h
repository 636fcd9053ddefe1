/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A FUSE filesystem of the test's own, which claims to be an ipcfs. Its one file can be opened and
 * mapped, but reads of the file, and requests for extended attributes, are never answered.
 * hung_victim() makes a process map the file in such a way that the process holds its own mmap_lock
 * until the filesystem ends. Until then, nobody can read its /proc/PID/maps.
 */
#ifndef TESTS_MOUNT_HUNG_H
#define TESTS_MOUNT_HUNG_H

#include <sys/types.h>

struct hung {
	char dir[96];
	unsigned int minor; /* the filesystem's number below /sys/fs/fuse/connections */
	pid_t server;
};

/*
 * For a test with the fixture's namespaces. The filesystem ends with the test, even if the test is
 * killed.
 */
void hung_start(struct hung *hung);
void hung_end(struct hung *hung);

/*
 * Starts a process of user `id` that calls before(arg), which must return 0, and then holds its
 * mmap_lock. The process cannot end before hung_end(). The caller waits for it after that.
 */
pid_t hung_victim(const struct hung *hung, unsigned int id, int (*before)(void *arg), void *arg);

#endif
