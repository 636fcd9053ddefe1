// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded into daemons (LD_PRELOAD) for faults.bats, to give them faults that real ones do not have
 * or rarely meet.
 *
 * A daemon that sends a message beginning with "poison" to a queue crashes. While $IPCFS_FAULTS has
 * a file `lack`, a daemon that begins gets ENOMEM; the one that finds a file `hang` there removes
 * it, and hangs. The one that finds a file `scarce` removes it, and one of its
 * calls of calloc() fails while it takes the mount over: the one after as many as the file says.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* SIGABRT, because AddressSanitizer has a handler for SIGSEGV, which exits. */
int mq_send(mqd_t queue, const char *text, size_t size, unsigned priority)
{
	if (size >= 6 && memcmp(text, "poison", 6) == 0)
		abort();
	return (int)syscall(SYS_mq_timedsend, queue, text, size, priority, NULL);
}

static const char *path_of(const char *name)
{
	static char path[4096];
	const char *directory = getenv("IPCFS_FAULTS");

	snprintf(path, sizeof(path), "%s/%s", directory ? directory : "", name);
	return path;
}

/* How many calls of calloc() succeed before one fails; -1: all. */
static int n_left = -1;

void *calloc(size_t n, size_t size)
{
	static void *(*next)(size_t n, size_t size);

	if (n_left >= 0 && n_left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	if (!next)
		next = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	return next(n, size);
}

/* A daemon calls this once it has the mount, before it adopts anything. */
int dup3(int from, int to, int flags)
{
	char text[16] = "";
	int fd = open(path_of("scarce"), O_RDONLY);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && unlink(path_of("scarce")) == 0)
		n_left = atoi(text);
	if (fd >= 0)
		close(fd);
	return (int)syscall(SYS_dup3, from, to, flags);
}

/* A daemon calls this once, when it begins. */
int epoll_create1(int flags)
{
	if (unlink(path_of("hang")) == 0)
		for (;;)
			pause();
	if (access(path_of("lack"), F_OK) == 0) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_epoll_create1, flags);
}
