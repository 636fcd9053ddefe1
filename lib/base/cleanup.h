/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Visible ownership: a local that owns something carries a cleanup attribute, and a hand-over is
 * written TAKE_FD or TAKE_PTR, which leaves the local empty (-1 or NULL).
 */
#ifndef IPCFS_CLEANUP_H
#define IPCFS_CLEANUP_H

#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP_FD   __attribute__((cleanup(cleanup_fd)))
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_DIR  __attribute__((cleanup(cleanup_dir)))

#define TAKE_FD(fd) take_fd(&(fd))
#define TAKE_PTR(ptr)                       \
	({                                  \
		__typeof__(ptr) p_ = (ptr); \
		(ptr) = NULL;               \
		p_;                         \
	})

/* The struct of type `type` whose member `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
