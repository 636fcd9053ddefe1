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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* Threads that look at descriptors. A process has many, and each costs a system call. */
#define THREADS_MOST 4
/* Room for the entries of a directory that one getdents64(2) gives. */
#define ENTRIES_SIZE 32768

/* What all threads of a looker share. */
struct look_team {
	struct scan_area *area;
	struct scan_list *list;
	int proc_fd;          /* /proc */
	pthread_mutex_t lock; /* held to add peers to the area */
};

/* One thread's. */
struct look {
	struct look_team *team;
	const struct scan_area *area;
	struct scan_process *process;
	struct peer *peers; /* the process's so far: at most one for each target */
	size_t n;
	size_t *newest; /* for each target the index of its last peer, plus 1; 0: none */
	char *entries;
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

/* Returns the process as a peer of a target: the one found before or a new one. */
static struct peer *peer_of(struct look *look, size_t target)
{
	size_t newest = look->newest[target];

	/* What stands in newest[] may be left from another process. */
	if (newest && newest <= look->n && look->peers[newest - 1].target == target)
		return &look->peers[newest - 1];
	look->peers[look->n++] = (struct peer){.target = target, .pid = look->process->pid};
	look->newest[target] = look->n;
	return &look->peers[look->n - 1];
}

/* Notes that the process has the file: mapped with `path`, or open if NULL. */
static void note(struct look *look, const struct scan_key *key, const char *path, unsigned access)
{
	const struct scan_area *area = look->area;
	const struct scan_key *first = key;

	for (; key < area->keys + area->n_keys && scan_compare_keys(key, first) == 0; key++)
		if (!*key->map_path ||
		    (path && strncmp(path, key->map_path, strlen(key->map_path)) == 0))
			peer_of(look, key->target)->access |= access;
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

static void look_at_descriptor(struct look *look, int fd, const char *name)
{
	const struct scan_key *key;
	struct statx attr;

	if (!isdigit((unsigned char)*name) ||
	    statx(fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &attr) < 0)
		return;
	key = find_keys(look->area, makedev(attr.stx_dev_major, attr.stx_dev_minor), attr.stx_ino);
	if (!key)
		return;
	if (look->dir_fd < 0)
		look->dir_fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	note(look, key, NULL, descriptor_access(look, name));
}

/* Most processes have nothing that anybody looks for: this is the least there is to do for them. */
static void look_at_descriptors(struct look *look)
{
	CLEANUP_FD int fd = -1;
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/fd", look->process->pid);
	fd = openat(look->team->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	look->process->is_hidden = fd < 0 && errno != ENOENT && errno != ESRCH;
	while (fd >= 0 && (n = getdents64(fd, look->entries, ENTRIES_SIZE)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (void *)(look->entries + at);

			look_at_descriptor(look, fd, entry->d_name);
			at += entry->d_reclen;
		}
	}
	if (fd >= 0 && n < 0 && errno != ENOENT)
		look->process->is_hidden = true;
}

static void look_at_maps(struct look *look)
{
	CLEANUP_FREE char *line = NULL;
	FILE *file = open_text(look, "maps");
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
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
			note(look, key, line + path,
			     PEER_MAPS | (mode[0] == 'r' ? PEER_READS : 0) |
				     (mode[1] == 'w' && mode[3] == 's' ? PEER_WRITES : 0));
	}
	if (file)
		fclose(file);
}

/* Fills in the process's name and user, the owner of /proc/PID. */
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
	for (size_t i = 0; i < look->n; i++) {
		look->peers[i].uid = attr.st_uid;
		memcpy(look->peers[i].command, command, sizeof(command));
	}
}

/* Recalls what the process's descriptors gave, perhaps to an earlier looker. */
static void recall_peers(struct look *look)
{
	const struct scan_process *process = look->process;
	const struct peer *found = scan_area_peers(look->team->area) + process->first_peer;

	for (size_t i = 0; i < process->n_peers; i++)
		peer_of(look, found[i].target)->access = found[i].access;
}

/*
 * Gives the process's peers to the daemon, which may have had the first of them already. Returns
 * false if there is no room for all.
 */
static bool give_peers(struct look *look)
{
	struct scan_process *process = look->process;
	struct scan_area *area = look->team->area;
	struct peer *peers = scan_area_peers(area);
	size_t n_new = look->n - process->n_peers;
	bool has_room;

	pthread_mutex_lock(&look->team->lock);
	has_room = n_new <= SCAN_PEERS_MAX - area->n_peers;
	if (!has_room)
		n_new = SCAN_PEERS_MAX - area->n_peers;
	memcpy(peers + process->first_peer, look->peers, process->n_peers * sizeof(*peers));
	memcpy(peers + area->n_peers, look->peers + process->n_peers, n_new * sizeof(*peers));
	area->n_peers += n_new;
	if (process->n_peers == 0) {
		process->first_peer = area->n_peers - n_new;
		process->n_peers = n_new;
	}
	pthread_mutex_unlock(&look->team->lock);
	return has_room;
}

/* Returns true if all of the process has been seen, or it is gone. */
static bool look_at_process(struct look *look, struct scan_process *process, enum scan_pass pass)
{
	char path[32];
	bool has_room = true;

	look->process = process;
	look->n = 0;
	look->dir_fd = -1;
	if (pass == SCAN_DESCRIPTORS) {
		look_at_descriptors(look);
	} else {
		snprintf(path, sizeof(path), "%d", process->pid);
		look->dir_fd =
			openat(look->team->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		recall_peers(look);
		if (look->dir_fd >= 0)
			look_at_maps(look);
	}
	if (look->n > 0) {
		name_peers(look);
		has_room = give_peers(look);
	}
	if (look->dir_fd >= 0)
		close(look->dir_fd);
	return has_room;
}

static void look_fini(struct look *look)
{
	free(look->peers);
	free(look->newest);
	free(look->entries);
}

static int look_init(struct look *look, struct look_team *team)
{
	size_t n = team->area->n_targets + 1;

	*look = (struct look){.team = team, .area = team->area};
	look->peers = reallocarray(NULL, n, sizeof(*look->peers));
	look->newest = calloc(n, sizeof(*look->newest));
	look->entries = malloc(ENTRIES_SIZE);
	if (look->peers && look->newest && look->entries)
		return 0;
	look_fini(look);
	return -ENOMEM;
}

/* Takes the next step of a pass, which ends before step `end`. Returns false if all are taken. */
static bool take_step(struct scan_list *list, size_t end, size_t *ret_step)
{
	size_t step = list->step;

	while (step < end && !atomic_compare_exchange_weak(&list->step, &step, step + 1))
		continue;
	*ret_step = step;
	return step < end;
}

/* Looks at descriptors until all processes are taken. Several threads do this at a time. */
static void *look_at_all(void *data)
{
	struct look *look = data;
	struct scan_list *list = look->team->list;
	size_t step;

	while (take_step(list, list->n, &step))
		list->processes[step].is_seen[SCAN_DESCRIPTORS] =
			look_at_process(look, &list->processes[step], SCAN_DESCRIPTORS);
	return NULL;
}

/* The first of the looks is this thread's. */
static void look_together(struct look_team *team, struct look *first)
{
	long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MOST];
	struct look looks[THREADS_MOST] = {{0}};
	int n = 0;

	while (n + 1 < THREADS_MOST && n + 1 < n_processors && look_init(&looks[n], team) == 0) {
		if (pthread_create(&threads[n], NULL, look_at_all, &looks[n]) != 0) {
			look_fini(&looks[n]);
			break;
		}
		n++;
	}
	look_at_all(first);
	while (n-- > 0) {
		pthread_join(threads[n], NULL);
		look_fini(&looks[n]);
	}
}

int scan_look(struct scan_area *area, struct scan_list *list)
{
	CLEANUP_FD int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct look_team team = {
		.area = area, .list = list, .proc_fd = proc_fd, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct look look = {0};
	int r = proc_fd < 0 ? -errno : look_init(&look, &team);

	if (r < 0)
		return r;
	look_together(&team, &look);
	for (; list->step < area->n_passes * list->n; list->step++) {
		struct scan_process *process = &list->processes[list->step % list->n];

		if (!process->is_left_out)
			process->is_seen[SCAN_MAPS] = look_at_process(&look, process, SCAN_MAPS);
	}
	look_fini(&look);
	return 0;
}
