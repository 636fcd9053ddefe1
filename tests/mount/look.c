/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the mount's own texts, and counts the daemon's threads in /proc.
 */
#include "tests/mount/look.h"

#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *look_at(const char *name)
{
	static char text[65536];
	int fd = channel_open(name, O_RDONLY);
	size_t length = 0;
	ssize_t n;

	while ((n = must(read(fd, text + length, sizeof(text) - 1 - length))) > 0)
		length += (size_t)n;
	text[length] = '\0';
	must(close(fd));
	return text;
}

long look_for(const char *name, const char *key)
{
	char path[128], wanted[32];
	const char *line;

	snprintf(path, sizeof(path), "info/%s/status", name);
	snprintf(wanted, sizeof(wanted), "\n%s ", key);
	line = strstr(look_at(path), wanted);
	ck_assert_msg(line, "%s has no %s", path, key);
	return strtol(line + strlen(wanted), NULL, 10);
}

void look_command(const char *line)
{
	channel_put("ctl", line, strlen(line));
}

int look_threads(void)
{
	char path[64];
	int n = -2; /* "." and ".." */
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", ipc.daemon);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

bool look_is_at_rest(void *arg)
{
	return look_threads() <= 5; /* the loop's thread, and the few that stay for later work */
}
