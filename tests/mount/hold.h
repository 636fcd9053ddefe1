/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file's lock, held for as long as the test likes: a write(2) faults on its data, in
 * userfaultfd(2)'s hands, with the lock held (mm/filemap.c, generic_perform_write).
 */
#ifndef TESTS_MOUNT_HOLD_H
#define TESTS_MOUNT_HOLD_H

#include <pthread.h>

struct hold {
	int fd, uffd;
	char *page;
	pthread_t writer;
};

/* From when it returns until hold_end(); the descriptor is for writing, and stays the caller's. */
void hold_begin(struct hold *hold, int fd);
void hold_end(struct hold *hold);

#endif
