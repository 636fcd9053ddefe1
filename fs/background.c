// SPDX-License-Identifier: GPL-2.0-or-later
/* The parent reads a pipe: a byte means that the child is ready, end-of-file that it has ended. */
#include "fs/background.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"

/* The child's end of the pipe that the parent waits on; -1: no parent waits. */
static int32_t own_ready_fd = -1;
static int32_t *ready_fd = &own_ready_fd;
static bool is_background;

static void wait_for_child(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? 0 : 1);
}

int background_start(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	*ready_fd = fds[1];
	is_background = true;
	setsid();
	return 0;
}

static void leave_terminal(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i <= 2; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

void background_share(int32_t *fd)
{
	*fd = *ready_fd;
	ready_fd = fd;
}

void background_adopt(int32_t *fd)
{
	ready_fd = fd;
	is_background = true;
}

bool background_has_left(void)
{
	return is_background && *ready_fd < 0;
}

void background_ready(void)
{
	int fd = *ready_fd;

	if (fd < 0)
		return;
	log_to_syslog(true);
	leave_terminal();
	/* Fails if the parent has ended. */
	if (write(fd, "", 1) < 0)
		log_line(LOG_WARNING, "mounted, but the command that waited for it has ended");
	*ready_fd = -1;
	close(fd);
}
