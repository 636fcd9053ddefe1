// SPDX-License-Identifier: GPL-2.0-or-later
/* open_tree(2) makes the clone; a worker looks for the mount each time mountinfo has changed. */
#include "fs/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/inode.h"
#include "fs/prune.h"
#include "fs/session.h"
#include "fs/takeover.h"
#include "lib/base/cleanup.h"
#include "lib/channel/space.h"
#include "lib/host/host.h"

/* A FUSE file handle: linux/fs/fuse/inode.c, fuse_encode_fh(). */
#define HANDLE_TYPE  0x81
#define HANDLE_BYTES 12

struct node_handle {
	struct file_handle head;
	uint32_t nodeid_high, nodeid_low, generation;
};

static int open_node(int dir_fd, uint64_t node, int flags)
{
	struct node_handle handle = {
		.head = {.handle_bytes = HANDLE_BYTES, .handle_type = HANDLE_TYPE},
		.nodeid_high = (uint32_t)(node >> 32),
		.nodeid_low = (uint32_t)node,
	};
	int fd = open_by_handle_at(dir_fd, &handle.head, flags);

	return fd < 0 ? -errno : fd;
}

static void forget_node(struct host *host, const void *inode)
{
	const struct session *session = CONTAINER_OF(host, struct session, host);

	if (!session->is_ending)
		prune_send(session->device.fd, &((const struct inode *)inode)->record->nodeid, 1);
}

/* Whether this process still sees the mount anywhere: it may be bound to other places, too. */
static bool is_in_tree(const char *device)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, place[32];
	size_t size = 0;
	bool is_found = false;

	if (!file)
		return true;
	while (!is_found && getline(&line, &size, file) > 0)
		is_found = sscanf(line, "%*u %*u %31s", place) == 1 && strcmp(place, device) == 0;
	free(line);
	fclose(file);
	return is_found;
}

static void look(struct worker_task *task)
{
	struct tree *tree = CONTAINER_OF(task, struct tree, task);

	tree->is_mounted = is_in_tree(tree->device);
}

static void look_again(struct session *session);

static void let_go(struct session *session)
{
	struct host *host = &session->host;
	int dir_fd, tree_fd;

	for (struct space **space = host->spaces; *space; space++)
		space_let_go(*space);
	dir_fd = TAKE_FD(host->nodes.dir_fd);
	tree_fd = TAKE_FD(host->nodes.tree_fd);
	/* From the close on, the numbers may be those of other descriptors. */
	takeover_note_tree(session);
	if (dir_fd >= 0)
		close(dir_fd);
	if (tree_fd >= 0)
		close(tree_fd);
	loop_remove(session->loop, &session->tree.mounts);
}

static void looked(struct worker_task *task)
{
	struct tree *tree = CONTAINER_OF(task, struct tree, task);
	struct session *session = CONTAINER_OF(tree, struct session, tree);

	tree->is_looking = false;
	if (session->is_ending)
		return;
	if (!tree->is_mounted)
		let_go(session);
	else if (tree->is_stale)
		look_again(session);
}

static void look_again(struct session *session)
{
	struct tree *tree = &session->tree;

	tree->is_stale = tree->is_looking;
	if (tree->is_looking || !session->host.workers)
		return;
	tree->task = (struct worker_task){.work = look, .done = looked};
	tree->is_looking = workers_submit(session->host.workers, &tree->task) == 0;
}

static void mounts_dispatch(struct loop_source *source, uint32_t events)
{
	struct tree *tree = CONTAINER_OF(source, struct tree, mounts);

	look_again(CONTAINER_OF(tree, struct session, tree));
}

/*
 * The clone is private: mounts that are later made beneath ours do not spread to it, which would
 * keep them alive.
 */
