// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watcher lists the processes, and starts lookers until one has gone through the whole list,
 * too many have got stuck, or the time is up.
 */
#include "lib/info/scan_watch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/info/scan.h"

/*
 * Milliseconds: how often to check on the looker, and the longest that it may take for the maps of
 * one process, for its descriptors, and in all. Nobody can keep us from descriptors: if those are
 * slow, the machine is busy.
 */
#define LOOK_MS              20
#define STUCK_MS             200
#define STUCK_DESCRIPTORS_MS 1000
#define WHOLE_MS             5000
/*
 * How many processes a scan may get stuck at: in all, and of one user before the user's others are
 * left out.
 */
#define STUCK_MOST      5
#define STUCK_USER_MOST 2

struct watch {
	int daemon;
	struct scan_area *area;
	struct scan_list *list;
	int64_t end;
	unsigned n_stuck;
};

/* The processes that there are now, in memory that is shared with the lookers. */

struct scan_sight {
	struct scan_process *processes;
	size_t n, n_allocated;
};

static int add_process(struct scan_sight *found, pid_t pid, uid_t uid)
{
	if (found->n == found->n_allocated) {
		size_t n = 2 * found->n_allocated + 256;
		struct scan_process *grown = reallocarray(found->processes, n, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		found->processes = grown;
		found->n_allocated = n;
	}
	found->processes[found->n++] = (struct scan_process){.pid = pid, .uid = uid};
	return 0;
}

static int find_processes(const struct scan_area *area, struct scan_sight *found)
{
	CLEANUP_DIR DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = proc ? 0 : -errno;

	while (r == 0 && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct stat attr;

		if (isdigit((unsigned char)entry->d_name[0]) && pid != area->daemon &&
		    pid != area->supervisor && fstatat(dirfd(proc), entry->d_name, &attr, 0) == 0)
			r = add_process(found, pid, attr.st_uid);
	}
	return r;
}

/* The reader's own come first: no other user can spoil what the reader sees of them. */
static void take_processes(struct scan_list *list, const struct scan_sight *found, uid_t uid,
			   bool is_own)
{
	for (size_t i = 0; i < found->n; i++)
		if ((found->processes[i].uid == uid) == is_own)
			list->processes[list->n++] = found->processes[i];
}

static int list_processes(struct watch *watch)
{
	struct scan_sight found = {0};
	int r = find_processes(watch->area, &found);
	void *shared = MAP_FAILED;

	if (r == 0) {
		shared = mmap(NULL, sizeof(*watch->list) + found.n * sizeof(*found.processes),
			      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		r = shared == MAP_FAILED ? -errno : 0;
	}
	if (r == 0) {
		watch->list = shared;
		take_processes(watch->list, &found, watch->area->reader, true);
		take_processes(watch->list, &found, watch->area->reader, false);
	}
	free(found.processes);
	return r;
}

/* The looker. */

/* Whether the process runs, or would if the machine were less busy: then it is not stuck. */
static bool is_running(pid_t pid)
{
	char path[32], text[256];
	CLEANUP_FD int fd = -1;
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] && end[2] == 'R';
}

static int64_t patience(const struct scan_list *list)
{
	return list->step < list->n ? STUCK_DESCRIPTORS_MS : STUCK_MS;
}

/* Returns when the looker has ended or has been killed. Does not wait for a killed one to end. */
static void watch_looker(struct watch *watch, pid_t looker, int looker_fd)
{
	struct pollfd ends[] = {{.fd = watch->daemon, .events = POLLIN},
				{.fd = looker_fd, .events = POLLIN}};
	size_t step = watch->list->step;
	int64_t since = clock_now() / CLOCK_MS;

	while (poll(ends, 2, LOOK_MS) >= 0 || errno == EINTR) {
		int64_t now = clock_now() / CLOCK_MS;

		if (ends[0].revents) {
			kill(looker, SIGKILL);
			_exit(0);
		}
		if (ends[1].revents)
			return;
		if (watch->list->step != step || is_running(looker)) {
			step = watch->list->step;
			since = now;
		}
		if (now - since > patience(watch->list) || now > watch->end)
			break;
	}
	kill(looker, SIGKILL);
}

/* Returns true if there was a looker. */
static bool start_looker(struct watch *watch)
{
	pid_t parent = getpid();
	pid_t looker = fork();
	int looker_fd;

	if (looker < 0)
		return false;
	if (looker == 0) {
		close(watch->daemon);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		_exit(scan_look(watch->area, watch->list) < 0);
	}
	looker_fd = (int)syscall(SYS_pidfd_open, looker, 0);
	if (looker_fd < 0) {
		kill(looker, SIGKILL);
		return false;
	}
	watch_looker(watch, looker, looker_fd);
	close(looker_fd);
	return true;
}

/*
 * Leaves out a user's other processes once STUCK_USER_MOST got stuck: they may be like the ones
 * that did.
 */
static void leave_out(struct watch *watch, uid_t uid)
{
	struct scan_list *list = watch->list;
	unsigned n_stuck = 0;

	for (size_t i = 0; i < list->n; i++)
		n_stuck += list->processes[i].uid == uid && list->processes[i].is_stuck;
	for (size_t i = 0; n_stuck >= STUCK_USER_MOST && i < list->n; i++)
		if (list->processes[i].uid == uid)
			list->processes[i].is_left_out = true;
}

/*
 * Leaves out the process at which the looker ended: the next looker begins behind it. At the
 * descriptors, no process is to blame, and those that the looker had begun are merely unseen.
 */
static void skip(struct watch *watch)
{
	struct scan_list *list = watch->list;
	struct scan_process *process = &list->processes[list->step % list->n];

	watch->n_stuck++;
	if (list->step < list->n)
		return;
	process->is_stuck = process->is_left_out = true;
	leave_out(watch, process->uid);
	list->step++;
}

static bool is_seen(const struct scan_process *process, size_t n_passes)
{
	size_t pass = 0;

	while (pass < n_passes && process->is_seen[pass])
		pass++;
	return pass == n_passes;
}

static void look(struct watch *watch)
{
	const struct scan_list *list = watch->list;
	size_t n_passes = watch->area->n_passes, n_steps = n_passes * list->n;

	watch->end = clock_now() / CLOCK_MS + WHOLE_MS;
	while (list->step < n_steps && watch->n_stuck < STUCK_MOST &&
	       clock_now() / CLOCK_MS < watch->end) {
		if (!start_looker(watch))
			break;
		if (list->step < n_steps)
			skip(watch);
	}
	for (size_t i = 0; i < list->n; i++) {
		watch->area->n_hidden += list->processes[i].is_hidden;
		watch->area->n_unseen += !is_seen(&list->processes[i], n_passes);
	}
}

static struct scan_area *map_area(int memory)
{
	struct stat attr;
	void *mapped;

	if (fstat(memory, &attr) < 0)
		return NULL;
	mapped = mmap(NULL, (size_t)attr.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	return mapped == MAP_FAILED ? NULL : mapped;
}

void scan_watch(int daemon, int memory)
{
	struct watch watch = {.daemon = daemon, .area = map_area(memory)};
	struct pollfd end = {.fd = daemon, .events = POLLIN};

	if (poll(&end, 1, 0) == 0 && watch.area && list_processes(&watch) == 0) {
		qsort(watch.area->keys, watch.area->n_keys, sizeof(*watch.area->keys),
		      scan_compare_keys);
		look(&watch);
		watch.area->is_done = true;
	}
	close(daemon);
	while (wait(NULL) > 0)
		continue;
}
