// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starts and stops the program as a user would, and reads its files in /proc.
 */
#include "tests/bench/daemon.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "tests/bench/must.h"

static bool is_named(pid_t pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%31[^\n]", comm) != 1)
		*comm = '\0';
	fclose(file);
	return !strcmp(comm, name);
}

/* Finds the last child of a process; one of that name, if not NULL. Returns 0 if there is none. */
static pid_t find_child(pid_t parent, const char *name)
{
	char path[64];
	FILE *file;
	int pid = 0, found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "re");
	if (!file)
		fail("%s: %s", path, strerror(errno));
	while (fscanf(file, "%d", &pid) == 1)
		if (!name || is_named(pid, name))
			found = pid;
	fclose(file);
	return found;
}

pid_t daemon_start(const struct bench *bench, const char *dir)
{
	pid_t starter, found;
	int status;

	/* As a subreaper, this process becomes the parent of the daemon in the background. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	starter = must(fork());
	if (starter == 0) {
		if (bench->options)
			execl(bench->program, bench->program, dir, "-o", bench->options, NULL);
		else
			execl(bench->program, bench->program, dir, NULL);
		fail("%s: %s", bench->program, strerror(errno));
	}
	must(waitpid(starter, &status, 0));
	if (status != 0)
		fail("%s did not mount: wait status %#x", bench->program, (unsigned)status);
	/* Its pid is not known, because it forks into the background. */
	found = find_child(getpid(), NULL);
	if (found == 0)
		fail("%s has ended", bench->program);
	return found;
}

pid_t daemon_find(pid_t started)
{
	pid_t daemon = started;

	if (is_named(started, "ipcfs-supervise"))
		daemon = find_child(started, "ipcfs");
	if (daemon == 0)
		fail("the supervisor has no daemon");
	return daemon;
}

void daemon_stop(pid_t started)
{
	int status;

	must(kill(started, SIGTERM));
	must(waitpid(started, &status, 0));
	if (status != 0)
		fail("the daemon ended with wait status %#x", (unsigned)status);
}

/* Returns the value of the line `KEY VALUE` in a status file of /proc. */
static unsigned long read_status(const char *path, const char *key)
{
	size_t length = strlen(key);
	unsigned long value = 0;
	char line[256];
	FILE *file = fopen(path, "re");

	if (!file)
		fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length))
			value = strtoul(line + length, NULL, 10);
	fclose(file);
	return value;
}

double daemon_memory(pid_t daemon)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", daemon);
	return (double)(read_status(path, "RssAnon:") + read_status(path, "RssShmem:"));
}

int daemon_descriptors(pid_t daemon)
{
	char path[64];
	int n = 0;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", daemon);
	fds = opendir(path);
	if (!fds)
		fail("%s: %s", path, strerror(errno));
	while (readdir(fds))
		n++;
	closedir(fds);
	return n;
}

void daemon_settle(const struct bench *bench)
{
	struct statvfs fs;

	must(statvfs(bench->mount, &fs));
}

static unsigned long read_ticks(pid_t daemon)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", daemon);
	file = fopen(path, "re");
	if (!file ||
	    fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		fail("%s can't be read", path);
	fclose(file);
	return user + system;
}

struct daemon_use daemon_use(pid_t daemon)
{
	struct daemon_use use = {.ticks = read_ticks(daemon)};
	char path[300];
	struct dirent *task;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", daemon);
	tasks = opendir(path);
	if (!tasks)
		fail("%s: %s", path, strerror(errno));
	while ((task = readdir(tasks))) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", daemon, task->d_name);
		use.n_wakeups += read_status(path, "voluntary_ctxt_switches:");
	}
	closedir(tasks);
	return use;
}