static int clone_mount(const char *path)
{
	CLEANUP_FD int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = {.propagation = MS_PRIVATE};

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* Puts `fd` in the place of a descriptor that was reserved for it. */
static int settle_fd(int fd, int place)
{
	int r = dup3(fd, place, O_CLOEXEC) < 0 ? -errno : 0;

	close(fd);
	return r;
}

int tree_prepare(struct session *session)
{
	struct tree *tree = &session->tree;
	struct host_nodes *nodes = &session->host.nodes;

	nodes->unnamed = recent_invalidate;
	if (!features_has(&session->host.features, FEATURE_OPEN_TREE))
		return 0;
	nodes->tree_fd = open("/dev/null", O_PATH | O_CLOEXEC);
	nodes->dir_fd = open("/dev/null", O_PATH | O_CLOEXEC);
	tree->mounts.dispatch = mounts_dispatch;
	tree->mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return nodes->tree_fd < 0 || nodes->dir_fd < 0 || tree->mounts.fd < 0 ? -errno : 0;
}

/* Runs on a worker, because the loop has to answer for the mount meanwhile. */
static void open_root(struct worker_task *task)
{
	struct tree *tree = CONTAINER_OF(task, struct tree, task);
	int fd = openat(tree->tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pollfd changes = {.fd = tree->mounts.fd, .events = POLLPRI};

	tree->result = fd < 0 ? -errno : settle_fd(fd, tree->dir_fd);
	/* This takes note of all changes so far; only later ones are reported. */
	poll(&changes, 1, 0);
	tree->is_mounted = is_in_tree(tree->device);
}

static void opened_root(struct worker_task *task)
{
	struct tree *tree = CONTAINER_OF(task, struct tree, task);
	struct session *session = CONTAINER_OF(tree, struct session, tree);
	struct host_nodes *nodes = &session->host.nodes;
	int r = tree->result;

	tree->is_looking = false;
	if (r == 0)
		r = loop_add(session->loop, &tree->mounts, EPOLLPRI | EPOLLET);
	if (r == 0)
		nodes->open = open_node;
	if (features_has(&session->host.features, FEATURE_PRUNE))
		nodes->forget = forget_node;
	tree->begun(session, r);
	if (r == 0 && !tree->is_mounted && !session->is_ending)
		let_go(session);
}

static int begin(struct session *session)
{
	struct tree *tree = &session->tree;
	struct host_nodes *nodes = &session->host.nodes;
	dev_t dev = session->host.dev;
	int fd = clone_mount(session->options->mount_point);
	int r = fd < 0 ? fd : settle_fd(fd, nodes->tree_fd);

	if (r < 0)
		return r;
	snprintf(tree->device, sizeof(tree->device), "%u:%u", major(dev), minor(dev));
	tree->tree_fd = nodes->tree_fd;
	tree->dir_fd = nodes->dir_fd;
	tree->task = (struct worker_task){.work = open_root, .done = opened_root};
	tree->is_looking = true;
	return workers_submit(session->host.workers, &tree->task);
}

int tree_adopt(struct session *session, int tree_fd, int dir_fd)
{
	struct host_nodes *nodes = &session->host.nodes;
	dev_t dev = session->host.dev;
	int r;

	if (tree_fd < 0 || dir_fd < 0)
		return -ENOTSUP;
	if (nodes->tree_fd >= 0)
		close(nodes->tree_fd);
	if (nodes->dir_fd >= 0)
		close(nodes->dir_fd);
	nodes->tree_fd = tree_fd;
	nodes->dir_fd = dir_fd;
	snprintf(session->tree.device, sizeof(session->tree.device), "%u:%u", major(dev),
		 minor(dev));
	r = loop_add(session->loop, &session->tree.mounts, EPOLLPRI | EPOLLET);
	if (r < 0)
		return r;
	nodes->open = open_node;
	if (features_has(&session->host.features, FEATURE_PRUNE))
		nodes->forget = forget_node;
	look_again(session);
	return 0;
}

void tree_begin(struct session *session, void (*begun)(struct session *session, int result))
{
	bool is_there = features_has(&session->host.features, FEATURE_OPEN_TREE);
	int r;

	session->tree.begun = begun;
	r = is_there ? begin(session) : 0;
	if (!is_there || r < 0)
		begun(session, r);
}

void tree_end(struct session *session)
{
	struct host_nodes *nodes = &session->host.nodes;

	if (session->tree.mounts.is_added)
		loop_remove(session->loop, &session->tree.mounts);
	if (session->tree.mounts.fd >= 0)
		close(TAKE_FD(session->tree.mounts.fd));
	if (nodes->dir_fd >= 0)
		close(TAKE_FD(nodes->dir_fd));
	if (nodes->tree_fd >= 0)
		close(TAKE_FD(nodes->tree_fd));
}
