/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In whose name the daemon writes to a Unix socket: what the other end gets to see as
 * SCM_CREDENTIALS (unix(7)).
 */
#ifndef IPCFS_CREDENTIALS_H
#define IPCFS_CREDENTIALS_H

#include <stddef.h>
#include <sys/types.h>

struct file;

/*
 * send(2), without waiting, with the uid and gid of who opened the file and the process id of who
 * writes (file::pid), or else our own. `writer` is what was found out last time, 0 at first, and
 * becomes what was found now. -EPERM: we may not speak for that user; nothing was sent.
 */
ssize_t credentials_send(const struct file *file, int fd, const void *data, size_t size,
			 pid_t *writer);

#endif
