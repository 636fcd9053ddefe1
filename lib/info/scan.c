// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the looker does: reads fd/, fdinfo/ and maps of each process, and searches for each file
 * among the keys.
 */
#include "lib/info/scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

struct look {
	struct scan_area *area;
	struct peer *peers;
	size_t n_before, n; /* peers without and with those of this step */
	size_t *newest;     /* for each target the index of its last peer, plus 1; 0: none */
	struct scan_process *process;
	int dir_fd; /* /proc/PID */
};

int scan_compare_keys(const void *a_, const void *b_)
{
	const struct scan_key *a = a_, *b = b_;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return 0;
}

/* Returns the first key of that file, or NULL if nobody looks for it. */
static const struct scan_key *find_keys(const struct scan_area *area, dev_t dev, ino_t ino)
{
	const struct scan_key wanted = {.dev = dev, .ino = ino};
	size_t from = 0, to = area->n_keys;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (scan_compare_keys(&area->keys[middle], &wanted) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == area->n_keys || scan_compare_keys(&area->keys[from], &wanted) != 0)
		return NULL;
	return &area->keys[from];
}

/* Returns the process as a peer of a target: the one found before or a new one. NULL: no room. */
static struct peer *peer_of(struct look *look, size_t target)
{
	size_t newest = look->newest[target];
	struct peer *peer;

	if (newest && look->peers[newest - 1].pid == look->process->pid)
		return &look->peers[newest - 1];
	if (look->n == SCAN_PEERS_MAX)
		return NULL;
	peer = &look->peers[look->n++];
	*peer = (struct peer){.target = target, .pid = look->process->pid};
	look->newest[target] = look->n;
	return peer;
}

/* Notes that the process has the file: mapped with `path`, or open if NULL. False: no room. */
static bool note(struct look *look, const struct scan_key *key, const char *path, unsigned access)
{
	const struct scan_area *area = look->area;
	const struct scan_key *first = key;

	for (; key < area->keys + area->n_keys && scan_compare_keys(key, first) == 0; key++) {
		struct peer *peer;

		if (*key->map_path &&
		    (!path || strncmp(path, key->map_path, strlen(key->map_path)) != 0))
			continue;
		peer = peer_of(look, key->target);
		if (!peer)
			return false;
		peer->access |= access;
	}
	return true;
}

