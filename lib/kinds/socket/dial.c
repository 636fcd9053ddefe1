// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dial is a task of the walkers, counted as one of the caller's sleeping threads until it ends.
 * If it was dropped meanwhile, it closes the socket that it made.
 */
#include "lib/kinds/socket/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/walk.h"
#include "lib/base/workers.h"
#include "lib/kinds/socket/unix_socket.h"

struct dial {
	struct worker_task task;
	struct host *host;
	struct caller caller;
	struct dial_target target; /* its address is the dial's own */
	dial_done_fn *done;        /* NULL once it is dropped */
	void *data;
	int fd, result;
};

static void dial_free(struct dial *dial)
{
	caller_fini(&dial->caller);
	free((char *)dial->target.address);
	free(dial);
}

static void dial_work(struct worker_task *task)
{
	struct dial *dial = CONTAINER_OF(task, struct dial, task);

	if (task->is_interrupted)
		dial->result = -EINTR;
	else
		dial->result = caller_enter(&dial->caller);
	if (dial->result < 0)
		return;
	do
		dial->result = dial->target.connect(&dial->target, &dial->fd);
	while (dial->result == -EINTR && !task->is_interrupted);
	caller_leave();
}

static void dial_ended(struct worker_task *task)
{
	struct dial *dial = CONTAINER_OF(task, struct dial, task);

	host_slept(dial->host, dial->caller.uid);
	if (dial->done)
		dial->done(dial->data, dial->fd, dial->result);
	else if (dial->fd >= 0)
		host_close(dial->host, dial->caller.uid, dial->fd);
	dial_free(dial);
}

int dial_new(struct host *host, struct caller *caller, const struct dial_target *target,
	     dial_done_fn *done, void *data, struct dial **ret_dial)
{
	struct dial *dial = calloc(1, sizeof(*dial));
	int r;

	if (!dial)
		return -ENOMEM;
	*dial = (struct dial){
		.task = {.work = dial_work, .done = dial_ended},
		.host = host,
		.target = *target,
		.done = done,
		.data = data,
		.fd = -1,
	};
	dial->target.takes_rights = !features_has(&host->features, FEATURE_PASSRIGHTS);
	dial->target.address = malloc(target->size + 1);
	r = dial->target.address ? caller_copy(&dial->caller, caller) : -ENOMEM;
	if (r == 0 && target->walks)
		r = caller_open_root(&dial->caller);
	if (r == 0) {
		char *end = mempcpy((char *)dial->target.address, target->address, target->size);

		*end = '\0';
		r = host_sleep(host, host->walkers, caller->uid, &dial->task);
	}
	if (r < 0)
		dial_free(dial);
	else
		*ret_dial = dial;
	return r;
}

void dial_drop(struct dial *dial)
{
	if (!dial)
		return;
	dial->done = NULL;
	/* The mount has ended, and the dial's thread with it. */
	if (!dial->host->walkers)
		return;
	if (workers_cancel(dial->host->walkers, &dial->task)) {
		host_slept(dial->host, dial->caller.uid);
		dial_free(dial);
		return;
	}
	workers_interrupt(dial->host->walkers, &dial->task);
}

/* Where to connect, and how the socket treats descriptors. */
struct unix_address {
	struct sockaddr_un address;
	size_t size;
	bool takes_rights;
};

static int connect_path(int type, const struct unix_address *there, int *ret_fd)
{
	CLEANUP_FD int fd = unix_socket(type, there->takes_rights);
	const sa_family_t none = AF_UNIX;

	if (fd < 0)
		return fd;
	/* Gives the other end of datagrams an address to answer to (autobind, unix(7)). */
	if (type == SOCK_DGRAM && bind(fd, (const struct sockaddr *)&none, sizeof(none)) < 0)
		return -errno;
	/* Only a blocking call waits where the backlog is full. */
	if (connect(fd, (const struct sockaddr *)&there->address, (socklen_t)there->size) < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * An abstract name of another type is unknown to the kernel (net/unix/af_unix.c,
 * unix_find_abstract).
 */
static bool is_of_other_type(const struct unix_address *there, int result)
{
	return result == -EPROTOTYPE || (result == -ECONNREFUSED && !there->address.sun_path[0]);
}

static int connect_unix(const struct unix_address *there, int type, int *ret_fd)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int r = -EPROTOTYPE;

	if (type)
		return connect_path(type, there, ret_fd);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && is_of_other_type(there, r); i++)
		r = connect_path(types[i], there, ret_fd);
	return r;
}

int dial_unix(const struct dial_target *target, int *ret_fd)
{
	struct unix_address there = {.address.sun_family = AF_UNIX,
				     .size = sizeof(there.address),
				     .takes_rights = target->takes_rights};
	char *path = there.address.sun_path;
	CLEANUP_FD int fd = -1;

	if (target->size && !target->address[0]) {
		if (target->size > sizeof(there.address.sun_path))
			return -EINVAL;
		memcpy(path, target->address, target->size);
		there.size = offsetof(struct sockaddr_un, sun_path) + target->size;
		return connect_unix(&there, target->type, ret_fd);
	}
	/* By descriptor: the path may be too long for an address, and must be walked only once. */
	fd = walk_from(target->walks ? caller_root() : -1, target->address, O_PATH);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(there.address.sun_path), "/proc/self/fd/%d", fd);
	return connect_unix(&there, target->type, ret_fd);
}

/* Turns getaddrinfo(3)'s errors into those that a script expects of connect(2). */
static int resolve_error(int error)
{
	switch (error) {
	case EAI_SYSTEM:
		return errno ? -errno : -EIO;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_AGAIN:
		return -EHOSTUNREACH;
	default:
		return -ENOENT;
	}
}

/* Returns 0 or -EINPROGRESS, both with a socket, or why there is none. */
static int connect_inet(const struct addrinfo *address, int type, int *ret_fd)
{
	CLEANUP_FD int fd = socket(address->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
	if (r == 0 || r == -EINPROGRESS)
		*ret_fd = TAKE_FD(fd);
	return r;
}

int dial_inet(const struct dial_target *target, int *ret_fd)
{
	const struct addrinfo hints = {.ai_socktype = target->type};
	const char *slash = strrchr(target->address, '/');
	CLEANUP_FREE char *host = strndup(target->address, (size_t)(slash - target->address));
	struct addrinfo *found, *each;
	int n = 0, r;

	if (!host)
		return -ENOMEM;
	r = getaddrinfo(host, slash + 1, &hints, &found);
	if (r)
		return resolve_error(r);
	r = -ENODATA;
	for (each = found; each && r < 0 && r != -EINPROGRESS; each = each->ai_next)
		if (n++ >= target->n_tried)
			r = connect_inet(each, target->type, ret_fd);
	freeaddrinfo(found);
	return r == -EINPROGRESS ? n : r;
}
