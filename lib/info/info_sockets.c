// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A worker asks sock_diag(7) for the sockets, because the kernel goes through all sockets there
 * are.
 */
#include "lib/info/info_sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/host/sock_diag.h"

/* No more sockets of one file are looked for: more exist only if somebody wants them to. */
#define SOCKETS_MAX 1024

struct sockets_look {
	dev_t dev;
	ino_t ino;
	dev_t socket_dev;        /* a result: the device of all sockets */
	ino_t inos[SOCKETS_MAX]; /* a result: the inode numbers of these */
	size_t n;
};

bool info_is_socket(struct channel *channel)
{
	struct stat attr;

	return channel->service == CHANNEL_NODE && channel_stat(channel, &attr) == 0 &&
	       S_ISSOCK(attr.st_mode);
}

static dev_t find_socket_dev(void)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat attr;

	return fd < 0 || fstat(fd, &attr) < 0 ? 0 : attr.st_dev;
}

static int look_act(void *data)
{
	struct sockets_look *look = data;
	ssize_t n = sock_diag_bound(look->dev, look->ino, look->inos, SOCKETS_MAX);

	look->n = n < 0 ? 0 : (size_t)n;
	look->socket_dev = find_socket_dev();
	return 0;
}

int info_socket_targets(struct channel *channel, struct caller *reader,
			struct peer_target **ret_targets, size_t *ret_n)
{
	CLEANUP_FREE struct sockets_look *look = calloc(1, sizeof(*look));
	struct stat attr;
	int r = look ? channel_stat(channel, &attr) : -ENOMEM;

	if (r < 0)
		return r;
	look->dev = channel->space->host->dev;
	look->ino = space_ino(channel->space, attr.st_ino);
	r = job_run(channel->space->host, reader,
		    &(struct job_call){.place = JOB_WORKER,
				       .act = look_act,
				       .data = look,
				       .size = sizeof(*look),
				       .n_key = offsetof(struct sockets_look, socket_dev)});
	if (r < 0)
		return r;
	*ret_targets = calloc(look->n + 1, sizeof(**ret_targets));
	if (!*ret_targets)
		return -ENOMEM;
	for (size_t i = 0; i < look->n; i++)
		(*ret_targets)[i] = (struct peer_target){
			.dev = look->socket_dev, .ino = look->inos[i], .has_no_maps = true};
	*ret_n = look->n ? look->n : 1; /* if there are none, a target that nobody has */
	return 0;
}
