// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Servers: listening sockets, each a directory sockets/servers/NAME with
 *
 *     accept    an open waits for the next client and is the connection to it
 *     connect   an open is a client
 *     address   where native programs connect
 *
 * A server listens from its creation until its directory is removed or the mount ends. Opens of
 * accept get their clients in the order of the opens.
 */
#include "lib/kinds/socket/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"

static const struct channel_ops server_ops;

struct server *server_from(struct channel *channel)
{
	assert(channel->ops == &server_ops);
	return CONTAINER_OF(kept_from(channel), struct server, kept);
}

/* The removal of a listener's path. */
struct removal {
	struct worker_task task;
	struct host *host;
	struct listener listener;
	struct caller remover;
};

static void removal_work(struct worker_task *task)
{
	struct removal *removal = CONTAINER_OF(task, struct removal, task);

	if (caller_enter(&removal->remover) < 0)
		return; /* the next listener there replaces the file */
	listener_remove(&removal->listener);
	caller_leave();
}

/*
 * Clients may still be queued, with whatever they have sent. An address that is not a path is free
 * when this returns, unless they may have sent descriptors: closing those is not worth the wait.
 */
static void close_both(struct host *host, uid_t uid, const struct listener *listener)
{
	if (listener->fd >= 0 && (*listener->path || listener->takes_rights))
		host_close(host, uid, listener->fd);
	else if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path_fd >= 0)
		close(listener->path_fd);
}

static void removal_free(struct removal *removal)
{
	caller_fini(&removal->remover);
	free(removal);
}

static void removal_done(struct worker_task *task)
{
	struct removal *removal = CONTAINER_OF(task, struct removal, task);

	host_slept(removal->host, removal->remover.uid);
	close_both(removal->host, removal->remover.uid, &removal->listener);
	removal_free(removal);
}

/* Returns true if the removal has taken over the listener. */
static bool removal_start(struct host *host, const struct listener *listener,
			  struct caller *remover)
{
	struct removal *removal = malloc(sizeof(*removal));
	int r;

	if (!removal)
		return false;
	removal->task = (struct worker_task){.work = removal_work, .done = removal_done};
	removal->host = host;
	removal->listener = *listener;
	r = caller_copy(&removal->remover, remover);
	if (r == 0 && !host->is_ending) {
		r = host_sleep(host, host->walkers, removal->remover.uid, &removal->task);
		if (r == 0)
			return true;
	} else if (r == 0) {
		/* Nobody waits for the loop any more, and no thread may begin anything. */
		removal_work(&removal->task);
		close_both(host, removal->remover.uid, &removal->listener);
	}
	removal_free(removal);
	return r == 0;
}

void server_close(struct host *host, struct listener *listener, struct caller *remover)
{
	bool is_taken = false;

	/* Nothing can block here, so the path goes together with the server. */
	if (listener->is_here)
		listener_remove(listener);
	else if (listener->path_fd >= 0)
		is_taken = removal_start(host, listener, remover);
	if (!is_taken)
		close_both(host, remover->uid, listener);
	listener->fd = listener->path_fd = -1;
}

void server_end(struct server *server)
{
	if (server->listener.fd < 0)
		return;
	loop_remove(server->kept.channel.space->host->loop, &server->source);
	server_forget_sockets(server);
	shutdown(server->listener.fd, SHUT_RD); /* clients need not wait for the removal */
	server_close(server->kept.channel.space->host, &server->listener, &server->remover);
	channel_uncharge_descriptors(&server->kept.channel);
	server_refuse(server);
}

static void server_destroy(struct channel *channel)
{
	struct server *server = server_from(channel);

	server_end(server);
	server_forget(server);
	caller_fini(&server->remover);
	channel_uncharge_descriptors(channel);
	kept_fini(&server->kept);
	free(server);
}

static int server_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&server_from(channel)->kept, ret_attr);
	return 0;
}

static void server_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct server *server = server_from(channel);

	row_add_word(row, "state", server->listener.fd >= 0 ? "listening" : "ended");
	row_add_text(row, "listen", server->listener.address);
	row_add_word(row, "type", server->listener.type == SOCK_STREAM ? "stream" : "seqpacket");
	row_add_signed(row, "backlog", server->listener.backlog);
}

/* A chmod or chown of the socket file, at which native programs connect. */
struct socket_change {
	dev_t dev;
	ino_t ino;
	int path_fd;
	unsigned changes;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* Removing the server closes path_fd, so the number may be another descriptor's by now. */
static int open_changed(const struct socket_change *change)
{
	CLEANUP_FD int fd = fcntl(change->path_fd, F_DUPFD_CLOEXEC, 0);
	struct stat attr;

	if (fd < 0)
		return -ESTALE;
	if (fstat(fd, &attr) < 0)
		return -errno;
	return attr.st_dev == change->dev && attr.st_ino == change->ino ? TAKE_FD(fd) : -ESTALE;
}

static int change_act(void *data)
{
	const struct socket_change *change = data;
	char path[sizeof("/proc/self/fd/-2147483648")];
	CLEANUP_FD int fd = open_changed(change);

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((change->changes & (CHANGE_UID | CHANGE_GID)) &&
	    fchownat(fd, "", change->uid, change->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if ((change->changes & CHANGE_MODE) && chmod(path, change->mode) < 0)
		return -errno;
	return 0;
}

/* On a thread: a journal, or the filesystem's own server, may take its time. */
static int change_socket(const struct server *server, const struct stat *attr, unsigned changes,
			 struct caller *caller)
{
	struct socket_change change;

	memset(&change, 0, sizeof(change)); /* job_run() compares all of it */
	change.dev = server->listener.dev;
	change.ino = server->listener.ino;
	change.path_fd = server->listener.path_fd;
	change.changes = changes & (CHANGE_MODE | CHANGE_UID | CHANGE_GID);
	change.mode = attr->st_mode & 0777;
	change.uid = changes & CHANGE_UID ? attr->st_uid : (uid_t)-1;
	change.gid = changes & CHANGE_GID ? attr->st_gid : (gid_t)-1;
	if (change.path_fd < 0 || !change.changes)
		return 0;
	return job_run(server->kept.channel.space->host, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = change_act,
					  .data = &change,
					  .size = sizeof(change)});
}

/* Changes both the directory and the socket file. */
static int server_change(struct channel *channel, struct file *file, const struct stat *attr,
			 unsigned changes, struct caller *caller)
{
	struct server *server = server_from(channel);
	struct stat shown = *attr;
	int r = change_socket(server, attr, changes, caller);

	if (r < 0)
		return r;
	shown.st_mode = server_mode(attr->st_mode);
	return attributes_change(server->kept.attributes, &shown, changes, caller);
}

/* A server is opened through the files of its directory. */
static const struct channel_ops server_ops = {
	.destroy = server_destroy,
	.stat = server_stat,
	.change = server_change,
	.status = server_status,
	.adopt = server_adopt,
};

static int servers_open(struct space **ret_space, struct host *host)
{
	return server_space_open(ret_space, host, &server_kind);
}

const struct kind server_kind = {
	.path = "sockets/servers",
	.home = NAMESPACE_NET,
	.has_directories = true,
	.parameters = server_parameters,
	.channel = &server_ops,
	.explain = server_explain,
	.open = servers_open,
};
