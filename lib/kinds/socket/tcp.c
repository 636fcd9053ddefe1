// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP: opening sockets/tcp/HOST/PORT connects, by name or number, over IPv4 or IPv6.
 */
#include <sys/socket.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connection.h"
#include "lib/kinds/socket/inet.h"

static int tcp_space_open(struct space **ret_space, struct host *host)
{
	return inet_space_open(ret_space, host, &tcp_kind, SOCK_STREAM);
}

const struct kind tcp_kind = {
	.path = "sockets/tcp",
	.home = NAMESPACE_NET,
	.channel = &connection_ops,
	.open = tcp_space_open,
};