/* Opens a file of /proc/PID. Returns NULL if it is gone or not for us to see. */
static FILE *open_text(const struct look *look, const char *name)
{
	int fd = openat(look->dir_fd, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* Returns how a descriptor was opened, from its "flags:" in fdinfo. */
static unsigned descriptor_access(const struct look *look, const char *name)
{
	CLEANUP_FREE char *line = NULL;
	char path[300];
	size_t size = 0;
	unsigned long flags = 0;
	FILE *file;

	snprintf(path, sizeof(path), "fdinfo/%s", name);
	file = open_text(look, path);
	if (!file)
		return 0;
	while (getline(&line, &size, file) > 0)
		if (sscanf(line, "flags: %lo", &flags) == 1)
			break;
	fclose(file);
	if (flags & O_PATH)
		return 0;
	if ((flags & O_ACCMODE) == O_RDWR)
		return PEER_READS | PEER_WRITES;
	return (flags & O_ACCMODE) == O_WRONLY ? PEER_WRITES : PEER_READS;
}

/* Opens a directory of /proc/PID. Returns NULL if it is gone or not for us to see. */
static DIR *open_list(const struct look *look, const char *name)
{
	CLEANUP_FD int fd = openat(look->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		TAKE_FD(fd);
	return dir;
}

static bool look_at_descriptors(struct look *look)
{
	CLEANUP_DIR DIR *dir = open_list(look, "fd");
	struct dirent *entry;
	bool has_room = true;

	look->process->is_hidden = !dir && errno == EACCES;
	while (dir && has_room && (entry = readdir(dir))) {
		const struct scan_key *key;
		struct statx attr;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    statx(dirfd(dir), entry->d_name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
			  STATX_INO, &attr) < 0)
			continue;
		key = find_keys(look->area, makedev(attr.stx_dev_major, attr.stx_dev_minor),
				attr.stx_ino);
		if (key)
			has_room = note(look, key, NULL, descriptor_access(look, entry->d_name));
	}
	return has_room;
}

static bool look_at_maps(struct look *look)
{
	CLEANUP_FREE char *line = NULL;
	FILE *file = open_text(look, "maps");
	size_t size = 0;
	bool has_room = true;

	while (file && has_room && getline(&line, &size, file) > 0) {
		const struct scan_key *key;
		unsigned major_, minor_;
		unsigned long ino;
		char mode[5];
		int path = 0;

		if (sscanf(line, "%*s %4s %*s %x:%x %lu %n", mode, &major_, &minor_, &ino, &path) !=
			    4 ||
		    !(major_ || minor_))
			continue;
		key = find_keys(look->area, makedev(major_, minor_), ino);
		if (key)
			has_room =
				note(look, key, line + path,
				     PEER_MAPS | (mode[0] == 'r' ? PEER_READS : 0) |
					     (mode[1] == 'w' && mode[3] == 's' ? PEER_WRITES : 0));
	}
	if (file)
		fclose(file);
	return has_room;
}

/* Fills in the process's name and user, the owner of /proc/PID, in this step's peers. */
static void name_peers(struct look *look)
{
	CLEANUP_FD int fd = openat(look->dir_fd, "comm", O_RDONLY | O_CLOEXEC);
	char command[sizeof(look->peers->command)] = "?";
	struct stat attr = {0};
	ssize_t n = fd < 0 ? -1 : read(fd, command, sizeof(command) - 1);

	/* Only the line's own end: a newline before it belongs to the name. */
	if (n > 0 && command[n - 1] == '\n')
		command[n - 1] = '\0';
	fstat(look->dir_fd, &attr);
	for (size_t i = look->n_before; i < look->n; i++) {
		look->peers[i].uid = attr.st_uid;
		memcpy(look->peers[i].command, command, sizeof(command));
	}
}

/* Recalls what the process's descriptors gave, perhaps to an earlier looker. */
static void remember_peers(struct look *look)
{
	const struct scan_process *process = look->process;

	for (size_t i = process->first_peer; i < process->first_peer + process->n_peers; i++)
		look->newest[look->peers[i].target] = i + 1;
}

/* Returns true if all of the process has been seen, or it is gone. */
static bool look_at_process(struct look *look, enum scan_pass pass)
{
	CLEANUP_FD int dir_fd = -1;
	char path[32];
	bool has_room;

	snprintf(path, sizeof(path), "/proc/%d", look->process->pid);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return true;
	look->dir_fd = dir_fd;
	if (pass == SCAN_DESCRIPTORS) {
		has_room = look_at_descriptors(look);
	} else {
		remember_peers(look);
		has_room = look_at_maps(look);
	}
	if (look->n > look->n_before)
		name_peers(look);
	return has_room;
}

int scan_look(struct scan_area *area, struct scan_list *list)
{
	CLEANUP_FREE size_t *newest = calloc(area->n_targets + 1, sizeof(*newest));
	struct look look = {.area = area, .n = area->n_peers, .newest = newest};

	if (!newest)
		return -ENOMEM;
	look.peers = scan_area_peers(area);
	for (; list->step < area->n_passes * list->n; list->step++) {
		enum scan_pass pass = list->step < list->n ? SCAN_DESCRIPTORS : SCAN_MAPS;
		struct scan_process *process = &list->processes[list->step % list->n];

		if (process->is_left_out)
			continue;
		look.process = process;
		look.n_before = look.n;
		process->is_seen[pass] = look_at_process(&look, pass);
		if (pass == SCAN_DESCRIPTORS) {
			process->first_peer = look.n_before;
			process->n_peers = look.n - look.n_before;
		}
		area->n_peers = look.n;
	}
	return 0;
}
