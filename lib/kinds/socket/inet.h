/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sockets/tcp and sockets/udp share: HOST/PORT, a directory for each host and a file for each
 * port.
 *
 * Any host and port can be opened. `ls` lists those of this machine at which a socket can be
 * reached.
 */
#ifndef IPCFS_INET_H
#define IPCFS_INET_H

#include "lib/channel/channel.h"

/* kind::open for a kind whose sockets have this type (SOCK_STREAM or SOCK_DGRAM). */
int inet_space_open(struct space **ret_space, struct host *host, const struct kind *kind, int type);

#endif
