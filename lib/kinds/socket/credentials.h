/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In whose name the daemon writes to a Unix socket: what the other end sees as SCM_CREDENTIALS
 * (unix(7)).
 */
#ifndef IPCFS_CREDENTIALS_H
#define IPCFS_CREDENTIALS_H

#include "lib/kinds/socket/tally.h"

struct file;

/*
 * tally_send() of these bytes, with the uid and gid of the file's opener and the process id of the
 * writer (file::pid), or else our own. `writer` holds the process that was found last time, 0 at
 * first, and receives the one found now. -EPERM: we may not speak for that user, and nothing was
 * sent.
 */
ssize_t credentials_send(const struct file *file, int fd, struct iovec *bytes, struct tally *tally,
			 pid_t *writer);

#endif
