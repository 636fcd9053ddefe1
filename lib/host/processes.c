// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that has changed its user shows root as the owner of its files in /proc (proc(5),
 * "dumpable"). So where the owner does not tell, its status does.
 */
#include "lib/host/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/namespaces.h"
#include "lib/host/process_stat.h"

#define STATUS_TEXT 4096

/* Reads a file of /proc/PID. Returns false if there is no such process. */
static bool read_file(int proc_fd, const char *pid, const char *name, char *text, size_t size)
{
	CLEANUP_FD int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%.16s/%.40s", pid, name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

time_t processes_find_boot(void)
{
	struct timespec now = {0}, up = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return now.tv_sec - up.tv_sec;
}

static time_t find_start(const struct process_stat *stat)
{
	return processes_find_boot() +
	       (time_t)(stat->started / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* Whether only its exit status is left. A main thread may end before the others do. */
static bool is_zombie(const struct process_stat *stat)
{
	return stat->state == 'Z' && stat->n_threads <= 1;
}

bool process_has_ended(pid_t pid, time_t then)
{
	CLEANUP_FD int proc_fd = -1;
	struct process_stat stat;

	if (pid <= 0)
		return false;
	if (pid == getpid())
		return true;
	/* Without a signal this only asks whether there is such a process. */
	if (kill(pid, 0) < 0 && errno == ESRCH)
		return true;
	proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0 || !process_stat_read(proc_fd, pid, &stat))
		return false;
	return is_zombie(&stat) ||
	       (then >= processes_find_boot() && find_start(&stat) > then + PROCESSES_SLACK);
}

/* A process's user ids: real, effective, saved and of the filesystem. */
#define UIDS 4

/*
 * Returns false if there is no such process. *ret_has_memory: this is no kernel thread, and its
 * main thread has not ended.
 */
static bool find_uids(int proc_fd, const char *pid, uid_t ret_uids[static UIDS],
		      bool *ret_has_memory)
{
	char text[STATUS_TEXT];
	const char *line;

	if (!read_file(proc_fd, pid, "status", text, sizeof(text)))
		return false;
	*ret_has_memory = strstr(text, "\nVmSize:");
	line = strstr(text, "\nUid:");
	return line && sscanf(line, "\nUid: %u %u %u %u", &ret_uids[0], &ret_uids[1], &ret_uids[2],
			      &ret_uids[3]) == UIDS;
}

static bool has_uid(const uid_t uids[static UIDS], uid_t uid)
{
	for (size_t i = 0; i < UIDS; i++)
		if (uids[i] == uid || (uid == PROCESSES_ANYBODY && uids[i] != 0))
			return true;
	return false;
}

static bool is_asked(const struct processes_user *users, size_t n, uid_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (users[i].uid == uid || users[i].uid == PROCESSES_ANYBODY)
			return true;
	return false;
}

struct oldest_look {
	int proc_fd;
	pid_t supervisor; /* 0: there is none */
	struct processes_user *users;
	size_t n;
};

/* The daemon, its supervisor, and the children of both. */
static bool is_ours(const struct oldest_look *look, pid_t pid, pid_t parent)
{
	return pid == getpid() || parent == getpid() ||
	       (look->supervisor && (pid == look->supervisor || parent == look->supervisor));
}

static void look_at(const struct oldest_look *look, const char *pid)
{
	struct process_stat stat;
	bool has_memory = false;
	uid_t uids[UIDS];
	struct stat attr;

	if (fstatat(look->proc_fd, pid, &attr, 0) < 0 ||
	    (attr.st_uid != 0 && !is_asked(look->users, look->n, attr.st_uid)) ||
	    !find_uids(look->proc_fd, pid, uids, &has_memory) ||
	    !process_stat_read(look->proc_fd, atoi(pid), &stat) ||
	    is_ours(look, atoi(pid), stat.parent) || (!has_memory && stat.n_threads <= 1))
		return;
	for (size_t i = 0; i < look->n; i++)
		if (has_uid(uids, look->users[i].uid) && find_start(&stat) < look->users[i].oldest)
			look->users[i].oldest = find_start(&stat);
}

/*
 * Looks at the function in which the thread sleeps: the kernel tells no more of a receiver. Notes
 * whether it tells that much; for a thread that runs it is "0" as well.
 */
static void look_at_thread(int task_fd, const char *thread, struct processes_receivers *receivers)
{
	/* A thread that is stopped, traced or frozen may have been in the call. */
	static const char *const calls[] = {"msgrcv", "signal_stop", "ptrace_stop", "freez"};
	char text[128];

	if (!read_file(task_fd, thread, "wchan", text, sizeof(text)) || strcmp(text, "0") == 0)
		return;
	receivers->can_tell = true;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strstr(text, calls[i]))
			receivers->are_there = true;
}

static void look_at_threads(int proc_fd, const char *pid, struct processes_receivers *receivers)
{
	const struct dirent *entry;
	char path[32];
	DIR *task;
	int fd;

	snprintf(path, sizeof(path), "%.16s/task", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	task = fd < 0 ? NULL : fdopendir(fd);
	if (!task && fd >= 0)
		close(fd);
	while (task && (entry = readdir(task)))
		if (*entry->d_name != '.')
			look_at_thread(fd, entry->d_name, receivers);
	if (task)
		closedir(task);
}

int processes_find_receivers(struct processes_receivers *ret_receivers)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");

	*ret_receivers = (struct processes_receivers){0};
	if (!proc)
		return -errno;
	while ((entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			look_at_threads(dirfd(proc), entry->d_name, ret_receivers);
	closedir(proc);
	ret_receivers->can_tell &= namespaces_see_all();
	return 0;
}

int processes_find_oldest(struct processes_user *users, size_t n, pid_t supervisor)
{
	struct oldest_look look = {.supervisor = supervisor, .users = users, .n = n};
	/* Else others may use what these users own, or a mount option of /proc may hide them. */
	bool sees_all = namespaces_see_all();
	const struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!proc)
		return -errno;
	look.proc_fd = dirfd(proc);
	for (size_t i = 0; i < n; i++)
		users[i].oldest = sees_all ? PROCESSES_NONE : 0;
	while ((entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			look_at(&look, entry->d_name);
	closedir(proc);
	return 0;
}
