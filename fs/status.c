// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nothing that touches the path may be done by the process that has to print the line: where a
 * daemon has stopped, even a lookup sleeps, and a request that the daemon has already taken can't
 * be ended by any signal. So a child asks, and says how far it has come. If it is not done in time,
 * it is killed, and nobody waits for its end. It keeps no descriptor of its parent open, so that
 * the reader of our output sees its end.
 *
 * The child finds the mount without asking it: an O_PATH open and statx(2) with AT_STATX_DONT_SYNC
 * end at its root and send no request (linux/fs/fuse/dir.c). The attribute is then the one request.
 */
#include "fs/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/mount_words.h"
#include "fs/vitals.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/quote.h"

#define PATIENCE 2 /* seconds */

/* What the child knows so far. Less than PIPE_BUF, so it arrives whole. */
struct finding {
	bool is_done;
	bool is_mounted; /* the path is the root of an ipcfs */
	int error;       /* why it could not go on */
	unsigned minor;  /* of the mount's device */
	int64_t took;    /* nanoseconds */
	char type[32];   /* of the filesystem at the path */
	char text[VITALS_SIZE];
};

/* Finds the type of a mount; "unknown" if it is not one of this namespace. */
static int find_type(uint64_t mount, char *type)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	bool is_found = false;
	size_t size = 0;
	uint64_t id;

	if (!file) /* without /proc, nothing is known */
		return errno == ENOENT ? -ENODATA : -errno;
	strcpy(type, "unknown");
	while (!is_found && getline(&line, &size, file) > 0) {
		const char *end = strstr(line, " - ");

		is_found = end && sscanf(line, "%" SCNu64, &id) == 1 && id == mount &&
			   sscanf(end, " - %31s", type) == 1;
	}
	fclose(file);
	return 0;
}

/* Opens the path, and finds out what is mounted there. Returns a descriptor or -errno. */
static int find(const char *path, struct finding *finding)
{
	CLEANUP_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct statx attr = {0};
	int r;

	/* No attributes are asked for: where the mount serves another user, they are refused. */
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &attr) < 0)
		return -errno;
	r = find_type(attr.stx_mnt_id, finding->type);
	finding->minor = attr.stx_dev_minor;
	finding->is_mounted = r == 0 && strcmp(finding->type, "fuse.ipcfs") == 0 &&
			      (attr.stx_attributes & STATX_ATTR_MOUNT_ROOT);
	return r < 0 ? r : TAKE_FD(fd);
}

static int ask(int fd, struct finding *finding)
{
	int64_t start = clock_now();
	char path[40];
	ssize_t n;
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = getxattr(path, VITALS_XATTR, finding->text, sizeof(finding->text) - 1);
	error = n < 0 ? errno : 0;
	finding->took = clock_now() - start;
	finding->text[n < 0 ? 0 : n] = '\0';
	/* A daemon of an older version, which has no such attribute, answers nevertheless. */
	return error == EOPNOTSUPP || error == ENODATA ? 0 : error;
}

static _Noreturn void look(const char *path, int out, pid_t parent)
{
	struct finding finding = {0};
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_range(0, (unsigned)out - 1, 0);
	close_range((unsigned)out + 1, ~0U, 0);
	fd = find(path, &finding);
	if (fd < 0)
		finding.error = -fd;
	if (finding.is_mounted && write(out, &finding, sizeof(finding)) == sizeof(finding))
		finding.error = ask(fd, &finding);
	finding.is_done = true;
	_exit(write(out, &finding, sizeof(finding)) != sizeof(finding));
}

/* Takes what the child finds, until it is done or the time is up. */
static void await(int fd, struct finding *finding)
{
	int64_t end = clock_now() + PATIENCE * CLOCK_S;
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	int64_t left;

	while (!finding->is_done && (left = end - clock_now()) > 0) {
		if (poll(&polled, 1, (int)(left / CLOCK_MS) + 1) <= 0)
			continue;
		if (read(fd, finding, sizeof(*finding)) != sizeof(*finding))
			break;
	}
}

static int find_out(const char *path, struct finding *finding)
{
	pid_t parent = getpid();
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		look(path, fds[1], parent);
	close(fds[1]);
	if (pid > 0) {
		await(fds[0], finding);
		kill(pid, SIGKILL);
	}
	close(fds[0]);
	return pid < 0 ? -EAGAIN : 0;
}

static enum status tell_silence(const char *path, const struct finding *finding)
{
	if (finding->is_mounted)
		printf("%s: no answer in %d seconds; 'echo 1 > /sys/fs/fuse/connections/%u/abort' "
		       "ends it\n",
		       path, PATIENCE, finding->minor);
	else
		printf("%s: could not be looked up in %d seconds\n", path, PATIENCE);
	return STATUS_SILENT;
}

static enum status tell_error(const char *path, const struct finding *finding)
{
	const char *reason = strerror(finding->error);

	switch (finding->error) {
	case ENOTCONN:
	case ECONNABORTED:
		if (finding->is_mounted)
			printf("%s: dead mount; unmount it with '%s %s': %s\n", path,
			       mount_words_undo(), path, reason);
		else
			printf("%s: cannot be reached: %s\n", path, reason);
		return STATUS_SILENT;
	case ENOENT:
	case ENOTDIR:
		printf("%s: not mounted: %s\n", path, reason);
		return STATUS_NOT_MOUNTED;
	default:
		printf("%s: cannot be asked: %s\n", path, reason);
		return STATUS_UNKNOWN;
	}
}

static enum status tell(const char *path, const struct finding *finding)
{
	CLEANUP_FREE char *text = quote_text(finding->text);

	if (!finding->is_done)
		return tell_silence(path, finding);
	if (finding->error)
		return tell_error(path, finding);
	if (!finding->is_mounted) {
		printf("%s: not mounted: not the root of an ipcfs (%s)\n", path, finding->type);
		return STATUS_NOT_MOUNTED;
	}
	printf("%s: ok, answered in %.1f ms%s%s\n", path, (double)finding->took / CLOCK_MS,
	       text && *text ? "; " : "", text ? text : "");
	return STATUS_OK;
}

enum status status_print(const char *path)
{
	CLEANUP_FREE char *quoted = quote_text(path);
	struct finding finding = {0};
	int r = quoted ? find_out(path, &finding) : -ENOMEM;
	enum status status = STATUS_UNKNOWN;

	if (r == 0)
		status = tell(quoted, &finding);
	if (r == 0 && fflush(stdout) == EOF)
		r = -errno;
	if (r == 0)
		return status;
	fprintf(stderr, "ipcfs: %s\n", strerror(-r));
	return STATUS_UNKNOWN;
}
