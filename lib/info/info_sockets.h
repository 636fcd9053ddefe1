/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users of a socket file of the mount: the processes whose sockets are bound there, were
 * accepted there, or are connected to one of those. /proc/PID/fd shows the sockets, and not the
 * file.
 */
#ifndef IPCFS_INFO_SOCKETS_H
#define IPCFS_INFO_SOCKETS_H

#include "lib/channel/channel.h"
#include "lib/info/peers.h"

bool info_is_socket(struct channel *channel);

/*
 * Gives a target for each of the sockets, of which there may be none. The caller frees them. Runs
 * as a job. Fails with -ENOMEM.
 */
int info_socket_targets(struct channel *channel, struct caller *reader,
			struct peer_target **ret_targets, size_t *ret_n);

#endif
