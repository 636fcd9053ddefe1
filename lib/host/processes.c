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

/* Longer than the file: its fields are numbers, but for a name of up to 64 bytes. */
#define STAT_TEXT   1024
#define STATUS_TEXT 4096

/* Reads a file of /proc/PID. Returns false if there is no such process. */
static bool read_file(int proc_fd, const char *pid, const char *name, char *text, size_t size)
{
	CLEANUP_FD int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", pid, name);
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

struct process_facts {
	char state; /* as in proc_pid_stat(5) */
	pid_t parent;
	time_t start; /* CLOCK_REALTIME */
};

/* Returns false if there is no such process. */
static bool find_facts(int proc_fd, const char *pid, struct process_facts *ret_facts)
{
	char text[STAT_TEXT];
	unsigned long long ticks;
	const char *rest;

	if (!read_file(proc_fd, pid, "stat", text, sizeof(text)))
		return false;
	/* The command name before that field may contain anything. */
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1,
			    " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			    "%*d %*d %llu",
			    &ret_facts->state, &ret_facts->parent, &ticks) != 3)
		return false;
	ret_facts->start =
		processes_find_boot() + (time_t)(ticks / (unsigned long)sysconf(_SC_CLK_TCK));
	return true;
}

bool process_has_ended(pid_t pid, time_t then)
{
	CLEANUP_FD int proc_fd = -1;
	struct process_facts facts;
	char name[16];

	if (pid <= 0)
		return false;
	if (pid == getpid())
		return true;
	/* Without a signal this only asks whether there is such a process. */
	if (kill(pid, 0) < 0 && errno == ESRCH)
		return true;
	proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%d", pid);
	if (proc_fd < 0 || !find_facts(proc_fd, name, &facts))
		return false;
	return facts.state == 'Z' ||
	       (then >= processes_find_boot() && facts.start > then + PROCESSES_SLACK);
}

/* A process's user ids: real, effective, saved and of the filesystem. */
#define UIDS 4

/* Returns false if there is no such process, or only what is left of it, or a kernel thread. */
static bool find_uids(int proc_fd, const char *pid, uid_t ret_uids[static UIDS])
{
	char text[STATUS_TEXT];
	const char *line;

	/* Only a process with memory of its own has a VmSize. */
	if (!read_file(proc_fd, pid, "status", text, sizeof(text)) || !strstr(text, "\nVmSize:"))
		return false;
	line = strstr(text, "\nUid:");
	return line && sscanf(line, "\nUid: %u %u %u %u", &ret_uids[0], &ret_uids[1], &ret_uids[2],
			      &ret_uids[3]) == UIDS;
}

static bool has_uid(const uid_t uids[static UIDS], uid_t uid)
{
	return uids[0] == uid || uids[1] == uid || uids[2] == uid || uids[3] == uid;
}

static bool is_asked(const struct processes_user *users, size_t n, uid_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (users[i].uid == uid)
			return true;
	return false;
}

static void look_at(int proc_fd, const char *pid, struct processes_user *users, size_t n)
{
	struct process_facts facts;
	uid_t uids[UIDS];
	struct stat attr;

	if (fstatat(proc_fd, pid, &attr, 0) < 0 ||
	    (attr.st_uid != 0 && !is_asked(users, n, attr.st_uid)) ||
	    !find_uids(proc_fd, pid, uids) || !find_facts(proc_fd, pid, &facts) ||
	    facts.parent == getpid())
		return;
	for (size_t i = 0; i < n; i++)
		if (has_uid(uids, users[i].uid) && facts.start < users[i].oldest)
			users[i].oldest = facts.start;
}

int processes_find_oldest(struct processes_user *users, size_t n)
{
	/* Else a mount option of /proc may hide the processes of others. */
	bool sees_all = namespaces_can_see();
	const struct dirent *entry;
	DIR *proc = opendir("/proc");
	char self[16];

	if (!proc)
		return -errno;
	for (size_t i = 0; i < n; i++)
		users[i].oldest = sees_all || users[i].uid == geteuid() ? PROCESSES_NONE : 0;
	snprintf(self, sizeof(self), "%d", getpid());
	while ((entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
		    strcmp(entry->d_name, self) != 0)
			look_at(dirfd(proc), entry->d_name, users, n);
	closedir(proc);
	return 0;
}
