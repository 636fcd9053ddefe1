// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP: sockets/udp/HOST/PORT is a socket that sends to that address, and receives only from it.
 */
#include <sys/socket.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connection.h"
#include "lib/kinds/socket/inet.h"

static int udp_space_open(struct space **ret_space, struct host *host)
{
	return inet_space_open(ret_space, host, &udp_kind, SOCK_DGRAM);
}

const struct kind udp_kind = {
	.path = "sockets/udp",
	.home = NAMESPACE_NET,
	.channel = &connection_ops,
	.open = udp_space_open,
};
