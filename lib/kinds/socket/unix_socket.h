/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix sockets that take no descriptors from the other end (SCM_RIGHTS).
 *
 * Nobody could read them here, and a stranger decides how long it takes to close the file behind
 * one (lib/base/impatience.h). From Linux 6.16 on the sender gets EPERM (FEATURE_PASSRIGHTS);
 * before, "takes_rights", they come and are dropped.
 */
#ifndef IPCFS_UNIX_SOCKET_H
#define IPCFS_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* socket(2), O_CLOEXEC; a descriptor or -errno. */
int unix_socket(int type, bool takes_rights);

/* Has it take none from now on. What a listener accepts does as that did when it was connected. */
int unix_refuse_rights(int fd);

/* recv(2), without waiting for whatever came with it. Bytes or -errno. */
ssize_t unix_receive(int fd, bool takes_rights, void *data, size_t size);

#endif
