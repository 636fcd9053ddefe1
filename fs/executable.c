// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * By path, a file could be another one each time. So it is opened once, and checked and executed by
 * its descriptor.
 */
#include "fs/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/trust.h"

#define TEXT_SIZE 128 /* more than is expected */

static void identify(const struct stat *attr, struct executable_id *id)
{
	*id = (struct executable_id){
		.dev = attr->st_dev,
		.ino = attr->st_ino,
		.size = (uint64_t)attr->st_size,
		.changed = attr->st_ctim.tv_sec * CLOCK_S + attr->st_ctim.tv_nsec,
	};
}

/* Whether only trusted users could put it there: links may lead from one place to another. */
static bool is_placed_well(int fd, const char *path)
{
	char link[32], place[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, place, sizeof(place) - 1);
	if (n < 0)
		return false;
	place[n] = '\0';
	return trust_of_way(path) == TRUST_FULL && trust_of_way(place) == TRUST_FULL;
}

int executable_open(const char *path, struct executable_id *ret_id)
{
	CLEANUP_FD int fd = open(path, O_PATH); /* NOLINT(android-cloexec-open) */
	struct stat attr;

	if (fd < 0 || fstat(fd, &attr) < 0)
		return -errno;
	if (trust_of(&attr) != TRUST_FULL || !is_placed_well(fd, path))
		return -EPERM;
	identify(&attr, ret_id);
	return TAKE_FD(fd);
}

bool executable_is_same(const struct executable_id *a, const struct executable_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed == b->changed;
}

int executable_own(struct executable_id *ret_id)
{
	struct stat attr;

	if (stat("/proc/self/exe", &attr) < 0)
		return -errno;
	identify(&attr, ret_id);
	return 0;
}

int executable_run(int fd, char *const *argv)
{
	execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}

static _Noreturn void be_executable(int fd, char *const *argv, int output, pid_t asker)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == asker && dup2(output, STDOUT_FILENO) >= 0)
		executable_run(fd, argv);
	_exit(127); /* as a shell */
}

/* Reads all that comes. Returns whether it is this text. */
static bool reads_text(int fd, const char *expected)
{
	char text[TEXT_SIZE], rest[TEXT_SIZE];
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, size < sizeof(text) ? text + size : rest,
			 size < sizeof(text) ? sizeof(text) - size : sizeof(rest))) > 0)
		size += (size_t)n;
	return size == strlen(expected) && size <= sizeof(text) &&
	       memcmp(text, expected, size) == 0;
}

int executable_ask(int fd, char *const *argv, const char *expected)
{
	CLEANUP_FD int output = -1;
	bool is_expected;
	int ends[2], status;
	pid_t asker = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	output = ends[0];
	pid = fork();
	if (pid == 0)
		be_executable(fd, argv, ends[1], asker);
	close(ends[1]);
	if (pid < 0)
		return -EAGAIN;
	is_expected = reads_text(output, expected);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status == 0 && !is_expected ? -EPROTO : status;
}
