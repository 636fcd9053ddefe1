/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a region, as the caller and on a thread: users may hold the lock of /dev/shm for a long
 * time.
 */
#ifndef IPCFS_SHM_MAKE_H
#define IPCFS_SHM_MAKE_H

#include "lib/channel/journal.h"
#include "lib/kinds/posix/region.h"

/* A region to make, and its descriptor once it is made. */
struct shm_making {
	int dir_fd;
	mode_t mode;
	off_t size;
	bool is_served; /* by the daemon: `fd` is open for reading and writing; else O_PATH */
	int fd;
	struct journal_note note;
	char name[NAMED_PATH_SIZE];
};

void shm_making_init(struct shm_making *making, struct space *space, const char *name, mode_t mode);

/*
 * Makes the region, unless the former daemon has made it for the same request. The caller owns
 * making->fd. Fails with -EEXIST if the name is taken. May be a job, which is undone if nobody
 * takes its result.
 */
int shm_make(struct space *space, struct caller *caller, struct shm_making *making);

#endif
