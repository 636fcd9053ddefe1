/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anybody has a file open, by a write lease (fcntl(2), F_SETLEASE): the kernel grants one
 * only on a file that nobody else has open or mapped, and as long as it is held, whoever opens the
 * file waits. So a file that is removed under a lease is in nobody's hands.
 *
 * Only for files of tmpfs and mqueue: others may ask a server. SIGIO, by which the kernel says that
 * somebody waits, must be ignored.
 */
#ifndef IPCFS_LEASE_H
#define IPCFS_LEASE_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct caller;
struct space;

/*
 * Returns 0 if `fd`, which is open for reading only, is the only descriptor of its file. Fails with
 * -EBUSY if it is not, or as fcntl(2) does. Whoever opens the file waits until `fd` is closed.
 */
int lease_take(int fd);

/* Whether an error of lease_take() only says that this file can have no lease from us. */
static inline bool lease_is_impossible(int error)
{
	return error == -EINVAL || error == -EACCES;
}

/*
 * Removes the file `name` of space::dir_fd, as the caller, if it is still the file `ino`, nobody
 * has it open, and nothing has happened to it since `before`. Fails with -EBUSY if anything has, or
 * with -ESTALE if the name leads elsewhere. A job. Who opens a message queue in that very moment
 * may have one that loses its name just after.
 */
int lease_remove(struct space *space, const char *name, ino_t ino, const struct timespec *before,
		 struct caller *caller);

#endif
