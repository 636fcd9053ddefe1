/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds a file's lock for as long as the test likes. A write(2) from a page that userfaultfd(2)
 * controls faults while the kernel has the lock (mm/filemap.c, generic_perform_write), and the test
 * does not supply the page before hold_end().
 */
#ifndef TESTS_MOUNT_HOLD_H
#define TESTS_MOUNT_HOLD_H

#include <pthread.h>

struct hold {
	int fd, uffd;
	char *page;
	pthread_t writer;
};

/*
 * The lock is held from the return of hold_begin() until hold_end(). The descriptor must be open
 * for writing, and stays the caller's.
 */
void hold_begin(struct hold *hold, int fd);
void hold_end(struct hold *hold);

#endif
