/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sockets/tcp and sockets/udp share: directories by host, files by port, HOST/PORT.
 *
 * Any host and port is there to be opened; `ls` lists those of this machine at which somebody can
 * be reached.
 */
#ifndef IPCFS_INET_H
#define IPCFS_INET_H

#include "lib/channel/channel.h"

/* kind::open of a kind whose sockets are of this type (SOCK_STREAM, SOCK_DGRAM). */
int inet_space_open(struct space **ret_space, struct host *host, const struct kind *kind, int type);

#endif
