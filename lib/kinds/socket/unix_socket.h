/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix sockets that take no descriptors from the other end (SCM_RIGHTS).
 *
 * Nobody could receive them here, and a stranger decides how long it takes to close the file behind
 * one (lib/base/impatience.h). Since Linux 6.16 the sender gets EPERM (FEATURE_PASSRIGHTS); before
 * that ("takes_rights") they arrive and are dropped.
 */
#ifndef IPCFS_UNIX_SOCKET_H
#define IPCFS_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* socket(2) with SOCK_CLOEXEC. Returns a descriptor or -errno. */
int unix_socket(int type, bool takes_rights);

/* Refuses descriptors from now on. Accepted sockets have what the listener had at connect(2). */
int unix_refuse_rights(int fd);

#endif
