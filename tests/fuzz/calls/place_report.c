// SPDX-License-Identifier: GPL-2.0-or-later
/* Reports of what went wrong, as TAP comments. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/calls/place.h"

enum { LOG_END = 24 << 10 };

static void print_comment(const char *text)
{
	size_t length;

	for (; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		printf("#   %.*s\n", (int)length, text);
	}
}

bool place_print_log(const struct place *place, bool is_bad)
{
	static const char *const marks[] = {"Sanitizer", "runtime error:"};
	off_t size = lseek(place->log, 0, SEEK_END);
	off_t start = size > LOG_END ? size - LOG_END : 0;
	char *text = calloc(1, LOG_END + 1);
	bool is_report = false;

	if (!text || pread(place->log, text, LOG_END, start) < 0)
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		is_report = is_report || strstr(text, marks[i]);
	if (is_report || is_bad) {
		puts("# the daemon said, at its end:");
		print_comment(text);
	}
	free(text);
	fflush(stdout);
	return is_report;
}

static void print_file(const char *pid, const char *tid, const char *name)
{
	char path[600], text[2048];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	/* Control characters are replaced: the text contains program names, which users choose. */
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			text[i] = '?';
	print_comment(text);
}

static void print_tasks(const char *pid)
{
	struct dirent *entry;
	char path[300];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		printf("# process %s, thread %s\n", pid, entry->d_name);
		print_file(pid, entry->d_name, "comm");
		print_file(pid, entry->d_name, "syscall");
		print_file(pid, entry->d_name, "stack");
	}
	if (tasks)
		closedir(tasks);
}

void place_print_processes(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			print_tasks(entry->d_name);
	if (proc)
		closedir(proc);
	fflush(stdout);
}
