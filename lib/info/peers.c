// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/info/peers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

struct scan {
	const struct peer_target *targets;
	size_t n_targets;
	struct peers *found;
	pid_t pid;
	int dir_fd;         /* /proc/PID */
	size_t n_of_others; /* peers found before this process */
};

/* `path`: of a map, NULL for a descriptor. */
static bool is_target(const struct peer_target *target, dev_t dev, ino_t ino, const char *path)
{
	const char *wanted = target->map_path;

	if (ino == target->shown_ino && dev == target->shown_dev)
		return true;
	if (!target->dev || ino != target->ino || dev != target->dev)
		return false;
	return !wanted || (path && strncmp(path, wanted, strlen(wanted)) == 0);
}

/* The process as a peer of a target: the one that was found before, or a new one. */
static struct peer *peer_of(struct scan *scan, size_t target)
{
	struct peers *found = scan->found;
	struct peer *peer;

	for (size_t i = scan->n_of_others; i < found->n_peers; i++)
		if (found->peers[i].target == target)
			return &found->peers[i];
	if (found->n_peers == found->n_allocated) {
		size_t n = 2 * found->n_allocated + 16;
		struct peer *grown = reallocarray(found->peers, n, sizeof(*grown));

		if (!grown)
			return NULL;
		found->peers = grown;
		found->n_allocated = n;
	}
	peer = &found->peers[found->n_peers++];
	*peer = (struct peer){.target = target, .pid = scan->pid};
	return peer;
}

static int note(struct scan *scan, dev_t dev, ino_t ino, const char *path, unsigned access)
{
	for (size_t i = 0; i < scan->n_targets; i++) {
		struct peer *peer;

		if (!is_target(&scan->targets[i], dev, ino, path))
			continue;
		peer = peer_of(scan, i);
		if (!peer)
			return -ENOMEM;
		peer->access |= access;
	}
	return 0;
}

static bool is_any_target(const struct scan *scan, dev_t dev, ino_t ino)
{
	for (size_t i = 0; i < scan->n_targets; i++)
		if (is_target(&scan->targets[i], dev, ino, NULL))
			return true;
	return false;
}

/* How a descriptor was opened, from its "flags:" in fdinfo. */
static unsigned descriptor_access(const struct scan *scan, const char *name)
{
	CLEANUP_FREE char *line = NULL;
	char path[300];
	size_t size = 0;
	unsigned long flags = 0;
	int fd;
	FILE *file;

	snprintf(path, sizeof(path), "fdinfo/%s", name);
	fd = openat(scan->dir_fd, path, O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (getline(&line, &size, file) > 0)
		if (sscanf(line, "flags: %lo", &flags) == 1)
			break;
	fclose(file);
	if ((flags & O_ACCMODE) == O_RDWR)
		return PEER_READS | PEER_WRITES;
	return (flags & O_ACCMODE) == O_WRONLY ? PEER_WRITES : PEER_READS;
}

/* A directory of /proc/PID; NULL if it is gone or not for us to see. */
static DIR *open_list(const struct scan *scan, const char *name)
{
	CLEANUP_FD int fd = openat(scan->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		TAKE_FD(fd);
	return dir;
}

static int scan_descriptors(struct scan *scan)
{
	CLEANUP_DIR DIR *dir = open_list(scan, "fd");
	struct dirent *entry;
	int r = 0;

	while (dir && r == 0 && (entry = readdir(dir))) {
		struct statx attr;
		dev_t dev;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    statx(dirfd(dir), entry->d_name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
			  STATX_INO, &attr) < 0)
			continue;
		dev = makedev(attr.stx_dev_major, attr.stx_dev_minor);
		if (is_any_target(scan, dev, attr.stx_ino))
			r = note(scan, dev, attr.stx_ino, NULL,
				 descriptor_access(scan, entry->d_name));
	}
	return r;
}

static int scan_maps(struct scan *scan)
{
	CLEANUP_FREE char *line = NULL;
	int fd = openat(scan->dir_fd, "maps", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = 0;
	int r = 0;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && getline(&line, &size, file) > 0) {
		unsigned major_, minor_;
		unsigned long ino;
		char mode[5];
		int path = 0;

		if (sscanf(line, "%*s %4s %*s %x:%x %lu %n", mode, &major_, &minor_, &ino, &path) !=
			    4 ||
		    !(major_ || minor_))
			continue;
		r = note(scan, makedev(major_, minor_), ino, line + path,
			 PEER_MAPS | (mode[0] == 'r' ? PEER_READS : 0) |
				 (mode[1] == 'w' && mode[3] == 's' ? PEER_WRITES : 0));
	}
	fclose(file);
	return r;
}

/* Name and user of the process, for what was found of it: the user whom /proc lets look. */
static void name_peers(struct scan *scan)
{
	CLEANUP_FD int fd = openat(scan->dir_fd, "comm", O_RDONLY | O_CLOEXEC);
	char command[sizeof(scan->found->peers->command)] = "?";
	struct stat attr = {0};
	ssize_t n = fd < 0 ? -1 : read(fd, command, sizeof(command) - 1);

	/* The line's own end; a newline before it is of the name. */
	if (n > 0 && command[n - 1] == '\n')
		command[n - 1] = '\0';
	fstat(scan->dir_fd, &attr);
	for (size_t i = scan->n_of_others; i < scan->found->n_peers; i++) {
		scan->found->peers[i].uid = attr.st_uid;
		memcpy(scan->found->peers[i].command, command, sizeof(command));
	}
}

static int scan_process(struct scan *scan, int proc_fd, const char *name)
{
	CLEANUP_FD int dir_fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	scan->pid = (pid_t)strtol(name, NULL, 10);
	if (dir_fd < 0 || scan->pid == getpid())
		return 0;
	scan->dir_fd = dir_fd;
	scan->n_of_others = scan->found->n_peers;
	r = scan_descriptors(scan);
	if (r == 0)
		r = scan_maps(scan);
	if (scan->found->n_peers > scan->n_of_others)
		name_peers(scan);
	return r;
}

int peers_find(const struct peer_target *targets, size_t n_targets, struct peers *ret_peers)
{
	CLEANUP_DIR DIR *proc = opendir("/proc");
	struct scan scan = {.targets = targets, .n_targets = n_targets, .found = ret_peers};
	struct dirent *entry;
	int r = 0;

	*ret_peers = (struct peers){0};
	if (!proc)
		return -errno;
	while (r == 0 && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			r = scan_process(&scan, dirfd(proc), entry->d_name);
	if (r < 0)
		peers_fini(ret_peers);
	return r;
}

void peers_fini(struct peers *peers)
{
	free(peers->peers);
	*peers = (struct peers){0};
}

const char *peer_access_name(unsigned access)
{
	static const char *const names[] = {"-", "r", "w", "rw", "m", "rm", "wm", "rwm"};

	return names[access & 7];
}
