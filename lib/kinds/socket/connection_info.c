// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ shows of a connection.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/socket/connections.h"
#include "lib/host/sock_diag.h"

/* The most that a peek shows, bytes. */
#define PEEK_BYTES 65536

static const char *type_name(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "dgram";
	}
}

void connection_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct connection *connection = connection_from(channel);
	int r = connection_ready(connection);
	int fd = connection_fd(connection);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int n;

	row_add_word(row, "state", r == 0 ? "connected" : r == -EAGAIN ? "connecting" : "failed");
	if (r < 0)
		return;
	row_add_word(row, "type", type_name(fd));
	if (ioctl(fd, SIOCINQ, &n) == 0)
		row_add_bytes(row, "bytes", (uint64_t)n);
	if (ioctl(fd, SIOCOUTQ, &n) == 0)
		row_add_bytes(row, "unsent", (uint64_t)n);
	/*
	 * Natively the opener could ask the socket for its peer. Our own pid says nothing: others
	 * use our end.
	 */
	if (caller_owns(caller, connection->opener.uid) &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid) {
		if (peer.pid != getpid())
			row_add_signed(row, "peer-pid", peer.pid);
		row_add_number(row, "peer-uid", peer.uid);
		row_add_number(row, "peer-gid", peer.gid);
	}
}

int connection_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	struct connection *connection = connection_from(channel);
	struct pollfd ready = {.fd = connection_fd(connection), .events = POLLIN};
	CLEANUP_FREE char *data = malloc(PEEK_BYTES);
	ssize_t n;

	if (!data)
		return -ENOMEM;
	/* A pending error is for the next reader, and recv(2) would take it. */
	if (poll(&ready, 1, 0) < 0 || !(ready.revents & POLLIN) || (ready.revents & POLLERR))
		return 0;
	n = recv(connection_fd(connection), data, PEEK_BYTES, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0)
		fwrite(data, 1, (size_t)n, out);
	return 0;
}

/* A search for the socket at the other end. */
struct peer_look {
	struct sock_diag_ends ends;
	ino_t peer; /* the result; 0: it is not on this machine, or the kernel can't tell */
};

static int peer_act(void *data)
{
	struct peer_look *look = data;

	if (sock_diag_peer(&look->ends, &look->peer) < 0)
		look->peer = 0;
	return 0;
}

/*
 * On a worker: to find a Unix socket by its number the kernel goes through all sockets, however
 * many a user has made. A Unix socket's peer never changes, so one search is enough. But it can't
 * be made at connect time: there is no peer to see until the other end has accepted.
 */
static int find_peer(struct connection *connection, struct caller *caller, ino_t *ret_peer)
{
	struct peer_look look;
	int r;

	*ret_peer = connection->peer;
	memset(&look, 0, sizeof(look)); /* job_run() compares all of it */
	if (connection->peer || sock_diag_ends(connection_fd(connection), &look.ends) < 0)
		return 0;
	r = job_run(
		connection->list->space.host, caller,
		&(struct job_call){
			.place = JOB_WORKER, .act = peer_act, .data = &look, .size = sizeof(look)});
	if (r < 0)
		return r;
	if (connection->is_unix)
		connection->peer = look.peer;
	*ret_peer = look.peer;
	return 0;
}

/*
 * Other processes have its other end open. If that is a connection of this mount too, they have our
 * file open, and not the socket.
 */
int connection_footprint(struct channel *channel, struct caller *caller,
			 struct footprint *footprint)
{
	struct connection *connection = connection_from(channel);
	struct host *host = connection->list->space.host;
	struct connection *ours;
	struct stat attr;
	ino_t peer;
	int r;

	*footprint = (struct footprint){0};
	if (connection_fd(connection) < 0 || fstat(connection_fd(connection), &attr) < 0)
		return 0;
	r = find_peer(connection, caller, &peer);
	if (r < 0 || !peer)
		return r;
	footprint->dev = attr.st_dev; /* all sockets are on one device */
	footprint->ino = peer;
	ours = connections_at_socket(host, peer);
	if (ours) {
		footprint->dev = host->dev;
		footprint->ino = space_ino(ours->channel.space, ours->attributes->ino);
	}
	return 0;
}
